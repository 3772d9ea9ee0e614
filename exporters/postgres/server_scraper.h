// Scrapes one server over one session: connects, identifies the server, sends the queries of the
// selected collectors in one round trip, turns answers into samples as they come, and keeps the
// answers of the expensive queries for their time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporters/postgres/collector.h"
#include "exporters/postgres/database_rounds.h"
#include "exporters/postgres/options.h"
#include "exporters/pq/session.h"
#include "exporters/toolkit/collector_set.h"
#include "exporters/toolkit/scrape.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

namespace exporters::postgres {

// Thread-compatible.
class ServerScraper {
 public:
  using Collectors = std::span<const PostgresCollector* const>;

  // All of these must outlive the scraper. `stop` ends what is going on, for good.
  ServerScraper(const PostgresOptions& options, const base::Clock& clock,
                const base::Logger& logger, const pq::Interrupt& stop);

  // Everything the page has of this server, `pg_up` at least.
  void Collect(Collectors collectors, Scrape& scrape);

  // Collectors that failed in the last Collect, and why; none when the server was down.
  using Errors = std::vector<std::pair<std::string_view, base::Error>>;
  const Errors& errors() const { return errors_; }

  // When the first of the kept answers of these collectors wants to be renewed, or another database
  // a visit; `max()` while the server is not connected, or nobody has scraped for a while.
  base::MonotonicTime NextRefresh(Collectors collectors) const;
  // Does one thing that is due; a raised interrupt puts it off.
  void RefreshOne(Collectors collectors, const pq::Interrupt& interrupt);

 private:
  // An expensive query's last complete answer.
  struct Kept {
    std::vector<model::MetricFamily> families = {};
    std::optional<base::MonotonicTime> taken = std::nullopt;  // None before the first.
    base::MonotonicTime due;
    std::optional<base::Error> error = std::nullopt;  // Of the last attempt.
    int interruptions = 0;                            // Attempts in a row that made way.
  };
  // A query that this server cannot answer is not asked again for a while.
  struct Suspension {
    base::MonotonicTime until;
    base::Error error;
  };
  struct Asked {
    size_t collector = 0;
    const Query* query = nullptr;
  };
  struct Outcome {
    double seconds = 0;
    std::optional<base::Error> error = std::nullopt;

    void Fail(base::Error with);
  };
  // What the server spent on a collector, as long as the exporter runs.
  struct Cost {
    double seconds = 0;
    uint64_t queries = 0;
  };
  struct Plan {
    std::vector<pq::Statement> statements;  // The first identifies the server.
    std::vector<Asked> asked;               // Of statement i + 1.
  };

  std::optional<pq::ConnectFailure> EnsureConnected(base::MonotonicTime deadline);
  std::optional<pq::ConnectFailure> Identify(base::MonotonicTime deadline);
  base::Result<void> TakeIdentity(const Rows& rows);
  Plan MakePlan(Collectors collectors, std::vector<Outcome>* outcomes);
  void AddToPlan(const Asked& asked, Plan* plan, Outcome* outcome) const;
  // False when the connection turned out to be dead before the first answer.
  bool RunPlan(const Plan& plan, Collectors collectors, Scrape& scrape,
               std::vector<Outcome>* outcomes, std::optional<pq::ConnectFailure>* failure);
  void TakeAnswer(const Asked& asked, const PostgresCollector& collector,
                  base::Result<pq::RowsPtr> rows, Scrape& scrape, Outcome* outcome);
  void TakeFailure(const Query& query, const base::Error& error, Outcome* outcome);
  void EmitKept(Collectors collectors, Scrape& scrape, std::vector<Outcome>* outcomes) const;
  void CountCost(const PostgresCollector& collector, double seconds);
  base::Error Explain(const PostgresCollector& collector, const base::Error& error) const;
  std::optional<base::Error> Suspended(const Query& query) const;
  void Suspend(const Query& query, const base::Error& error);
  void Keep(const Query& query, const Rows& rows);
  void KeepFailure(const Query& query, const base::Error& error, base::MonotonicTime due);
  void Renew(const PostgresCollector& collector, const Query& query,
             const pq::Interrupt& interrupt);
  base::MonotonicTime::duration Interval(const Query& query) const;
  base::Result<void> EmitNow(const Query& query, const Rows& rows, Scrape& scrape);
  void EmitOwnCost(Collectors collectors, Scrape& scrape) const;
  void EmitOutcomes(Collectors collectors, const std::vector<Outcome>& outcomes, Scrape& scrape);
  void MakeWay(Kept* kept) const;
  void EmitUp(const std::optional<pq::ConnectFailure>& failure, Scrape& scrape);

  const PostgresOptions& options_;
  const base::Clock& clock_;
  const base::Logger& logger_;
  const pq::Interrupt& stop_;
  CollectorOutcomes outcomes_;
  std::unique_ptr<pq::Session> session_;
  Server server_;
  std::string incarnation_;  // Start time and version of the server that `kept_` is of.
  base::MonotonicTime connected_at_;
  std::optional<base::MonotonicTime> last_scrape_;
  std::map<const Query*, Kept> kept_;
  DatabaseRounds rounds_;
  Errors errors_;
  std::map<const Query*, Suspension> suspended_;
  // After a failed attempt to connect.
  base::MonotonicTime retry_at_;
  base::MonotonicTime::duration retry_delay_{};
  std::optional<pq::ConnectFailure> last_failure_;
  std::minstd_rand random_;
  uint64_t scrapes_ = 0;
  uint64_t connects_ = 0;
  std::map<std::string_view, Cost, std::less<>> cost_;  // By collector.
};

// The page of a scrape that got no turn in time.
void EmitTimedOut(Scrape& scrape);

}  // namespace exporters::postgres
