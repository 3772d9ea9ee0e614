// Goes round the other databases of a server: one connection at a time, one database every so
// often, each answer kept until the next visit.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "exporters/postgres/collector.h"
#include "exporters/postgres/options.h"
#include "exporters/pq/session.h"
#include "exporters/toolkit/scrape.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

namespace exporters::postgres {

// Thread-compatible.
class DatabaseRounds {
 public:
  using Collectors = std::span<const PostgresCollector* const>;

  // After a failure that concerns the whole server (no connection slot, no answer) no database is
  // visited for this long, twice as long after the next one, up to kLongestPause.
  static constexpr std::chrono::seconds kFirstPause{30};
  static constexpr std::chrono::seconds kLongestPause{600};
  static constexpr std::chrono::seconds kVisitTimeout{10};

  // All of these must outlive this.
  DatabaseRounds(const PostgresOptions& options, const base::Clock& clock,
                 const base::Logger& logger)
      : options_(options), clock_(clock), logger_(logger) {}

  // Which databases there are; what is known of others is forgotten.
  void SetDatabases(std::span<const std::string> names);
  void Forget() { databases_.clear(); }

  // When the next visit is due; max() when there is nobody to visit.
  base::MonotonicTime NextVisit() const;
  // Visits the one that waits longest. An interrupt puts it off.
  void VisitOne(Collectors collectors, const Server& server, const pq::Interrupt& interrupt);

  void Emit(Collectors collectors, Scrape& scrape) const;

 private:
  struct Answer {
    std::vector<model::MetricFamily> families = {};
    base::MonotonicTime due;
  };
  struct Database {
    base::MonotonicTime due;
    std::optional<base::MonotonicTime> visited = std::nullopt;
    std::optional<std::string> error = std::nullopt;
    std::map<const Query*, Answer> answers = {};
  };

  using Named = std::map<std::string, Database, std::less<>>;

  Named::iterator Due();
  void Visit(const std::string& name, Database& database, Collectors collectors,
             const Server& server, const pq::Interrupt& interrupt);
  void Fail(const std::string& name, Database& database, const pq::ConnectFailure& failure);
  base::MonotonicTime::duration IntervalOf(const Query& query) const;

  const PostgresOptions& options_;
  const base::Clock& clock_;
  const base::Logger& logger_;
  Named databases_;
  base::MonotonicTime next_;  // No visit before.
  base::MonotonicTime::duration pause_{};
};

// A copy of plain values.
model::MetricFamily CopyOf(const model::MetricFamily& family);

}  // namespace exporters::postgres
