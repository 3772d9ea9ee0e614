#include "agent/web/api_alertmanager.h"

#include <algorithm>
#include <ctime>
#include <optional>

#include <fmt/format.h>

#include "agent/notify/matcher_text.h"
#include "agent/notify/notifier.h"
#include "agent/web/api_response.h"
#include "lib/base/strings.h"
#include "lib/base/version.h"
#include "lib/yaml/yaml.h"

namespace web {
namespace {

using base::JsonWriter;
using notify::AlertState;
using yaml::Node;

constexpr size_t kMaxPostedAlerts = 10'000;

// An error is a JSON string, as Alertmanager answers.
http::Response AmError(int status, std::string_view why) {
  http::Response response{.status = status, .content_type = "application/json"};
  base::AppendJsonString(why, &response.body);
  response.body += "\n";
  return response;
}

http::Response AmError(const base::Error& error) {
  const bool missing = error.kind() == base::ErrorKind::kNotFound;
  const bool invalid = error.kind() == base::ErrorKind::kInvalidArgument;
  return AmError(missing ? 404 : invalid ? 400 : 500, error.message());
}

template <typename Write>
http::Response Json(Write write) {
  http::Response response{.content_type = "application/json"};
  JsonWriter json(&response.body);
  write(json);
  response.body += "\n";
  return response;
}

// --- Reading.

// "2026-11-20T10:00:00.123+01:00"; fractions beyond nanoseconds are cut.
std::optional<base::WallTime> ParseTime(const std::string& text) {
  std::tm tm{};
  const char* rest = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &tm);
  if (rest == nullptr) {
    return std::nullopt;
  }
  int64_t nanos = 0;
  if (*rest == '.') {
    int64_t unit = 100'000'000;
    for (++rest; *rest >= '0' && *rest <= '9'; ++rest, unit /= 10) {
      nanos += (*rest - '0') * unit;
    }
  }
  int64_t offset = 0;
  const std::string_view zone(rest);
  if (zone.size() == 6 && (zone[0] == '+' || zone[0] == '-') && zone[3] == ':') {
    const auto hours = base::ParseUint(zone.substr(1, 2));
    const auto minutes = base::ParseUint(zone.substr(4, 2));
    if (!hours || !minutes) {
      return std::nullopt;
    }
    offset = static_cast<int64_t>(*hours * 3600 + *minutes * 60) * (zone[0] == '-' ? -1 : 1);
  } else if (zone != "Z" && zone != "z") {
    return std::nullopt;
  }
  constexpr int kFirstYear = 1700;  // What fits 64 bits of nanoseconds; before it is "not set".
  constexpr int kLastYear = 2260;
  if (tm.tm_year + 1900 < kFirstYear) {
    return base::WallTime{};
  }
  if (tm.tm_year + 1900 > kLastYear) {
    return base::WallTime(std::chrono::hours(24 * 365 * 290));
  }
  return base::WallTime(std::chrono::seconds(timegm(&tm) - offset) +
                        std::chrono::nanoseconds(nanos));
}

const Node* Member(const Node& node, std::string_view name) {
  for (const auto& [key, value] : node.members) {
    if (key == name) {
      return value.is_null() ? nullptr : &value;
    }
  }
  return nullptr;
}

std::string Text(const Node& node, std::string_view name) {
  const Node* const member = Member(node, name);
  return member == nullptr ? std::string() : member->scalar;
}

// The epoch where it is absent.
base::Result<base::WallTime> TimeOf(const Node& node, std::string_view name) {
  const std::string text = Text(node, name);
  const auto time = text.empty() ? std::optional(base::WallTime{}) : ParseTime(text);
  return time ? base::Result<base::WallTime>(*time)
              : base::Error(fmt::format("{}: \"{}\" is no RFC 3339 time", name, text),
                            base::ErrorKind::kInvalidArgument);
}

model::Labels LabelsOf(const Node& node, std::string_view name) {
  model::LabelsBuilder builder;
  if (const Node* const member = Member(node, name)) {
    for (const auto& [key, value] : member->members) {
      builder.Set(key, value.scalar);
    }
  }
  return builder.Build();
}

base::Result<notify::Alert> ReadAlert(const Node& node, base::WallTime now,
                                      std::chrono::milliseconds resolve_timeout) {
  notify::Alert alert{.labels = LabelsOf(node, "labels"),
                      .annotations = LabelsOf(node, "annotations"),
                      .generator_url = Text(node, "generatorURL")};
  if (alert.labels.empty()) {
    return base::Error("at least one label pair required", base::ErrorKind::kInvalidArgument);
  }
  for (const model::Label label : alert.labels) {
    if (!base::IsValidUtf8(label.name) || !base::IsValidUtf8(label.value)) {
      return base::Error("a label is not valid UTF-8", base::ErrorKind::kInvalidArgument);
    }
  }
  ASSIGN_OR_RETURN(alert.starts_at, TimeOf(node, "startsAt"));
  ASSIGN_OR_RETURN(alert.ends_at, TimeOf(node, "endsAt"));
  const base::WallTime unset{};
  if (alert.starts_at == unset) {
    alert.starts_at = alert.ends_at == unset ? now : alert.ends_at;
  }
  if (alert.ends_at == unset) {
    alert.ends_at = now + resolve_timeout;
  }
  if (alert.ends_at < alert.starts_at) {
    return base::Error("start time must be before end time", base::ErrorKind::kInvalidArgument);
  }
  alert.resolved = alert.ends_at <= now;
  return alert;
}

base::Result<notify::Matchers> Filters(const http::Request& request) {
  notify::Matchers matchers;
  for (const std::string& text : request.QueryAll("filter")) {
    ASSIGN_OR_RETURN(const notify::Matchers some, notify::ParseMatchers(text));
    matchers.insert(matchers.end(), some.begin(), some.end());
  }
  return matchers;
}

// Which alerts a request wants to see.
struct Wanted {
  notify::Matchers matchers;
  std::optional<model::Matcher> receiver;
  bool active = true, silenced = true, inhibited = true, unprocessed = true;

  bool Has(const AlertState& state) const {
    const bool suppressed_state = !state.silenced_by.empty() || !state.inhibited_by.empty();
    return notify::MatchesAll(matchers, state.alert.labels) &&
           (silenced || state.silenced_by.empty()) && (inhibited || state.inhibited_by.empty()) &&
           (active || suppressed_state) &&
           (!receiver ||
            std::any_of(state.receivers.begin(), state.receivers.end(),
                        [this](const std::string& name) { return receiver->Matches(name); }));
  }
};

base::Result<Wanted> ReadWanted(const http::Request& request) {
  Wanted wanted;
  ASSIGN_OR_RETURN(wanted.matchers, Filters(request));
  for (const auto& [name, target] :
       {std::pair("active", &wanted.active), std::pair("silenced", &wanted.silenced),
        std::pair("inhibited", &wanted.inhibited), std::pair("unprocessed", &wanted.unprocessed)}) {
    if (const auto text = request.Query(name)) {
      *target = base::ParseBool(*text).value_or(true);
    }
  }
  if (const auto receiver = request.Query("receiver"); receiver && !receiver->empty()) {
    ASSIGN_OR_RETURN(wanted.receiver, model::Matcher::Make(model::MatchType::kRegex, "receiver",
                                                           std::string(*receiver)));
  }
  return wanted;
}

// --- Writing.

void WriteAlert(const AlertState& state, JsonWriter& json) {
  const bool suppressed = !state.silenced_by.empty() || !state.inhibited_by.empty() || state.muted;
  json.BeginObject();
  json.Key("annotations");
  WriteLabels(state.alert.annotations, json);
  json.Member("endsAt", FormatApiTime(state.alert.ends_at));
  json.Member("fingerprint", fmt::format("{:016x}", state.alert.labels.Fingerprint()));
  json.Key("receivers");
  json.BeginArray();
  for (const std::string& name : state.receivers) {
    json.BeginObject();
    json.Member("name", name);
    json.EndObject();
  }
  json.EndArray();
  json.Member("startsAt", FormatApiTime(state.alert.starts_at));
  json.Key("status");
  json.BeginObject();
  json.Key("inhibitedBy");
  WriteStrings(state.inhibited_by, json);
  json.Key("mutedBy");
  WriteStrings({}, json);
  json.Key("silencedBy");
  WriteStrings(state.silenced_by, json);
  json.Member("state", suppressed ? "suppressed" : "active");
  json.EndObject();
  json.Member("updatedAt", FormatApiTime(state.updated_at));
  json.Member("generatorURL", state.alert.generator_url);
  json.Key("labels");
  WriteLabels(state.alert.labels, json);
  json.EndObject();
}

void WriteSilence(const notify::Silence& silence, base::WallTime now, JsonWriter& json) {
  json.BeginObject();
  json.Member("id", silence.id);
  json.Key("status");
  json.BeginObject();
  json.Member("state", notify::SilenceStateName(silence.StateAt(now)));
  json.EndObject();
  json.Member("updatedAt", FormatApiTime(silence.updated_at));
  json.Member("comment", silence.comment);
  json.Member("createdBy", silence.created_by);
  json.Member("endsAt", FormatApiTime(silence.ends_at));
  json.Key("matchers");
  json.BeginArray();
  for (const model::Matcher& matcher : silence.matchers) {
    using model::MatchType;
    const MatchType type = matcher.type();
    json.BeginObject();
    json.Member("isEqual", type == MatchType::kEqual || type == MatchType::kRegex);
    json.Member("isRegex", type == MatchType::kRegex || type == MatchType::kNotRegex);
    json.Member("name", matcher.name());
    json.Member("value", matcher.value());
    json.EndObject();
  }
  json.EndArray();
  json.Member("startsAt", FormatApiTime(silence.starts_at));
  json.EndObject();
}

bool IsTrue(const Node& node, std::string_view name, bool fallback) {
  const Node* const member = Member(node, name);
  return member == nullptr ? fallback : member->scalar == "true";
}

base::Result<notify::Silence> ReadSilence(const Node& node) {
  notify::Silence silence;
  silence.id = Text(node, "id");
  silence.comment = Text(node, "comment");
  silence.created_by = Text(node, "createdBy");
  ASSIGN_OR_RETURN(silence.starts_at, TimeOf(node, "startsAt"));
  ASSIGN_OR_RETURN(silence.ends_at, TimeOf(node, "endsAt"));
  const Node* const matchers = Member(node, "matchers");
  if (matchers != nullptr) {
    for (const Node& item : matchers->items) {
      const bool regex = IsTrue(item, "isRegex", false);
      const bool equal = IsTrue(item, "isEqual", true);
      using model::MatchType;
      const MatchType type = regex ? (equal ? MatchType::kRegex : MatchType::kNotRegex)
                                   : (equal ? MatchType::kEqual : MatchType::kNotEqual);
      ASSIGN_OR_RETURN(model::Matcher matcher,
                       model::Matcher::Make(type, Text(item, "name"), Text(item, "value")));
      if (matcher.name().empty()) {
        return base::Error("a matcher has no name", base::ErrorKind::kInvalidArgument);
      }
      silence.matchers.push_back(std::move(matcher));
    }
  }
  return silence;
}

void WriteLetter(const notify::Letter& letter, JsonWriter& json) {
  const notify::Notification& notification = *letter.notification;
  const bool dead = letter.died_at != base::WallTime{};
  json.BeginObject();
  json.Member("key", notification.key);
  json.Member("state", dead ? "dead" : "waiting");
  json.Member("integration", notification.integration);
  json.Member("receiver", notification.receiver);
  json.Member("groupKey", notification.group_key);
  json.Member("status", notification.resolved() ? "resolved" : "firing");
  json.Member("alerts", static_cast<int64_t>(notification.alerts.size()));
  json.Member("createdAt", FormatApiTime(notification.created));
  json.Member("attempts", static_cast<int64_t>(letter.attempts));
  json.Member("lastError", letter.reason);
  if (dead) {
    json.Member("diedAt", FormatApiTime(letter.died_at));
  }
  json.EndObject();
}

http::Response NoNotifier() { return AmError(503, "not ready yet"); }

http::Response Done(const base::Result<void>& done) {
  return done.ok() ? http::Response{.content_type = "application/json"} : AmError(done.error());
}

}  // namespace

http::Response AmStatus(const Views& views, const http::Request& /*request*/,
                        const http::PathParameters& /*path*/) {
  const auto notifier = views.notifier();
  if (notifier == nullptr) {
    return NoNotifier();
  }
  return Json([&](JsonWriter& json) {
    json.BeginObject();
    json.Key("cluster");
    json.BeginObject();
    json.Key("peers");
    WriteStrings({}, json);
    json.Member("status", "disabled");
    json.EndObject();
    json.Key("config");
    json.BeginObject();
    json.Member("original", notifier->routing()->original);
    json.EndObject();
    json.Member("uptime", FormatApiTime(views.started_at));
    json.Key("versionInfo");
    json.BeginObject();
    for (const char* name : {"branch", "buildDate", "buildUser", "goVersion", "revision"}) {
      json.Member(name, "");
    }
    json.Member("version", std::string(base::Version()));
    json.EndObject();
    json.EndObject();
  });
}

http::Response AmReceivers(const Views& views, const http::Request& /*request*/,
                           const http::PathParameters& /*path*/) {
  const auto notifier = views.notifier();
  if (notifier == nullptr) {
    return NoNotifier();
  }
  const auto routing = notifier->routing();
  return Json([&](JsonWriter& json) {
    json.BeginArray();
    for (const notify::Receiver& receiver : routing->receivers) {
      json.BeginObject();
      json.Member("name", receiver.name);
      json.EndObject();
    }
    json.EndArray();
  });
}

http::Response AmAlerts(const Views& views, const http::Request& request,
                        const http::PathParameters& /*path*/) {
  const auto wanted = ReadWanted(request);
  const auto notifier = views.notifier();
  if (!wanted.ok() || notifier == nullptr) {
    return wanted.ok() ? NoNotifier() : AmError(400, wanted.error().message());
  }
  std::vector<AlertState> alerts = notifier->Alerts();
  std::sort(alerts.begin(), alerts.end(), [](const AlertState& a, const AlertState& b) {
    return a.alert.labels.Fingerprint() < b.alert.labels.Fingerprint();
  });
  return Json([&](JsonWriter& json) {
    json.BeginArray();
    for (const AlertState& alert : alerts) {
      if (wanted->Has(alert)) {
        WriteAlert(alert, json);
      }
    }
    json.EndArray();
  });
}

// The valid alerts are taken even when others are not.
http::Response AmPostAlerts(const Views& views, const http::Request& request,
                            const http::PathParameters& /*path*/) {
  const auto notifier = views.notifier();
  if (notifier == nullptr) {
    return NoNotifier();
  }
  const auto root = yaml::Parse(request.body, "body");  // JSON is YAML.
  if (!root.ok() || root->kind != Node::Kind::kSequence) {
    return AmError(400, root.ok() ? "a JSON array of alerts is expected" : root.error().message());
  }
  if (root->items.size() > kMaxPostedAlerts) {
    return AmError(400, fmt::format("more than {} alerts in one request", kMaxPostedAlerts));
  }
  std::vector<notify::Alert> alerts;
  std::vector<std::string> problems;
  for (const Node& item : root->items) {
    auto alert = ReadAlert(item, views.clock->Now(), notifier->routing()->resolve_timeout);
    if (alert.ok()) {
      alerts.push_back(*std::move(alert));
    } else {
      problems.push_back(alert.error().message());
    }
  }
  if (const auto received = notifier->Receive(std::move(alerts)); !received.ok()) {
    return AmError(500, received.error().message());
  }
  return problems.empty() ? http::Response{.content_type = "application/json"}
                          : AmError(400, base::Join(problems, "; "));
}

http::Response AmGroups(const Views& views, const http::Request& request,
                        const http::PathParameters& /*path*/) {
  const auto wanted = ReadWanted(request);
  const auto notifier = views.notifier();
  if (!wanted.ok() || notifier == nullptr) {
    return wanted.ok() ? NoNotifier() : AmError(400, wanted.error().message());
  }
  return Json([&](JsonWriter& json) {
    json.BeginArray();
    for (const notify::GroupState& group : notifier->Groups()) {
      if (std::none_of(group.alerts.begin(), group.alerts.end(),
                       [&](const AlertState& alert) { return wanted->Has(alert); })) {
        continue;
      }
      json.BeginObject();
      json.Key("alerts");
      json.BeginArray();
      for (const AlertState& alert : group.alerts) {
        if (wanted->Has(alert)) {
          WriteAlert(alert, json);
        }
      }
      json.EndArray();
      json.Key("labels");
      WriteLabels(group.labels, json);
      json.Key("receiver");
      json.BeginObject();
      json.Member("name", group.receiver);
      json.EndObject();
      json.EndObject();
    }
    json.EndArray();
  });
}

http::Response AmSilences(const Views& views, const http::Request& request,
                          const http::PathParameters& /*path*/) {
  const auto filters = Filters(request);
  const auto notifier = views.notifier();
  if (!filters.ok() || notifier == nullptr) {
    return filters.ok() ? NoNotifier() : AmError(400, filters.error().message());
  }
  const base::WallTime now = views.clock->Now();
  return Json([&](JsonWriter& json) {
    json.BeginArray();
    for (const notify::Silence& silence : notifier->Silences()) {
      model::LabelsBuilder labels;
      for (const model::Matcher& matcher : silence.matchers) {
        labels.Set(matcher.name(), matcher.value());
      }
      if (notify::MatchesAll(*filters, labels.Build())) {
        WriteSilence(silence, now, json);
      }
    }
    json.EndArray();
  });
}

http::Response AmPostSilence(const Views& views, const http::Request& request,
                             const http::PathParameters& /*path*/) {
  const auto notifier = views.notifier();
  if (notifier == nullptr) {
    return NoNotifier();
  }
  const auto root = yaml::Parse(request.body, "body");
  auto silence = root.ok() ? ReadSilence(*root) : base::Result<notify::Silence>(root.error());
  if (!silence.ok()) {
    return AmError(400, silence.error().message());
  }
  const auto set = notifier->SetSilence(*std::move(silence));
  if (!set.ok()) {
    return AmError(set.error());
  }
  return Json([&](JsonWriter& json) {
    json.BeginObject();
    json.Member("silenceID", set->id);
    json.EndObject();
  });
}

http::Response AmSilence(const Views& views, const http::Request& /*request*/,
                         const http::PathParameters& path) {
  const auto notifier = views.notifier();
  if (notifier == nullptr) {
    return NoNotifier();
  }
  for (const notify::Silence& silence : notifier->Silences()) {
    if (silence.id == path.Get("id")) {
      return Json([&](JsonWriter& json) { WriteSilence(silence, views.clock->Now(), json); });
    }
  }
  return AmError(404, "silence not found");
}

http::Response AmDeleteSilence(const Views& views, const http::Request& /*request*/,
                               const http::PathParameters& path) {
  const auto notifier = views.notifier();
  return notifier == nullptr ? NoNotifier()
                             : Done(notifier->ExpireSilence(std::string(path.Get("id"))));
}

http::Response Notifications(const Views& views, const http::Request& request,
                             const http::PathParameters& /*path*/) {
  const auto notifier = views.notifier();
  if (notifier == nullptr) {
    return NoNotifier();
  }
  const std::string_view state = request.Query("state").value_or("");
  return ApiSuccess([&](JsonWriter& json) {
    json.BeginArray();
    for (const notify::Letter& letter :
         state == "dead" ? std::vector<notify::Letter>() : notifier->Waiting()) {
      WriteLetter(letter, json);
    }
    for (const notify::Letter& letter :
         state == "waiting" ? std::vector<notify::Letter>() : notifier->DeadLetters()) {
      WriteLetter(letter, json);
    }
    json.EndArray();
  });
}

http::Response RetryNotification(const Views& views, const http::Request& /*request*/,
                                 const http::PathParameters& path) {
  const auto notifier = views.notifier();
  return notifier == nullptr ? NoNotifier()
                             : Done(notifier->RetryLetter(std::string(path.Get("key"))));
}

http::Response DiscardNotification(const Views& views, const http::Request& /*request*/,
                                   const http::PathParameters& path) {
  const auto notifier = views.notifier();
  return notifier == nullptr ? NoNotifier()
                             : Done(notifier->DiscardLetter(std::string(path.Get("key"))));
}

}  // namespace web
