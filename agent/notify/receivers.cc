#include "agent/notify/receivers.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace notify {
namespace {

constexpr size_t kMaxResponseBytes = 1 << 20;  // Little of it matters.
constexpr size_t kMaxReasonBytes = 200;

struct Kind {
  base::Result<Message> (*compose)(const Composing& composing);
  Verdict (*interpret)(const base::Result<http::ClientResponse>& response, base::WallTime now);
};

// In the order of Integration::config.
constexpr std::array kKinds = {Kind{ComposeWebhook, Judge}, Kind{ComposeSlack, InterpretSlack},
                               Kind{ComposeEmail, Judge}, Kind{ComposePagerduty, Judge}};
static_assert(kKinds.size() == std::variant_size_v<decltype(Integration::config)>);

Verdict SendPost(const Integration& integration, Post post, std::chrono::milliseconds most_time,
                 base::WallTime now) {
  auto options = ClientOptionsOf(integration.http);
  if (!options.ok()) {
    return {.kind = Verdict::Kind::kRetry, .reason = options.error().message()};
  }
  if (!post.bearer_token.empty()) {
    options->bearer_token = post.bearer_token;
  }
  post.request.method = "POST";
  post.request.timeout = std::min(post.request.timeout, most_time);
  post.request.max_response_bytes = kMaxResponseBytes;
  http::Client client(*std::move(options));
  const auto response = client.Do(post.request);
  Verdict verdict = kKinds[integration.config.index()].interpret(response, now);
  if (verdict.kind == Verdict::Kind::kRejected && response.ok() && !response->body.empty()) {
    verdict.reason += ": " + response->body.substr(0, kMaxReasonBytes);
  }
  return verdict;
}

// What a mail server answers for good begins with 5.
Verdict Mail(const http::Mail& mail, std::chrono::milliseconds most_time) {
  const auto sent = http::SendMail(mail, std::min(kDefaultTimeout, most_time));
  if (sent.ok()) {
    return {};
  }
  const bool wrong = sent.error().kind() == base::ErrorKind::kInvalidArgument;
  return {.kind = wrong ? Verdict::Kind::kRejected : Verdict::Kind::kRetry,
          .reason = sent.error().message()};
}

}  // namespace

base::Result<http::ClientOptions> ClientOptionsOf(const HttpConfig& config) {
  http::ClientOptions options = config.client;
  if (config.basic) {
    ASSIGN_OR_RETURN(const base::Secret user, config.username.Read());
    options.basic_auth_user = user.Reveal();
    ASSIGN_OR_RETURN(options.basic_auth_password, config.password.Read());
  } else if (!config.bearer.empty()) {
    ASSIGN_OR_RETURN(options.bearer_token, config.bearer.Read());
  }
  return options;
}

base::Result<Message> Compose(const Composing& composing) {
  return kKinds[composing.integration.config.index()].compose(composing);
}

Verdict Interpret(const Integration& integration,
                  const base::Result<http::ClientResponse>& response, base::WallTime now) {
  return kKinds[integration.config.index()].interpret(response, now);
}

Verdict Send(const Composing& composing, std::chrono::milliseconds most_time) {
  auto message = Compose(composing);
  if (!message.ok()) {
    // A file may come back; a template will not mend itself, but its file may be mended.
    const bool wrong = message.error().kind() == base::ErrorKind::kInvalidArgument;
    return {.kind = wrong ? Verdict::Kind::kRejected : Verdict::Kind::kRetry,
            .reason = message.error().message()};
  }
  if (const auto* mail = std::get_if<http::Mail>(&*message)) {
    return Mail(*mail, most_time);
  }
  return SendPost(composing.integration, std::get<Post>(*std::move(message)), most_time,
                  composing.now);
}

base::Result<void> CheckTemplates(const Integration& integration,
                                  const MessageTemplates& templates) {
  // Texts that do not parse fail whatever the notification.
  const Notification empty{.receiver = "check", .alerts = {Alert{.labels = {{"alertname", "X"}}}}};
  static const std::string kUrl = "http://localhost";
  Integration copy = integration;
  copy.http = {};
  const auto composed = Compose({.integration = copy,
                                 .notification = empty,
                                 .templates = templates,
                                 .external_url = kUrl,
                                 .now = {}});
  return composed.ok() || composed.error().kind() != base::ErrorKind::kInvalidArgument
             ? base::Result<void>()
             : composed.error();
}

}  // namespace notify
