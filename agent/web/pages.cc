#include "agent/web/pages.h"

#include <algorithm>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "agent/web/api_response.h"
#include "agent/web/html.h"
#include "lib/base/duration.h"
#include "lib/base/html.h"

namespace web {
namespace {

using rules::AlertState;
using scrape::Health;

// An alert with the rule that raised it.
struct ListedAlert {
  const rules::AlertStatus* alert = nullptr;
  const rules::RuleStatus* rule = nullptr;
};

// Those of one state, the newest first: at night the last straw is what one looks for.
std::vector<ListedAlert> AlertsIn(const rules::RulesStatus& groups, AlertState state) {
  std::vector<ListedAlert> listed;
  for (const rules::GroupStatus& group : groups) {
    for (const rules::RuleStatus& rule : group.rules) {
      for (const rules::AlertStatus& alert : rule.alerts) {
        if (alert.state == state) {
          listed.push_back({.alert = &alert, .rule = &rule});
        }
      }
    }
  }
  std::stable_sort(listed.begin(), listed.end(), [](const ListedAlert& a, const ListedAlert& b) {
    return a.alert->active_at > b.alert->active_at;
  });
  return listed;
}

std::vector<const scrape::TargetStatus*> TargetsIn(const scrape::TargetsStatus& status,
                                                   Health health) {
  std::vector<const scrape::TargetStatus*> found;
  for (const scrape::TargetStatus& target : status.active) {
    if (target.health == health) {
      found.push_back(&target);
    }
  }
  return found;
}

std::string_view ClassOf(AlertState state) {
  return state == AlertState::kFiring ? "bad" : state == AlertState::kPending ? "warn" : "good";
}

std::string_view ClassOf(Health health) {
  return health == Health::kUp ? "good" : health == Health::kDown ? "bad" : "warn";
}

std::string Badge(std::string_view kind, std::string_view text) {
  return fmt::format("<span class=\"badge {}\">{}</span> ", kind, base::EscapeHtml(text));
}

// Entries of a list up to kMaxListed, and how many were left out.
template <typename List, typename Format>
std::string Listed(const List& list, Format format) {
  std::string html;
  size_t shown = 0;
  for (const auto& entry : list) {
    if (shown++ == kMaxListed) {
      break;
    }
    html += format(entry);
  }
  if (list.size() > kMaxListed) {
    html += fmt::format("<p class=\"dim\">… and {} more</p>\n", list.size() - kMaxListed);
  }
  return html;
}

// Summary and description first, as they were written to be read; then the rest.
std::string Annotations(const model::Labels& annotations) {
  std::string html;
  for (const std::string_view name : {"summary", "description"}) {
    if (annotations.Has(name)) {
      html += fmt::format("<p>{}</p>\n", base::EscapeHtml(annotations.Get(name)));
    }
  }
  for (const model::Label annotation : annotations) {
    if (annotation.name != "summary" && annotation.name != "description") {
      html += fmt::format("<p><span class=\"dim\">{}:</span> {}</p>\n",
                          base::EscapeHtml(annotation.name), LinkTo(annotation.value));
    }
  }
  return html;
}

std::string AlertCard(const ListedAlert& listed, base::WallTime now) {
  const rules::AlertStatus& alert = *listed.alert;
  return fmt::format(
      "<div class=\"card {0}\"><h3>{1}{2}</h3>\n<p class=\"dim\">{3}, started {4} · value {5}</p>\n"
      "{6}<p>{7}</p></div>\n",
      ClassOf(alert.state), Badge(ClassOf(alert.state), rules::AlertStateName(alert.state)),
      base::EscapeHtml(listed.rule->name), rules::AlertStateName(alert.state),
      Ago(alert.active_at, now), FormatSampleValue(alert.value), Annotations(alert.annotations),
      LabelChips(alert.labels, "alertname"));
}

std::string TargetCard(const scrape::TargetStatus& target, base::WallTime now) {
  const std::string error =
      target.last_error.empty()
          ? ""
          : fmt::format("<p class=\"error\">{}</p>\n", base::EscapeHtml(target.last_error));
  const std::string scraped = target.last_scrape == base::WallTime{}
                                  ? "not scraped yet"
                                  : fmt::format("scraped {}, took {}", Ago(target.last_scrape, now),
                                                Took(target.last_scrape_duration));
  return fmt::format(
      "<div class=\"card {0}\"><h3>{1}{2}</h3>\n{3}<p class=\"dim\">{4} · every {5}</p>\n"
      "<p>{6}</p></div>\n",
      ClassOf(target.health), Badge(ClassOf(target.health), scrape::HealthName(target.health)),
      LinkTo(target.scrape_url), error, scraped, base::FormatDuration(target.scrape_interval),
      LabelChips(target.labels));
}

std::string RuleCard(const rules::RuleStatus& rule, base::WallTime now) {
  const bool failing = rule.health == rules::RuleHealth::kErr;
  const bool alerting = rule.type == rules::RuleType::kAlerting;
  const std::string_view kind = failing ? "bad" : alerting ? ClassOf(rule.state) : "good";
  const std::string_view word = failing    ? rules::RuleHealthName(rule.health)
                                : alerting ? rules::AlertStateName(rule.state)
                                           : rules::RuleTypeName(rule.type);
  std::string html = fmt::format("<div class=\"card {}\"><h3>{}{}</h3>\n", kind, Badge(kind, word),
                                 base::EscapeHtml(rule.name));
  if (failing) {
    html += fmt::format("<p class=\"error\">{}</p>\n", base::EscapeHtml(rule.last_error));
  }
  html += fmt::format("<pre>{}</pre>\n", base::EscapeHtml(rule.query));
  if (rule.duration.count() > 0) {
    html += fmt::format("<p class=\"dim\">for {}</p>\n", base::FormatDuration(rule.duration));
  }
  return html + fmt::format("<p class=\"dim\">evaluated {}, took {}</p>\n<p>{}</p></div>\n",
                            Ago(rule.last_evaluation.value_or(base::WallTime{}), now),
                            Took(rule.evaluation_time), LabelChips(rule.labels));
}

std::string Section(std::string_view title, size_t count, const std::string& cards) {
  return count == 0 ? ""
                    : fmt::format("<h2>{} ({})</h2>\n{}", base::EscapeHtml(title), count, cards);
}

std::string Alerts(std::string_view title, const std::vector<ListedAlert>& alerts,
                   base::WallTime now) {
  return Section(title, alerts.size(),
                 Listed(alerts, [now](const ListedAlert& alert) { return AlertCard(alert, now); }));
}

struct Tile {
  std::string_view href;
  std::string number;
  std::string text;
  std::string_view kind;
};

std::string FormatTiles(const std::vector<Tile>& tiles) {
  std::string html = "<div class=\"tiles\">\n";
  for (const Tile& tile : tiles) {
    html += fmt::format("<a class=\"tile {}\" href=\"{}\"><b>{}</b>{}</a>\n", tile.kind, tile.href,
                        tile.number, tile.text);
  }
  return html + "</div>\n";
}

size_t FailingRules(const rules::RulesStatus& groups) {
  size_t failing = 0;
  for (const rules::GroupStatus& group : groups) {
    failing += static_cast<size_t>(std::count_if(
        group.rules.begin(), group.rules.end(),
        [](const rules::RuleStatus& rule) { return rule.health == rules::RuleHealth::kErr; }));
  }
  return failing;
}

size_t CountRules(const rules::RulesStatus& groups) {
  size_t count = 0;
  for (const rules::GroupStatus& group : groups) {
    count += group.rules.size();
  }
  return count;
}

constexpr std::string_view kOverviewLinks =
    "<h2>More</h2>\n<p><a href=\"/metrics\">This agent's own metrics</a> · "
    "<a href=\"/api/v1/status/runtimeinfo\">run-time information</a> · "
    "<a href=\"/api/v1/status/config\">configuration</a></p>\n"
    "<p class=\"dim\">Grafana and promtool talk to this address as to a Prometheus.</p>\n";

}  // namespace

http::Response OverviewPage(const Views& views, const http::Request& /*request*/,
                            const http::PathParameters& /*path*/) {
  const base::WallTime now = views.clock->Now();
  const rules::RulesStatus groups = views.rules();
  const scrape::TargetsStatus targets = views.targets();
  const auto firing = AlertsIn(groups, AlertState::kFiring);
  const auto pending = AlertsIn(groups, AlertState::kPending);
  const auto up = TargetsIn(targets, Health::kUp);
  const auto down = TargetsIn(targets, Health::kDown);
  const size_t failing = FailingRules(groups);
  std::string body = FormatTiles({
      {"/alerts", fmt::format("{}", firing.size()), "firing", firing.empty() ? "good" : "bad"},
      {"/alerts", fmt::format("{}", pending.size()), "pending", pending.empty() ? "good" : "warn"},
      {"/targets", fmt::format("{} / {}", up.size(), targets.active.size()), "targets up",
       down.empty() ? "good" : "bad"},
      {"/rules", fmt::format("{}", CountRules(groups)),
       failing == 0 ? "rules" : fmt::format("rules, {} failing", failing),
       failing == 0 ? "good" : "bad"},
  });
  body += Alerts("Firing", firing, now);
  body += Section("Targets down", down.size(),
                  Listed(down, [now](const auto* target) { return TargetCard(*target, now); }));
  body += Alerts("Pending", pending, now);
  body += kOverviewLinks;
  const std::string title = firing.empty() ? "Nothing is firing"
                            : firing.size() == 1
                                ? "1 alert is firing"
                                : fmt::format("{} alerts are firing", firing.size());
  http::Response page = HtmlPage("/", title, body);
  page.headers.emplace_back("Refresh", "30");
  return page;
}

http::Response AlertsPage(const Views& views, const http::Request& /*request*/,
                          const http::PathParameters& /*path*/) {
  const base::WallTime now = views.clock->Now();
  const rules::RulesStatus groups = views.rules();
  std::vector<const rules::RuleStatus*> quiet;
  for (const rules::GroupStatus& group : groups) {
    for (const rules::RuleStatus& rule : group.rules) {
      if (rule.type == rules::RuleType::kAlerting && rule.alerts.empty()) {
        quiet.push_back(&rule);
      }
    }
  }
  std::string body = Alerts("Firing", AlertsIn(groups, AlertState::kFiring), now) +
                     Alerts("Pending", AlertsIn(groups, AlertState::kPending), now);
  if (body.empty()) {
    body = "<p>No alert is firing or pending.</p>\n";
  }
  body += fmt::format(
      "<h2>Quiet</h2>\n<details><summary>{} rules</summary>\n{}</details>\n", quiet.size(),
      Listed(quiet, [now](const rules::RuleStatus* rule) { return RuleCard(*rule, now); }));
  return HtmlPage("/alerts", "Alerts", body);
}

http::Response TargetsPage(const Views& views, const http::Request& /*request*/,
                           const http::PathParameters& /*path*/) {
  const base::WallTime now = views.clock->Now();
  const scrape::TargetsStatus status = views.targets();
  std::map<std::string_view, std::vector<const scrape::TargetStatus*>> pools;
  for (const scrape::TargetStatus& target : status.active) {
    pools[target.scrape_pool].push_back(&target);
  }
  std::string body;
  for (auto& [pool, targets] : pools) {
    std::stable_sort(targets.begin(), targets.end(), [](const auto* a, const auto* b) {
      return (a->health == Health::kDown) > (b->health == Health::kDown);
    });
    const auto up = std::count_if(targets.begin(), targets.end(),
                                  [](const auto* target) { return target->health == Health::kUp; });
    body += fmt::format("<h2>{} ({} of {} up)</h2>\n", base::EscapeHtml(pool), up, targets.size());
    body += Listed(targets, [now](const auto* target) { return TargetCard(*target, now); });
  }
  size_t dropped = 0;
  for (const auto& [pool, count] : status.dropped_counts) {
    dropped += count;
  }
  if (dropped > 0) {
    body += fmt::format("<p class=\"dim\">{} more were dropped by relabelling.</p>\n", dropped);
  }
  return HtmlPage("/targets", "Targets", body.empty() ? "<p>There are no targets.</p>\n" : body);
}

http::Response RulesPage(const Views& views, const http::Request& /*request*/,
                         const http::PathParameters& /*path*/) {
  const base::WallTime now = views.clock->Now();
  std::string body;
  for (const rules::GroupStatus& group : views.rules()) {
    body += fmt::format("<h2>{}</h2>\n<p class=\"dim\">{} · every {} · evaluated {}, took {}</p>\n",
                        base::EscapeHtml(group.name), base::EscapeHtml(group.file),
                        base::FormatDuration(group.interval),
                        Ago(group.last_evaluation.value_or(base::WallTime{}), now),
                        Took(group.evaluation_time));
    body +=
        Listed(group.rules, [now](const rules::RuleStatus& rule) { return RuleCard(rule, now); });
  }
  return HtmlPage("/rules", "Rules", body.empty() ? "<p>There are no rules.</p>\n" : body);
}

http::Response StylePage(const Views& /*views*/, const http::Request& /*request*/,
                         const http::PathParameters& /*path*/) {
  return StyleSheet();
}

}  // namespace web
