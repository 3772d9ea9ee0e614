// One attachment, to an incoming webhook or, with a bot's token, to chat.postMessage.
#include <string>

#include <fmt/format.h>

#include "agent/notify/receivers.h"
#include "lib/base/json_writer.h"

namespace notify {
namespace {

constexpr size_t kMaxTitleCharacters = 1024;

// Cut between characters, with an ellipsis.
std::string Truncated(std::string text, size_t most) {
  size_t characters = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool starts = (static_cast<unsigned char>(text[i]) & 0xc0U) != 0x80U;
    characters += starts ? 1U : 0U;
    if (characters > most) {
      text.resize(i);
      return text + "…";
    }
  }
  return text;
}

void Optional(std::string_view name, const std::string& value, base::JsonWriter* json) {
  if (!value.empty()) {
    json->Member(name, value);
  }
}

void WriteFields(const SlackConfig& config, MessageTexts* texts, base::JsonWriter* json) {
  if (config.fields.empty()) {
    return;
  }
  json->Key("fields");
  json->BeginArray();
  for (const SlackField& field : config.fields) {
    json->BeginObject();
    json->Member("title", texts->Expand(field.title));
    json->Member("value", texts->Expand(field.value));
    json->Member("short", field.is_short.empty() ? config.short_fields : field.is_short == "true");
    json->EndObject();
  }
  json->EndArray();
}

void WriteActions(const SlackConfig& config, MessageTexts* texts, base::JsonWriter* json) {
  if (config.actions.empty()) {
    return;
  }
  json->Key("actions");
  json->BeginArray();
  for (const SlackAction& action : config.actions) {
    json->BeginObject();
    for (const auto& [name, value] :
         {std::pair("type", &action.type), std::pair("text", &action.text),
          std::pair("url", &action.url), std::pair("style", &action.style),
          std::pair("name", &action.name), std::pair("value", &action.value)}) {
      Optional(name, texts->Expand(*value), json);
    }
    json->EndObject();
  }
  json->EndArray();
}

void WriteAttachment(const SlackConfig& config, MessageTexts* texts, base::JsonWriter* json) {
  json->BeginObject();
  Optional("title", Truncated(texts->Expand(config.title), kMaxTitleCharacters), json);
  Optional("title_link", texts->Expand(config.title_link), json);
  Optional("pretext", texts->Expand(config.pretext), json);
  json->Member("text", texts->Expand(config.text));
  json->Member("fallback", texts->Expand(config.fallback));
  json->Member("callback_id", texts->Expand(config.callback_id));
  WriteFields(config, texts, json);
  WriteActions(config, texts, json);
  Optional("image_url", texts->Expand(config.image_url), json);
  Optional("thumb_url", texts->Expand(config.thumb_url), json);
  json->Member("footer", texts->Expand(config.footer));
  Optional("color", texts->Expand(config.color), json);
  json->Key("mrkdwn_in");
  json->BeginArray();
  for (const std::string& name : config.mrkdwn_in) {
    json->String(name);
  }
  json->EndArray();
  json->EndObject();
}

}  // namespace

base::Result<Message> ComposeSlack(const Composing& composing) {
  const auto& config = std::get<SlackConfig>(composing.integration.config);
  MessageTexts texts(composing.templates, composing.notification, composing.external_url,
                     composing.now);
  Post post;
  base::JsonWriter json(&post.request.body);
  json.BeginObject();
  Optional("channel", texts.Expand(config.channel), &json);
  Optional("username", texts.Expand(config.username), &json);
  Optional("icon_emoji", texts.Expand(config.icon_emoji), &json);
  Optional("icon_url", texts.Expand(config.icon_url), &json);
  if (config.link_names) {
    json.Member("link_names", true);
  }
  json.Key("attachments");
  json.BeginArray();
  WriteAttachment(config, &texts, &json);
  json.EndArray();
  json.EndObject();
  RETURN_IF_ERROR(texts.status());
  ASSIGN_OR_RETURN(const base::Secret url, config.api_url.Read());
  post.request.url = url.Reveal();
  post.request.timeout = config.timeout.count() > 0 ? config.timeout : kDefaultTimeout;
  post.request.headers = {{"Content-Type", "application/json; charset=utf-8"},
                          {"Idempotency-Key", composing.notification.key}};
  if (!config.token.empty()) {
    ASSIGN_OR_RETURN(post.bearer_token, config.token.Read());
  }
  return Message(std::move(post));
}

// The bot's API says 200 also when it refuses: {"ok":false,"error":"channel_not_found"}.
Verdict InterpretSlack(const base::Result<http::ClientResponse>& response, base::WallTime now) {
  Verdict verdict = Judge(response, now);
  if (verdict.kind != Verdict::Kind::kDelivered ||
      response->content_type.find("json") == std::string::npos ||
      response->body.find("\"ok\":false") == std::string::npos) {
    return verdict;
  }
  const bool transient = response->body.find("\"ratelimited\"") != std::string::npos ||
                         response->body.find("\"internal_error\"") != std::string::npos ||
                         response->body.find("\"service_unavailable\"") != std::string::npos;
  return {.kind = transient ? Verdict::Kind::kRetry : Verdict::Kind::kRejected,
          .reason = "Slack answers that it is not ok"};
}

}  // namespace notify
