#include "agent/config/alertmanager_config.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "agent/config/http_fields.h"
#include "lib/base/file.h"
#include "lib/base/strings.h"
#include "lib/base/url.h"
#include "lib/yaml/write.h"

namespace config {

// http_config as it is written, before it becomes a notify::HttpConfig.
struct HttpStage {
  scrape::Auth auth;
  http::ClientOptions http;
};

// Found by the rows of kHttpFields.
static scrape::Auth& AuthOf(HttpStage& stage) { return stage.auth; }
static http::ClientOptions& HttpOf(HttpStage& stage) { return stage.http; }

namespace {

using notify::EmailConfig;
using notify::HttpConfig;
using notify::InhibitRule;
using notify::Integration;
using notify::Matchers;
using notify::PagerdutyConfig;
using notify::Receiver;
using notify::Route;
using notify::Routing;
using notify::SecretSource;
using notify::SlackConfig;
using notify::TimeInterval;
using notify::WebhookConfig;
using std::chrono::milliseconds;
using yaml::Into;
using yaml::IntoPath;
using yaml::Node;
using yaml::Reader;

constexpr std::string_view kSecretKeys[] = {
    "password",  "credentials",   "bearer_token",   "client_secret",      "api_url",
    "app_token", "slack_api_url", "routing_key",    "smtp_auth_password", "auth_password",
    "url",       "secret",        "slack_app_token"};

// --- http_config

base::Result<void> ReadHttp(const Reader& reader, const Node& node, HttpConfig& config) {
  HttpStage stage;
  stage.http.follow_redirects = true;
  RETURN_IF_ERROR(reader.ReadMap<HttpStage>(node, kHttpFields<HttpStage>, &stage));
  auto made = MakeHttpConfig(stage.auth, stage.http);
  if (!made.ok()) {
    return reader.ErrorAt(node, made.error());
  }
  config = *std::move(made);
  return {};
}

// --- global

struct Global {
  milliseconds resolve_timeout{5 * 60'000};
  HttpConfig http;
  EmailConfig email;
  SecretSource slack_api_url;
  SecretSource slack_token;
  std::string slack_app_url = "https://slack.com/api/chat.postMessage";
  std::string pagerduty_url = PagerdutyConfig().url;
};

base::Result<void> ReadEmailTls(const Reader& reader, const Node& node, EmailConfig& email) {
  return ReadTls(reader, node, email.tls);
}

constexpr yaml::Field<Global> kGlobalFields[] = {
    {"resolve_timeout", Into<&Global::resolve_timeout>},
    {"http_config", [](const Reader& reader, const Node& node,
                       Global& global) { return ReadHttp(reader, node, global.http); }},
    {"smtp_from", Into<&Global::email, &EmailConfig::from>},
    {"smtp_hello", Into<&Global::email, &EmailConfig::hello>},
    {"smtp_smarthost", Into<&Global::email, &EmailConfig::smarthost>},
    {"smtp_auth_username", Into<&Global::email, &EmailConfig::auth_username>},
    {"smtp_auth_password", Into<&Global::email, &EmailConfig::auth_password, &SecretSource::text>},
    {"smtp_auth_password_file",
     IntoPath<&Global::email, &EmailConfig::auth_password, &SecretSource::file>},
    {"smtp_auth_identity", Into<&Global::email, &EmailConfig::auth_identity>},
    {"smtp_require_tls", Into<&Global::email, &EmailConfig::require_tls>},
    {"smtp_tls_config", [](const Reader& reader, const Node& node,
                           Global& global) { return ReadEmailTls(reader, node, global.email); }},
    {"slack_api_url", Into<&Global::slack_api_url, &SecretSource::text>},
    {"slack_api_url_file", IntoPath<&Global::slack_api_url, &SecretSource::file>},
    {"slack_app_token", Into<&Global::slack_token, &SecretSource::text>},
    {"slack_app_token_file", IntoPath<&Global::slack_token, &SecretSource::file>},
    {"slack_app_url", Into<&Global::slack_app_url>},
    {"pagerduty_url", Into<&Global::pagerduty_url>},
    {"smtp_auth_secret"},
    {"smtp_auth_secret_file"},
    {"smtp_force_implicit_tls"},
    {"jira_api_url"},
    {"mattermost_webhook_url"},
    {"mattermost_webhook_url_file"},
    {"opsgenie_api_url"},
    {"opsgenie_api_key"},
    {"opsgenie_api_key_file"},
    {"rocketchat_api_url"},
    {"rocketchat_token"},
    {"rocketchat_token_file"},
    {"rocketchat_token_id"},
    {"rocketchat_token_id_file"},
    {"telegram_api_url"},
    {"telegram_bot_token"},
    {"telegram_bot_token_file"},
    {"victorops_api_url"},
    {"victorops_api_key"},
    {"victorops_api_key_file"},
    {"webex_api_url"},
    {"wechat_api_url"},
    {"wechat_api_secret"},
    {"wechat_api_secret_file"},
    {"wechat_api_corp_id"},
};

// --- matchers

base::Result<void> AddMatcher(const Reader& reader, const Node& node, model::MatchType type,
                              const std::string& name, Matchers& matchers) {
  std::string value;
  if (!node.is_null()) {
    RETURN_IF_ERROR(reader.Read(node, value));
  }
  auto matcher = model::Matcher::Make(type, name, std::move(value));
  if (!matcher.ok()) {
    return reader.ErrorAt(node, matcher.error());
  }
  matchers.push_back(*std::move(matcher));
  return {};
}

template <model::MatchType kType>
base::Result<void> ReadMatchMap(const Reader& reader, const Node& node, Matchers& matchers) {
  RETURN_IF_ERROR(reader.Expect(node, Node::Kind::kMap));
  for (const auto& [name, value] : node.members) {
    if (!model::IsLegacyLabelName(name)) {
      return reader.ErrorAt(value, fmt::format("invalid label name \"{}\"", name));
    }
    RETURN_IF_ERROR(AddMatcher(reader, value, kType, name, matchers));
  }
  return {};
}

base::Result<void> ReadMatchers(const Reader& reader, const Node& node, Matchers& matchers) {
  std::vector<std::string> lines;
  RETURN_IF_ERROR(reader.Read(node, lines));
  for (size_t i = 0; i < lines.size(); ++i) {
    auto parsed = notify::ParseMatchers(lines[i]);
    if (!parsed.ok()) {
      return reader.ErrorAt(i < node.items.size() ? node.items[i] : node, parsed.error());
    }
    matchers.insert(matchers.end(), parsed->begin(), parsed->end());
  }
  return {};
}

// --- route

struct RouteStage {
  Route route;
  bool has_group_by = false;
  std::optional<milliseconds> group_wait, group_interval, repeat_interval;
  std::vector<RouteStage> routes;
  int line = 0;
  int depth = 0;
};

base::Result<void> ReadGroupBy(const Reader& reader, const Node& node, RouteStage& stage) {
  Route& route = stage.route;
  RETURN_IF_ERROR(reader.Read(node, route.group_by));
  stage.has_group_by = true;
  std::sort(route.group_by.begin(), route.group_by.end());
  if (std::adjacent_find(route.group_by.begin(), route.group_by.end()) != route.group_by.end()) {
    return reader.ErrorAt(node, "a label is named twice in group_by");
  }
  route.group_by_all = std::erase(route.group_by, "...") > 0;
  if (route.group_by_all && !route.group_by.empty()) {
    return reader.ErrorAt(node, "group_by: ['...'] stands alone, without other labels");
  }
  return {};
}

template <auto kMember, bool kPositive>
base::Result<void> ReadWait(const Reader& reader, const Node& node, RouteStage& stage) {
  milliseconds value{0};
  RETURN_IF_ERROR(reader.Read(node, value));
  if (kPositive && value.count() == 0) {
    return reader.ErrorAt(node, "must be longer than 0");
  }
  stage.*kMember = value;
  return {};
}

base::Result<void> ReadRoute(const Reader& reader, const Node& node, RouteStage& stage);

base::Result<void> ReadRoutes(const Reader& reader, const Node& node, RouteStage& stage) {
  return reader.ReadList(node, &stage.routes,
                         [depth = stage.depth](const Reader& r, const Node& item,
                                               RouteStage& child) -> base::Result<void> {
                           child.depth = depth + 1;
                           if (child.depth > notify::kMaxRouteDepth) {
                             return r.ErrorAt(item, fmt::format("routes nest more than {} deep",
                                                                notify::kMaxRouteDepth));
                           }
                           return ReadRoute(r, item, child);
                         });
}

constexpr yaml::Field<RouteStage> kRouteFields[] = {
    {"receiver", Into<&RouteStage::route, &Route::receiver>},
    {"group_by", ReadGroupBy},
    {"group_wait", ReadWait<&RouteStage::group_wait, false>},
    {"group_interval", ReadWait<&RouteStage::group_interval, true>},
    {"repeat_interval", ReadWait<&RouteStage::repeat_interval, true>},
    {"match",
     [](const Reader& reader, const Node& node, RouteStage& stage) {
       return ReadMatchMap<model::MatchType::kEqual>(reader, node, stage.route.matchers);
     }},
    {"match_re",
     [](const Reader& reader, const Node& node, RouteStage& stage) {
       return ReadMatchMap<model::MatchType::kRegex>(reader, node, stage.route.matchers);
     }},
    {"matchers",
     [](const Reader& reader, const Node& node, RouteStage& stage) {
       return ReadMatchers(reader, node, stage.route.matchers);
     }},
    {"continue", Into<&RouteStage::route, &Route::continue_matching>},
    {"mute_time_intervals", Into<&RouteStage::route, &Route::mute_time_intervals>},
    {"active_time_intervals", Into<&RouteStage::route, &Route::active_time_intervals>},
    {"routes", ReadRoutes},
};

base::Result<void> ReadRoute(const Reader& reader, const Node& node, RouteStage& stage) {
  stage.line = node.line;
  RETURN_IF_ERROR(reader.ReadMap<RouteStage>(node, kRouteFields, &stage));
  notify::SortMatchers(&stage.route.matchers);
  return {};
}

// What a route does not say, its parent says.
Route Inherit(RouteStage stage, const Route& parent) {
  Route route = std::move(stage.route);
  if (route.receiver.empty()) {
    route.receiver = parent.receiver;
  }
  if (!stage.has_group_by) {
    route.group_by = parent.group_by;
    route.group_by_all = parent.group_by_all;
  }
  route.group_wait = stage.group_wait.value_or(parent.group_wait);
  route.group_interval = stage.group_interval.value_or(parent.group_interval);
  route.repeat_interval = stage.repeat_interval.value_or(parent.repeat_interval);
  for (RouteStage& child : stage.routes) {
    route.routes.push_back(Inherit(std::move(child), route));
  }
  return route;
}

// --- inhibition

constexpr yaml::Field<InhibitRule> kInhibitFields[] = {
    {"name", [](const Reader& reader, const Node& node,
                InhibitRule& /*rule*/) { return reader.Expect(node, Node::Kind::kScalar); }},
    {"source_match",
     [](const Reader& reader, const Node& node, InhibitRule& rule) {
       return ReadMatchMap<model::MatchType::kEqual>(reader, node, rule.source_matchers);
     }},
    {"source_match_re",
     [](const Reader& reader, const Node& node, InhibitRule& rule) {
       return ReadMatchMap<model::MatchType::kRegex>(reader, node, rule.source_matchers);
     }},
    {"source_matchers",
     [](const Reader& reader, const Node& node, InhibitRule& rule) {
       return ReadMatchers(reader, node, rule.source_matchers);
     }},
    {"target_match",
     [](const Reader& reader, const Node& node, InhibitRule& rule) {
       return ReadMatchMap<model::MatchType::kEqual>(reader, node, rule.target_matchers);
     }},
    {"target_match_re",
     [](const Reader& reader, const Node& node, InhibitRule& rule) {
       return ReadMatchMap<model::MatchType::kRegex>(reader, node, rule.target_matchers);
     }},
    {"target_matchers",
     [](const Reader& reader, const Node& node, InhibitRule& rule) {
       return ReadMatchers(reader, node, rule.target_matchers);
     }},
    {"equal", Into<&InhibitRule::equal>},
    {"sources"},
};

// --- time intervals

using RangeParser = base::Result<TimeInterval::Range>(std::string_view text);

template <auto kMember, RangeParser* kParse>
base::Result<void> ReadRanges(const Reader& reader, const Node& node, TimeInterval& interval) {
  std::vector<std::string> texts;
  RETURN_IF_ERROR(reader.Read(node, texts));
  for (const std::string& text : texts) {
    const auto range = kParse(text);
    if (!range.ok()) {
      return reader.ErrorAt(node, range.error());
    }
    (interval.*kMember).push_back(*range);
  }
  return {};
}

struct TimesStage {
  std::string start, end;
};
constexpr yaml::Field<TimesStage> kTimesFields[] = {{"start_time", Into<&TimesStage::start>},
                                                    {"end_time", Into<&TimesStage::end>}};

base::Result<void> ReadTimes(const Reader& reader, const Node& node, TimeInterval& interval) {
  return reader.ReadList(
      node, &interval.minutes,
      [](const Reader& r, const Node& item, TimeInterval::Range& range) -> base::Result<void> {
        TimesStage stage;
        RETURN_IF_ERROR(r.ReadMap<TimesStage>(item, kTimesFields, &stage));
        const auto minutes = notify::ParseMinutes(stage.start, stage.end);
        if (!minutes.ok()) {
          return r.ErrorAt(item, minutes.error());
        }
        range = *minutes;
        return {};
      });
}

base::Result<void> ReadLocation(const Reader& reader, const Node& node, TimeInterval& interval) {
  std::string name;
  RETURN_IF_ERROR(reader.Read(node, name));
  auto zone = notify::TimeZone::Load(name);
  if (!zone.ok()) {
    return reader.ErrorAt(node, zone.error());
  }
  interval.zone = *std::move(zone);
  return {};
}

constexpr yaml::Field<TimeInterval> kIntervalFields[] = {
    {"times", ReadTimes},
    {"weekdays", ReadRanges<&TimeInterval::weekdays, notify::ParseWeekdays>},
    {"days_of_month", ReadRanges<&TimeInterval::days_of_month, notify::ParseDaysOfMonth>},
    {"months", ReadRanges<&TimeInterval::months, notify::ParseMonths>},
    {"years", ReadRanges<&TimeInterval::years, notify::ParseYears>},
    {"location", ReadLocation},
};

struct NamedInterval {
  std::string name;
  std::vector<TimeInterval> intervals;
};
constexpr yaml::Field<NamedInterval> kNamedIntervalFields[] = {
    {"name", Into<&NamedInterval::name>},
    {"time_intervals",
     [](const Reader& reader, const Node& node, NamedInterval& named) {
       return reader.ReadList(node, &named.intervals,
                              [](const Reader& r, const Node& item, TimeInterval& interval) {
                                return r.ReadMap<TimeInterval>(item, kIntervalFields, &interval);
                              });
     }},
};

// --- receivers

// What every *_configs entry has.
template <typename T>
struct Stage {
  T config;
  bool send_resolved = true;
  HttpConfig http;
};

template <typename T>
constexpr yaml::Field<Stage<T>> kSendResolved = {"send_resolved", Into<&Stage<T>::send_resolved>};
template <typename T>
constexpr yaml::Field<Stage<T>> kHttpConfig = {
    "http_config", [](const Reader& reader, const Node& node, Stage<T>& stage) {
      return ReadHttp(reader, node, stage.http);
    }};

template <typename T, auto... kPath>
base::Result<void> Of(const Reader& reader, const Node& node, Stage<T>& stage) {
  return reader.Read(node, (stage.config.*....*kPath));
}
template <typename T, auto... kPath>
base::Result<void> PathOf(const Reader& reader, const Node& node, Stage<T>& stage) {
  return IntoPath<kPath...>(reader, node, stage.config);
}

constexpr yaml::Field<Stage<WebhookConfig>> kWebhookFields[] = {
    kSendResolved<WebhookConfig>,
    kHttpConfig<WebhookConfig>,
    {"url", Of<WebhookConfig, &WebhookConfig::url, &SecretSource::text>},
    {"url_file", PathOf<WebhookConfig, &WebhookConfig::url, &SecretSource::file>},
    {"max_alerts", Of<WebhookConfig, &WebhookConfig::max_alerts>},
    {"timeout", Of<WebhookConfig, &WebhookConfig::timeout>},
    {"payload"},
};

constexpr yaml::Field<notify::SlackField> kSlackFieldFields[] = {
    {"title", Into<&notify::SlackField::title>},
    {"value", Into<&notify::SlackField::value>},
    {"short", Into<&notify::SlackField::is_short>},
};
constexpr yaml::Field<notify::SlackAction> kSlackActionFields[] = {
    {"type", Into<&notify::SlackAction::type>},
    {"text", Into<&notify::SlackAction::text>},
    {"url", Into<&notify::SlackAction::url>},
    {"style", Into<&notify::SlackAction::style>},
    {"name", Into<&notify::SlackAction::name>},
    {"value", Into<&notify::SlackAction::value>},
    {"confirm"},
};

constexpr yaml::Field<Stage<SlackConfig>> kSlackFields[] = {
    kSendResolved<SlackConfig>,
    kHttpConfig<SlackConfig>,
    {"api_url", Of<SlackConfig, &SlackConfig::api_url, &SecretSource::text>},
    {"api_url_file", PathOf<SlackConfig, &SlackConfig::api_url, &SecretSource::file>},
    {"app_token", Of<SlackConfig, &SlackConfig::token, &SecretSource::text>},
    {"app_token_file", PathOf<SlackConfig, &SlackConfig::token, &SecretSource::file>},
    {"app_url", Of<SlackConfig, &SlackConfig::api_url, &SecretSource::text>},
    {"channel", Of<SlackConfig, &SlackConfig::channel>},
    {"username", Of<SlackConfig, &SlackConfig::username>},
    {"color", Of<SlackConfig, &SlackConfig::color>},
    {"title", Of<SlackConfig, &SlackConfig::title>},
    {"title_link", Of<SlackConfig, &SlackConfig::title_link>},
    {"pretext", Of<SlackConfig, &SlackConfig::pretext>},
    {"text", Of<SlackConfig, &SlackConfig::text>},
    {"fallback", Of<SlackConfig, &SlackConfig::fallback>},
    {"callback_id", Of<SlackConfig, &SlackConfig::callback_id>},
    {"icon_emoji", Of<SlackConfig, &SlackConfig::icon_emoji>},
    {"icon_url", Of<SlackConfig, &SlackConfig::icon_url>},
    {"image_url", Of<SlackConfig, &SlackConfig::image_url>},
    {"thumb_url", Of<SlackConfig, &SlackConfig::thumb_url>},
    {"footer", Of<SlackConfig, &SlackConfig::footer>},
    {"short_fields", Of<SlackConfig, &SlackConfig::short_fields>},
    {"link_names", Of<SlackConfig, &SlackConfig::link_names>},
    {"mrkdwn_in", Of<SlackConfig, &SlackConfig::mrkdwn_in>},
    {"timeout", Of<SlackConfig, &SlackConfig::timeout>},
    {"fields",
     [](const Reader& reader, const Node& node, Stage<SlackConfig>& stage) {
       return reader.ReadList(
           node, &stage.config.fields,
           [](const Reader& r, const Node& item, notify::SlackField& field) -> base::Result<void> {
             RETURN_IF_ERROR(r.ReadMap<notify::SlackField>(item, kSlackFieldFields, &field));
             return field.title.empty() || field.value.empty()
                        ? base::Result<void>(r.ErrorAt(item, "a field needs title and value"))
                        : base::Result<void>();
           });
     }},
    {"actions",
     [](const Reader& reader, const Node& node, Stage<SlackConfig>& stage) {
       return reader.ReadList(
           node, &stage.config.actions,
           [](const Reader& r, const Node& item,
              notify::SlackAction& action) -> base::Result<void> {
             RETURN_IF_ERROR(r.ReadMap<notify::SlackAction>(item, kSlackActionFields, &action));
             if (action.type.empty() || action.text.empty() ||
                 (action.url.empty() && action.name.empty())) {
               return r.ErrorAt(item, "an action needs type, text and url or name");
             }
             return {};
           });
     }},
    {"update_message"},
};

// "x-my header" → "X-My Header".
std::string CanonicalHeader(std::string name) {
  bool start = true;
  for (char& c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    c = start && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    start = !letter && (c < '0' || c > '9') && c != '_' && c != '\'';
  }
  return name;
}

base::Result<void> ReadHeaders(const Reader& reader, const Node& node, Stage<EmailConfig>& stage) {
  RETURN_IF_ERROR(reader.Expect(node, Node::Kind::kMap));
  for (const auto& [name, value] : node.members) {
    std::string text;
    if (!value.is_null()) {
      RETURN_IF_ERROR(reader.Read(value, text));
    }
    if (name.empty() || name.find_first_of(": \r\n") != std::string::npos) {
      return reader.ErrorAt(value, fmt::format("\"{}\" is no name of a header", name));
    }
    if (!stage.config.headers.emplace(CanonicalHeader(name), std::move(text)).second) {
      return reader.ErrorAt(value, fmt::format("header {} is given twice", CanonicalHeader(name)));
    }
  }
  return {};
}

constexpr yaml::Field<EmailConfig> kThreadingFields[] = {
    {"enabled", Into<&EmailConfig::threading>},
    {"thread_by_date"},
};

constexpr yaml::Field<Stage<EmailConfig>> kEmailFields[] = {
    kSendResolved<EmailConfig>,
    {"to", Of<EmailConfig, &EmailConfig::to>},
    {"from", Of<EmailConfig, &EmailConfig::from>},
    {"hello", Of<EmailConfig, &EmailConfig::hello>},
    {"smarthost", Of<EmailConfig, &EmailConfig::smarthost>},
    {"auth_username", Of<EmailConfig, &EmailConfig::auth_username>},
    {"auth_password", Of<EmailConfig, &EmailConfig::auth_password, &SecretSource::text>},
    {"auth_password_file", PathOf<EmailConfig, &EmailConfig::auth_password, &SecretSource::file>},
    {"auth_identity", Of<EmailConfig, &EmailConfig::auth_identity>},
    {"require_tls", Of<EmailConfig, &EmailConfig::require_tls>},
    {"tls_config",
     [](const Reader& reader, const Node& node, Stage<EmailConfig>& stage) {
       return ReadEmailTls(reader, node, stage.config);
     }},
    {"html", Of<EmailConfig, &EmailConfig::html>},
    {"text", Of<EmailConfig, &EmailConfig::text>},
    {"headers", ReadHeaders},
    {"threading",
     [](const Reader& reader, const Node& node, Stage<EmailConfig>& stage) {
       return reader.ReadMap<EmailConfig>(node, kThreadingFields, &stage.config);
     }},
    {"auth_secret"},
    {"auth_secret_file"},
    {"force_implicit_tls"},
};

base::Result<void> ReadDetails(const Reader& reader, const Node& node,
                               Stage<PagerdutyConfig>& stage) {
  RETURN_IF_ERROR(reader.Expect(node, Node::Kind::kMap));
  for (const auto& [name, value] : node.members) {
    std::string text;
    if (!value.is_null()) {
      RETURN_IF_ERROR(reader.Read(value, text));
    }
    stage.config.details[name] = std::move(text);
  }
  return {};
}

constexpr yaml::Field<notify::PagerdutyLink> kLinkFields[] = {
    {"href", Into<&notify::PagerdutyLink::href>}, {"text", Into<&notify::PagerdutyLink::text>}};
constexpr yaml::Field<notify::PagerdutyImage> kImageFields[] = {
    {"src", Into<&notify::PagerdutyImage::src>},
    {"alt", Into<&notify::PagerdutyImage::alt>},
    {"href", Into<&notify::PagerdutyImage::href>}};

constexpr yaml::Field<Stage<PagerdutyConfig>> kPagerdutyFields[] = {
    kSendResolved<PagerdutyConfig>,
    kHttpConfig<PagerdutyConfig>,
    {"routing_key", Of<PagerdutyConfig, &PagerdutyConfig::routing_key, &SecretSource::text>},
    {"routing_key_file",
     PathOf<PagerdutyConfig, &PagerdutyConfig::routing_key, &SecretSource::file>},
    {"url", Of<PagerdutyConfig, &PagerdutyConfig::url>},
    {"client", Of<PagerdutyConfig, &PagerdutyConfig::client>},
    {"client_url", Of<PagerdutyConfig, &PagerdutyConfig::client_url>},
    {"description", Of<PagerdutyConfig, &PagerdutyConfig::description>},
    {"severity", Of<PagerdutyConfig, &PagerdutyConfig::severity>},
    {"source", Of<PagerdutyConfig, &PagerdutyConfig::source>},
    {"component", Of<PagerdutyConfig, &PagerdutyConfig::component>},
    {"class", Of<PagerdutyConfig, &PagerdutyConfig::event_class>},
    {"group", Of<PagerdutyConfig, &PagerdutyConfig::group>},
    {"timeout", Of<PagerdutyConfig, &PagerdutyConfig::timeout>},
    {"details", ReadDetails},
    {"links",
     [](const Reader& reader, const Node& node, Stage<PagerdutyConfig>& stage) {
       return reader.ReadList(node, &stage.config.links,
                              [](const Reader& r, const Node& item, notify::PagerdutyLink& link) {
                                return r.ReadMap<notify::PagerdutyLink>(item, kLinkFields, &link);
                              });
     }},
    {"images",
     [](const Reader& reader, const Node& node, Stage<PagerdutyConfig>& stage) {
       return reader.ReadList(node, &stage.config.images,
                              [](const Reader& r, const Node& item, notify::PagerdutyImage& image) {
                                return r.ReadMap<notify::PagerdutyImage>(item, kImageFields,
                                                                         &image);
                              });
     }},
    {"service_key"},
    {"service_key_file"},
};

base::Result<void> CheckUrl(const Reader& reader, const Node& node, const base::Secret& secret) {
  if (secret.empty()) {
    return {};
  }
  const auto url = base::ParseUrl(secret.Reveal());
  const bool fine =
      url.ok() && (url->scheme == "http" || url->scheme == "https") && !url->host.empty();
  return fine ? base::Result<void>()
              : base::Result<void>(
                    reader.ErrorAt(node, "the URL must be http://HOST… or https://HOST…"));
}

base::Result<void> Finish(const Reader& reader, const Node& node, const Global& /*global*/,
                          Stage<WebhookConfig>& stage) {
  if (stage.config.url.text.empty() == stage.config.url.file.empty()) {
    return reader.ErrorAt(node, "one of url and url_file must be configured");
  }
  return CheckUrl(reader, node, stage.config.url.text);
}

base::Result<void> Finish(const Reader& reader, const Node& node, const Global& global,
                          Stage<SlackConfig>& stage) {
  SlackConfig& config = stage.config;
  if (config.token.empty() && config.api_url.empty() && !global.slack_token.empty() &&
      global.slack_api_url.empty()) {
    config.token = global.slack_token;
  }
  if (!config.token.empty() && config.api_url.empty()) {
    config.api_url.text = base::Secret(global.slack_app_url);
  }
  if (config.api_url.empty()) {
    config.api_url = global.slack_api_url;
  }
  if (config.api_url.empty()) {
    return reader.ErrorAt(node, "no Slack URL: api_url here or slack_api_url in global is needed");
  }
  if (!config.token.empty() && config.channel.empty()) {
    return reader.ErrorAt(node, "with a bot token the channel must be named");
  }
  return CheckUrl(reader, node, config.api_url.text);
}

base::Result<void> Finish(const Reader& reader, const Node& node, const Global& /*global*/,
                          Stage<EmailConfig>& stage) {
  EmailConfig& config = stage.config;
  if (config.to.empty()) {
    return reader.ErrorAt(node, "missing to address in email config");
  }
  if (config.from.empty()) {
    return reader.ErrorAt(node, "no sender: from here or smtp_from in global is needed");
  }
  if (config.smarthost.empty()) {
    return reader.ErrorAt(node,
                          "no mail server: smarthost here or smtp_smarthost in global is "
                          "needed");
  }
  const auto address = base::ParseHostPort(config.smarthost);
  if (!address.ok() || address->host.empty()) {
    return reader.ErrorAt(node,
                          fmt::format("smarthost \"{}\" must be host:port", config.smarthost));
  }
  return {};
}

base::Result<void> Finish(const Reader& reader, const Node& node, const Global& /*global*/,
                          Stage<PagerdutyConfig>& stage) {
  const PagerdutyConfig& config = stage.config;
  if (config.routing_key.text.empty() == config.routing_key.file.empty()) {
    return reader.ErrorAt(node, "one of routing_key and routing_key_file must be configured");
  }
  return CheckUrl(reader, node, base::Secret(config.url));
}

// What an entry starts from.
void Begin(const Global& /*global*/, Stage<WebhookConfig>* stage) { stage->send_resolved = true; }
void Begin(const Global& /*global*/, Stage<SlackConfig>* stage) { stage->send_resolved = false; }
void Begin(const Global& global, Stage<EmailConfig>* stage) {
  stage->send_resolved = false;
  stage->config = global.email;
}
void Begin(const Global& global, Stage<PagerdutyConfig>* stage) {
  stage->config.url = global.pagerduty_url;
}

struct ReceiverStage {
  Receiver receiver;
  const Global* global = nullptr;
};

template <typename T, const auto& kFields>
base::Result<void> ReadConfigs(const Reader& reader, const Node& node, ReceiverStage& stage) {
  return reader.ReadList(node, &stage.receiver.integrations,
                         [&global = *stage.global](const Reader& r, const Node& item,
                                                   Integration& integration) -> base::Result<void> {
                           Stage<T> entry{.config = {}, .http = global.http};
                           Begin(global, &entry);
                           RETURN_IF_ERROR(r.ReadMap<Stage<T>>(item, kFields, &entry));
                           RETURN_IF_ERROR(Finish(r, item, global, entry));
                           integration = {.send_resolved = entry.send_resolved,
                                          .http = std::move(entry.http),
                                          .config = std::move(entry.config)};
                           return {};
                         });
}

constexpr yaml::Field<ReceiverStage> kReceiverFields[] = {
    {"name", Into<&ReceiverStage::receiver, &Receiver::name>},
    {"webhook_configs", ReadConfigs<WebhookConfig, kWebhookFields>},
    {"slack_configs", ReadConfigs<SlackConfig, kSlackFields>},
    {"email_configs", ReadConfigs<EmailConfig, kEmailFields>},
    {"pagerduty_configs", ReadConfigs<PagerdutyConfig, kPagerdutyFields>},
    {"discord_configs"},
    {"incidentio_configs"},
    {"jira_configs"},
    {"mattermost_configs"},
    {"msteams_configs"},
    {"msteamsv2_configs"},
    {"opsgenie_configs"},
    {"pushover_configs"},
    {"rocketchat_configs"},
    {"sns_configs"},
    {"telegram_configs"},
    {"victorops_configs"},
    {"webex_configs"},
    {"wechat_configs"},
};

// --- the whole

struct Document {
  Routing routing;
  Global global;
  std::optional<RouteStage> root;
  const Node* receivers = nullptr;
};

base::Result<void> ReadTimeIntervals(const Reader& reader, const Node& node, Document& document) {
  std::vector<NamedInterval> all;
  RETURN_IF_ERROR(
      reader.ReadList(node, &all, [](const Reader& r, const Node& item, NamedInterval& named) {
        return r.ReadMap<NamedInterval>(item, kNamedIntervalFields, &named);
      }));
  for (NamedInterval& named : all) {
    if (named.name.empty()) {
      return reader.ErrorAt(node, "a time interval has no name");
    }
    if (!document.routing.time_intervals.emplace(named.name, std::move(named.intervals)).second) {
      return reader.ErrorAt(node, fmt::format("time interval \"{}\" is not unique", named.name));
    }
  }
  return {};
}

constexpr yaml::Field<Document> kDocumentFields[] = {
    {"global",
     [](const Reader& reader, const Node& node, Document& document) {
       return reader.ReadMap<Global>(node, kGlobalFields, &document.global);
     }},
    {"route",
     [](const Reader& reader, const Node& node, Document& document) {
       document.root.emplace();
       return ReadRoute(reader, node, *document.root);
     }},
    {"receivers",
     [](const Reader& /*reader*/, const Node& node, Document& document) -> base::Result<void> {
       document.receivers = &node;
       return {};
     }},
    {"inhibit_rules",
     [](const Reader& reader, const Node& node, Document& document) {
       return reader.ReadList(node, &document.routing.inhibit_rules,
                              [](const Reader& r, const Node& item, InhibitRule& rule) {
                                return r.ReadMap<InhibitRule>(item, kInhibitFields, &rule);
                              });
     }},
    {"time_intervals", ReadTimeIntervals},
    {"mute_time_intervals", ReadTimeIntervals},
    {"templates",
     [](const Reader& reader, const Node& node, Document& document) -> base::Result<void> {
       std::vector<std::string>& patterns = document.routing.template_patterns;
       RETURN_IF_ERROR(reader.Read(node, patterns));
       for (std::string& pattern : patterns) {
         pattern = reader.Resolve(pattern);
       }
       return {};
     }},
    {"tracing"},
};

base::Result<void> ReadReceivers(const Reader& reader, Document* document) {
  if (document->receivers == nullptr) {
    return {};
  }
  std::set<std::string> names;
  std::vector<ReceiverStage> stages;
  const auto read = [&](const Reader& r, const Node& item,
                        ReceiverStage& stage) -> base::Result<void> {
    stage.global = &document->global;
    RETURN_IF_ERROR(r.ReadMap<ReceiverStage>(item, kReceiverFields, &stage));
    if (stage.receiver.name.empty()) {
      return r.ErrorAt(item, "missing name in receiver");
    }
    if (!names.insert(stage.receiver.name).second) {
      return r.ErrorAt(
          item, fmt::format("notification config name \"{}\" is not unique", stage.receiver.name));
    }
    return {};
  };
  RETURN_IF_ERROR(reader.ReadList(*document->receivers, &stages, read));
  for (ReceiverStage& stage : stages) {
    // Kind by kind, whatever the order in the file.
    std::stable_sort(stage.receiver.integrations.begin(), stage.receiver.integrations.end(),
                     [](const Integration& a, const Integration& b) {
                       return a.config.index() < b.config.index();
                     });
    document->routing.receivers.push_back(std::move(stage.receiver));
  }
  return {};
}

base::Error At(const std::string& file, int line, std::string_view why) {
  return base::Error(fmt::format("{}:{}: {}", file, line, why), base::ErrorKind::kInvalidArgument);
}

base::Result<void> CheckRoute(const std::string& file, const Routing& routing,
                              const RouteStage& stage) {
  const Route& route = stage.route;
  if (!route.receiver.empty() && notify::FindReceiver(routing, route.receiver) == nullptr) {
    return At(file, stage.line,
              fmt::format("undefined receiver \"{}\" used in route", route.receiver));
  }
  for (const auto* names : {&route.mute_time_intervals, &route.active_time_intervals}) {
    for (const std::string& name : *names) {
      if (routing.time_intervals.count(name) == 0) {
        return At(file, stage.line,
                  fmt::format("undefined time interval \"{}\" used in route", name));
      }
    }
  }
  for (const RouteStage& child : stage.routes) {
    RETURN_IF_ERROR(CheckRoute(file, routing, child));
  }
  return {};
}

base::Result<void> CheckRoot(const std::string& file, const std::optional<RouteStage>& root) {
  if (!root) {
    return At(file, 1, "no routes provided");
  }
  if (root->route.receiver.empty()) {
    return At(file, root->line, "root route must specify a default receiver");
  }
  if (!root->route.matchers.empty()) {
    return At(file, root->line, "root route must not have any matchers");
  }
  if (!root->route.mute_time_intervals.empty() || !root->route.active_time_intervals.empty()) {
    return At(file, root->line, "root route must not have any mute or active time intervals");
  }
  return {};
}

size_t CountRoutes(const Route& route) {
  size_t count = 1;
  for (const Route& child : route.routes) {
    count += CountRoutes(child);
  }
  return count;
}

}  // namespace

base::Result<HttpConfig> MakeHttpConfig(const scrape::Auth& auth,
                                        const http::ClientOptions& client) {
  if (!auth.authorization_type.empty() &&
      !base::EqualsIgnoreCase(auth.authorization_type, "bearer")) {
    return base::Error(
        fmt::format("authorization type \"{}\" is not supported yet", auth.authorization_type),
        base::ErrorKind::kInvalidArgument);
  }
  HttpConfig config{.client = client, .basic = auth.basic};
  config.username = {.text = base::Secret(auth.username), .file = auth.username_file};
  config.password = {.text = auth.password, .file = auth.password_file};
  config.bearer = {.text = auth.credentials, .file = auth.credentials_file};
  return config;
}

base::Result<Routing> ParseAlertmanager(std::string_view text, const std::string& file) {
  ASSIGN_OR_RETURN(const Node root, yaml::Parse(text, file));
  const Reader reader(file);
  Document document;
  RETURN_IF_ERROR(reader.ReadMap<Document>(root, kDocumentFields, &document));
  RETURN_IF_ERROR(CheckRoot(file, document.root));
  RETURN_IF_ERROR(ReadReceivers(reader, &document));
  RETURN_IF_ERROR(CheckRoute(file, document.routing, *document.root));
  Routing routing = std::move(document.routing);
  const int line = document.root->line;
  routing.routes.push_back(Inherit(*std::move(document.root), Route()));
  if (CountRoutes(routing.routes[0]) > notify::kMaxRoutes) {
    return At(file, line, fmt::format("more than {} routes", notify::kMaxRoutes));
  }
  notify::AssignRouteKeys(&routing.routes[0]);
  routing.resolve_timeout = document.global.resolve_timeout;
  routing.original = yaml::Write(root, kSecretKeys);
  return routing;
}

base::Result<Routing> LoadAlertmanager(const std::string& file) {
  ASSIGN_OR_RETURN(const std::string text, base::ReadFile(file, yaml::kMaxBytes));
  return ParseAlertmanager(text, file);
}

}  // namespace config
