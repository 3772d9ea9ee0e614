// /api/v1/targets, scrape_pools, rules, alerts, alertmanagers.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "agent/web/api_handlers.h"
#include "agent/web/api_parameters.h"
#include "agent/web/api_response.h"
#include "lib/base/duration.h"
#include "lib/base/strings.h"

namespace web {
namespace {

using base::Error;

http::Response BadData(std::string_view message) {
  return ApiError(ApiErrorType::kBadData, message);
}

void WriteTarget(const scrape::TargetStatus& target, base::JsonWriter& json) {
  json.BeginObject();
  json.Key("discoveredLabels");
  WriteLabels(target.discovered_labels, json);
  json.Key("labels");
  WriteLabels(target.labels, json);
  json.Member("scrapePool", target.scrape_pool);
  json.Member("scrapeUrl", target.scrape_url);
  json.Member("globalUrl", target.global_url);
  json.Member("lastError", target.last_error);
  json.Member("lastScrape", FormatApiTime(target.last_scrape));
  json.Member("lastScrapeDuration", base::ToSeconds(target.last_scrape_duration));
  json.Member("health", scrape::HealthName(target.health));
  json.Member("scrapeInterval", base::FormatDuration(target.scrape_interval));
  json.Member("scrapeTimeout", base::FormatDuration(target.scrape_timeout));
  json.EndObject();
}

void WriteDropped(const scrape::TargetsStatus& status, const std::string& pool,
                  base::JsonWriter& json) {
  json.Key("droppedTargets");
  json.BeginArray();
  for (const scrape::DroppedTarget& target : status.dropped) {
    if (pool.empty() || target.scrape_pool == pool) {
      json.BeginObject();
      json.Key("discoveredLabels");
      WriteLabels(target.discovered_labels, json);
      json.Member("scrapePool", target.scrape_pool);
      json.EndObject();
    }
  }
  json.EndArray();
  json.Key("droppedTargetCounts");
  json.BeginObject();
  for (const auto& [name, count] : status.dropped_counts) {
    json.Member(name, static_cast<int64_t>(count));
  }
  json.EndObject();
}

// An exponent always, and as few digits as say it: 1e+00, 1.5e+03.
std::string FormatAlertValue(double value) {
  if (!std::isfinite(value)) {
    return FormatSampleValue(value);
  }
  char buffer[64];
  const auto [end, ec] =
      std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific);
  return ec == std::errc() ? std::string(buffer, end) : fmt::format("{:e}", value);
}

void WriteAlert(const rules::AlertStatus& alert, base::JsonWriter& json) {
  json.BeginObject();
  json.Key("labels");
  WriteLabels(alert.labels, json);
  json.Key("annotations");
  WriteLabels(alert.annotations, json);
  json.Member("state", rules::AlertStateName(alert.state));
  json.Member("activeAt", FormatApiTime(alert.active_at));
  if (alert.keep_firing_since) {
    json.Member("keepFiringSince", FormatApiTime(*alert.keep_firing_since));
  }
  json.Member("value", FormatAlertValue(alert.value));
  if (!alert.missing_reason.empty()) {
    json.Member("missingData", alert.missing_reason);
  }
  json.EndObject();
}

void WriteAlertingFields(const rules::RuleStatus& rule, bool with_alerts, base::JsonWriter& json) {
  json.Member("state", rules::AlertStateName(rule.state));
  json.Member("duration", base::ToSeconds(rule.duration));
  json.Member("keepFiringFor", base::ToSeconds(rule.keep_firing_for));
  json.Key("annotations");
  WriteLabels(rule.annotations, json);
  if (!with_alerts) {
    return;
  }
  json.Key("alerts");
  json.BeginArray();
  for (const rules::AlertStatus& alert : rule.alerts) {
    WriteAlert(alert, json);
  }
  json.EndArray();
}

void WriteRule(const rules::RuleStatus& rule, bool with_alerts, base::JsonWriter& json) {
  json.BeginObject();
  json.Member("name", rule.name);
  json.Member("query", rule.query);
  if (rule.type == rules::RuleType::kAlerting || !rule.labels.empty()) {
    json.Key("labels");
    WriteLabels(rule.labels, json);
  }
  json.Member("health", rules::RuleHealthName(rule.health));
  if (!rule.last_error.empty()) {
    json.Member("lastError", rule.last_error);
  }
  json.Member("evaluationTime", base::ToSeconds(rule.evaluation_time));
  json.Member("lastEvaluation", FormatApiTime(rule.last_evaluation.value_or(base::WallTime{})));
  json.Member("type", rules::RuleTypeName(rule.type));
  if (rule.type == rules::RuleType::kAlerting) {
    WriteAlertingFields(rule, with_alerts, json);
  }
  json.EndObject();
}

void WriteGroup(const rules::GroupStatus& group, bool with_alerts, base::JsonWriter& json) {
  json.BeginObject();
  json.Member("name", group.name);
  json.Member("file", group.file);
  json.Key("rules");
  json.BeginArray();
  for (const rules::RuleStatus& rule : group.rules) {
    WriteRule(rule, with_alerts, json);
  }
  json.EndArray();
  json.Member("interval", base::ToSeconds(group.interval));
  json.Member("limit", static_cast<int64_t>(group.limit));
  json.Member("evaluationTime", base::ToSeconds(group.evaluation_time));
  json.Member("lastEvaluation", FormatApiTime(group.last_evaluation.value_or(base::WallTime{})));
  json.EndObject();
}

// Which rules a request asks for; an empty set asks for any.
struct RuleFilter {
  std::optional<rules::RuleType> type;
  std::set<std::string> names;
  std::set<std::string> groups;
  std::set<std::string> files;
  std::vector<std::vector<model::Matcher>> selectors;
  bool with_alerts = true;
  size_t group_limit = 0;
  std::string group_next_token;

  bool Takes(const rules::RuleStatus& rule) const {
    const auto matches = [&rule](const auto& matchers) {
      return std::all_of(matchers.begin(), matchers.end(),
                         [&rule](const model::Matcher& m) { return m.Matches(rule.labels); });
    };
    return (!type || rule.type == *type) && (names.empty() || names.count(rule.name) > 0) &&
           (selectors.empty() || std::any_of(selectors.begin(), selectors.end(), matches));
  }
  bool Takes(const rules::GroupStatus& group) const {
    return (groups.empty() || groups.count(group.name) > 0) &&
           (files.empty() || files.count(group.file) > 0);
  }
  bool selective() const { return type || !names.empty() || !selectors.empty(); }
};

base::Result<RuleFilter> ParseRuleFilter(const Parameters& parameters) {
  RuleFilter filter;
  const auto set_of = [&parameters](const char* name) {
    const std::vector<std::string> values = parameters.All(name);
    return std::set<std::string>(values.begin(), values.end());
  };
  const std::string type = base::ToLower(parameters.Get("type").value_or(""));
  if (type == "alert" || type == "record") {
    filter.type = type == "alert" ? rules::RuleType::kAlerting : rules::RuleType::kRecording;
  } else if (!type.empty()) {
    return Error(
        fmt::format("invalid parameter \"type\": \"{}\" is neither alert nor record", type),
        base::ErrorKind::kInvalidArgument);
  }
  const std::string exclude = parameters.Get("exclude_alerts").value_or("false");
  const auto without_alerts = base::ParseBool(exclude);
  if (!without_alerts) {
    return Error(
        fmt::format("invalid parameter \"exclude_alerts\": \"{}\" is not a boolean", exclude),
        base::ErrorKind::kInvalidArgument);
  }
  filter.with_alerts = !*without_alerts;
  filter.names = set_of("rule_name[]");
  filter.groups = set_of("rule_group[]");
  filter.files = set_of("file[]");
  filter.group_next_token = parameters.Get("group_next_token").value_or("");
  ASSIGN_OR_RETURN(filter.selectors, parameters.Selectors());
  ASSIGN_OR_RETURN(filter.group_limit, parameters.Limit("group_limit"));
  return filter;
}

// Names a group across pages of an answer.
std::string GroupToken(const rules::GroupStatus& group) {
  model::LabelsBuilder builder;
  builder.Set("file", group.file);
  builder.Set("name", group.name);
  return fmt::format("{:016x}", builder.Build().Fingerprint());
}

struct RulesPage {
  std::vector<rules::GroupStatus> groups;
  std::string next_token;  // "" on the last page.
};

// Errors: kInvalidArgument for a token that names no group.
base::Result<RulesPage> SelectGroups(rules::RulesStatus groups, const RuleFilter& filter) {
  RulesPage page;
  bool started = filter.group_next_token.empty();
  for (rules::GroupStatus& group : groups) {
    started = started || GroupToken(group) == filter.group_next_token;
    if (!started || !filter.Takes(group)) {
      continue;
    }
    std::erase_if(group.rules, [&](const rules::RuleStatus& rule) { return !filter.Takes(rule); });
    if (filter.selective() && group.rules.empty()) {
      continue;
    }
    if (filter.group_limit > 0 && page.groups.size() == filter.group_limit) {
      page.next_token = GroupToken(group);
      break;
    }
    page.groups.push_back(std::move(group));
  }
  if (!started) {
    return Error("invalid parameter \"group_next_token\": the group it stands for is gone",
                 base::ErrorKind::kInvalidArgument);
  }
  return page;
}

void WriteUrls(std::string_view name, const std::vector<std::string>& urls,
               base::JsonWriter& json) {
  json.Key(name);
  json.BeginArray();
  for (const std::string& url : urls) {
    json.BeginObject();
    json.Member("url", url);
    json.EndObject();
  }
  json.EndArray();
}

}  // namespace

http::Response Targets(const Views& views, const http::Request& request,
                       const http::PathParameters& /*path*/) {
  const Parameters parameters(request);
  const std::string state = base::ToLower(parameters.Get("state").value_or("any"));
  const std::string pool = parameters.Get("scrapePool").value_or("");
  const bool active = state != "dropped";
  const bool dropped = state != "active";
  const scrape::TargetsStatus status = views.targets();
  return ApiSuccess([&](base::JsonWriter& json) {
    json.BeginObject();
    json.Key("activeTargets");
    json.BeginArray();
    for (const scrape::TargetStatus& target : status.active) {
      if (active && (pool.empty() || target.scrape_pool == pool)) {
        WriteTarget(target, json);
      }
    }
    json.EndArray();
    WriteDropped(dropped ? status : scrape::TargetsStatus{}, pool, json);
    json.EndObject();
  });
}

http::Response ScrapePools(const Views& views, const http::Request& /*request*/,
                           const http::PathParameters& /*path*/) {
  const scrape::TargetsStatus status = views.targets();
  std::set<std::string> pools;
  for (const scrape::TargetStatus& target : status.active) {
    pools.insert(target.scrape_pool);
  }
  for (const auto& [pool, count] : status.dropped_counts) {
    pools.insert(pool);
  }
  return ApiSuccess([&pools](base::JsonWriter& json) {
    json.BeginObject();
    json.Key("scrapePools");
    WriteStrings({pools.begin(), pools.end()}, json);
    json.EndObject();
  });
}

http::Response Rules(const Views& views, const http::Request& request,
                     const http::PathParameters& /*path*/) {
  const auto filter = ParseRuleFilter(Parameters(request));
  if (!filter.ok()) {
    return BadData(filter.error().message());
  }
  const auto page = SelectGroups(views.rules(), *filter);
  if (!page.ok()) {
    return BadData(page.error().message());
  }
  return ApiSuccess([&](base::JsonWriter& json) {
    json.BeginObject();
    json.Key("groups");
    json.BeginArray();
    for (const rules::GroupStatus& group : page->groups) {
      WriteGroup(group, filter->with_alerts, json);
    }
    json.EndArray();
    if (!page->next_token.empty()) {
      json.Member("groupNextToken", page->next_token);
    }
    json.EndObject();
  });
}

http::Response Alerts(const Views& views, const http::Request& /*request*/,
                      const http::PathParameters& /*path*/) {
  const rules::RulesStatus groups = views.rules();
  return ApiSuccess([&groups](base::JsonWriter& json) {
    json.BeginObject();
    json.Key("alerts");
    json.BeginArray();
    for (const rules::GroupStatus& group : groups) {
      for (const rules::RuleStatus& rule : group.rules) {
        for (const rules::AlertStatus& alert : rule.alerts) {
          WriteAlert(alert, json);
        }
      }
    }
    json.EndArray();
    json.EndObject();
  });
}

http::Response AlertmanagersList(const Views& views, const http::Request& /*request*/,
                                 const http::PathParameters& /*path*/) {
  const Alertmanagers alertmanagers = views.alertmanagers();
  return ApiSuccess([&alertmanagers](base::JsonWriter& json) {
    json.BeginObject();
    WriteUrls("activeAlertmanagers", alertmanagers.active, json);
    WriteUrls("droppedAlertmanagers", alertmanagers.dropped, json);
    json.EndObject();
  });
}

}  // namespace web
