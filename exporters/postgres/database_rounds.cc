#include "exporters/postgres/database_rounds.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "exporters/postgres/custom_queries.h"
#include "lib/base/duration.h"
#include "lib/base/strings.h"

namespace exporters::postgres {
namespace {

constexpr model::MetricDesc kSuccess{
    .name = "pg_database_visit_success",
    .help = "Whether the last visit to a database beside that of the connection succeeded.",
    .labels = {"datname"}};
constexpr model::MetricDesc kAge{
    .name = "pg_database_visit_age_seconds",
    .help = "Seconds since a database beside that of the connection was looked into.",
    .labels = {"datname"}};

// Failures that say nothing of the one database.
bool ConcernsTheServer(pq::FailureReason reason) {
  return reason != pq::FailureReason::kAuth && reason != pq::FailureReason::kNoDatabase;
}

}  // namespace

model::MetricFamily CopyOf(const model::MetricFamily& family) {
  model::MetricFamily copy{.desc = family.desc, .owner = family.owner};
  copy.metrics.reserve(family.metrics.size());
  for (const model::Metric& metric : family.metrics) {
    model::Metric& added = copy.metrics.emplace_back();
    added.labels = metric.labels;
    added.value = metric.value;
    if (metric.histogram != nullptr) {
      added.histogram = std::make_unique<model::Histogram>(*metric.histogram);
    }
  }
  return copy;
}

void DatabaseRounds::SetDatabases(std::span<const std::string> names) {
  const std::set<std::string_view> wanted(names.begin(), names.end());
  std::erase_if(databases_, [&](const auto& entry) { return !wanted.contains(entry.first); });
  for (const std::string& name : names) {
    databases_.try_emplace(name, Database{.due = clock_.Monotonic()});
  }
}

DatabaseRounds::Named::iterator DatabaseRounds::Due() {
  return std::min_element(databases_.begin(), databases_.end(),
                          [](const auto& a, const auto& b) { return a.second.due < b.second.due; });
}

base::MonotonicTime DatabaseRounds::NextVisit() const {
  base::MonotonicTime next = base::MonotonicTime::max();
  for (const auto& [name, database] : databases_) {
    next = std::min(next, database.due);
  }
  return databases_.empty() ? next : std::max(next, next_);
}

base::MonotonicTime::duration DatabaseRounds::IntervalOf(const Query& query) const {
  return query.refresh == Refresh::kSizes
             ? std::max(options_.sizes_interval, options_.databases_interval)
             : options_.databases_interval;
}

void DatabaseRounds::VisitOne(Collectors collectors, const Server& server,
                              const pq::Interrupt& interrupt) {
  const auto due = Due();
  if (due == databases_.end() || options_.database_session_factory == nullptr) {
    return;
  }
  next_ = clock_.Monotonic() + options_.databases_gap;
  Visit(due->first, due->second, collectors, server, interrupt);
}

void DatabaseRounds::Visit(const std::string& name, Database& database, Collectors collectors,
                           const Server& server, const pq::Interrupt& interrupt) {
  const base::MonotonicTime now = clock_.Monotonic();
  const std::unique_ptr<pq::Session> session = options_.database_session_factory(name);
  if (const auto failure = session->Connect(now + kVisitTimeout); failure.has_value()) {
    Fail(name, database, *failure);
    return;
  }
  pause_ = {};
  Server there{.options = server.options,
               .address = server.address,
               .version = server.version,
               .user = server.user,
               .database = name,
               .in_recovery = server.in_recovery};
  std::vector<const Query*> asked;
  std::vector<pq::Statement> statements;
  for (const PostgresCollector* const collector : collectors) {
    for (const Query& query : collector->queries) {
      const auto known = database.answers.find(&query);
      const bool is_due = known == database.answers.end() || known->second.due <= now;
      if (!query.per_database || !IsAsked(query, there.version) || !is_due) {
        continue;
      }
      if (base::Result<std::string> sql = SqlFor(query, there); sql.ok()) {
        asked.push_back(&query);
        statements.push_back({.sql = *std::move(sql)});
      }
    }
  }
  bool interrupted = false;
  std::optional<std::string> error;
  session->Run(statements, now + kVisitTimeout, &interrupt,
               [&](size_t i, base::Result<pq::RowsPtr> rows, double) {
                 const Query& query = *asked[i];
                 if (!rows.ok()) {
                   interrupted = interrupted || rows.error().kind() == base::ErrorKind::kCancelled;
                   error = error.has_value() ? error : rows.error().message();
                   return;
                 }
                 Scrape emitted(now);
                 const base::Result<void> outcome = EmitAnswer(query, there, **rows, emitted);
                 if (!outcome.ok() && !error.has_value()) {
                   error = outcome.error().message();
                 }
                 database.answers[&query] = {.families = emitted.TakeFamilies(),
                                             .due = clock_.Monotonic() + IntervalOf(query)};
               });
  if (interrupted) {
    return;  // Due as before: what is missing is asked at the next visit.
  }
  if (error.has_value() && error != database.error) {
    logger_.Warn("cannot read all of a database", {{"database", name}, {"err", *error}});
  }
  database.error = std::move(error);
  database.visited = clock_.Monotonic();
  database.due = clock_.Monotonic() + options_.databases_interval;
}

void DatabaseRounds::Fail(const std::string& name, Database& database,
                          const pq::ConnectFailure& failure) {
  const base::MonotonicTime now = clock_.Monotonic();
  if (database.error != failure.error.message()) {
    logger_.Warn("cannot look into a database",
                 {{"database", name},
                  {"reason", std::string(FailureReasonName(failure.reason))},
                  {"err", failure.error.message()}});
  }
  database.error = failure.error.message();
  database.answers.clear();  // Else old values would look like new ones.
  database.due =
      now + std::max<base::MonotonicTime::duration>(options_.databases_interval, kFirstPause);
  if (ConcernsTheServer(failure.reason)) {
    pause_ = std::clamp<base::MonotonicTime::duration>(pause_ * 2, kFirstPause, kLongestPause);
    next_ = now + pause_;
  }
}

void DatabaseRounds::Emit(Collectors collectors, Scrape& scrape) const {
  const base::MonotonicTime now = clock_.Monotonic();
  for (const auto& [name, database] : databases_) {
    if (!database.visited.has_value() && !database.error.has_value()) {
      continue;
    }
    scrape.Emit(kSuccess, database.error.has_value() ? 0 : 1, {base::ToValidUtf8(name)});
    if (database.visited.has_value()) {
      scrape.Emit(kAge, base::ToSeconds(now - *database.visited), {base::ToValidUtf8(name)});
    }
    for (const PostgresCollector* const collector : collectors) {
      for (const Query& query : collector->queries) {
        const auto answer = database.answers.find(&query);
        if (answer == database.answers.end()) {
          continue;
        }
        for (const model::MetricFamily& family : answer->second.families) {
          scrape.Emit(CopyOf(family));
        }
      }
    }
  }
}

}  // namespace exporters::postgres
