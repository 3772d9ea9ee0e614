#include "exporters/postgres/exporter.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "exporters/postgres/collectors.h"
#include "exporters/postgres/custom_queries.h"
#include "exporters/pq/libpq_session.h"
#include "exporters/toolkit/collector_set.h"
#include "exporters/toolkit/scrape.h"

namespace exporters::postgres {
namespace {

// After its deadline a scrape waits this long for the answer that the same deadline cut short.
constexpr std::chrono::milliseconds kGrace{100};
constexpr std::chrono::hours kLongestWait{1};

PostgresOptions WithSessionFactory(PostgresOptions options) {
  if (options.session_factory == nullptr) {
    const pq::SessionOptions session{.conninfo = options.conninfo,
                                     .statement_timeout = options.statement_timeout,
                                     .lock_timeout = options.lock_timeout};
    options.session_factory = [session] { return pq::MakeLibpqSession(session); };
    options.database_session_factory = [session](const std::string& database) {
      pq::SessionOptions there = session;
      there.conninfo.Set("dbname", base::Secret(database));
      return pq::MakeLibpqSession(std::move(there));
    };
  }
  return options;
}

}  // namespace

struct PostgresExporter::Turn {
  base::MonotonicTime deadline;
  std::vector<const PostgresCollector*> collectors;
  std::vector<model::MetricFamily> families = {};  // Set before `done`.
  bool done = false;                               // Guarded by the exporter's mutex.
};

base::Result<std::unique_ptr<PostgresExporter>> PostgresExporter::Make(PostgresOptions options,
                                                                       const base::Logger& logger) {
  ASSIGN_OR_RETURN(pq::Interrupt interrupt, pq::Interrupt::Make());
  ASSIGN_OR_RETURN(pq::Interrupt stop, pq::Interrupt::Make());
  return std::unique_ptr<PostgresExporter>(new PostgresExporter(  // The constructor is private.
      WithSessionFactory(std::move(options)), logger, std::move(interrupt), std::move(stop)));
}

PostgresExporter::PostgresExporter(PostgresOptions options, const base::Logger& logger,
                                   pq::Interrupt interrupt, pq::Interrupt stop)
    : options_(std::move(options)),
      interrupt_(std::move(interrupt)),
      stop_(std::move(stop)),
      collectors_(AllCollectors().begin(), AllCollectors().end()),
      scraper_(options_, clock_, logger, stop_),
      names_of_page_(options_) {
  if (options_.custom_queries != nullptr) {
    const std::vector<const PostgresCollector*> custom = options_.custom_queries->Collectors();
    collectors_.insert(collectors_.end(), custom.begin(), custom.end());
  }
  for (const PostgresCollector* const collector : collectors_) {
    const bool enabled = options_.selection.Enabled(collector->name, collector->enabled_by_default);
    names_.push_back(collector->name);
    enabled_.push_back(enabled);
    if (enabled) {
      enabled_collectors_.push_back(collector);
    }
  }
  thread_ = std::thread([this] { Work(); });
}

PostgresExporter::~PostgresExporter() {
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
  }
  stop_.Raise();
  interrupt_.Raise();
  changed_.NotifyAll();
  thread_.join();
}

base::Result<std::vector<const PostgresCollector*>> PostgresExporter::Select(
    const ScrapeRequest& request) const {
  ASSIGN_OR_RETURN(const std::vector<bool> chosen, SelectByName(names_, enabled_, request));
  std::vector<const PostgresCollector*> collectors;
  for (size_t i = 0; i < collectors_.size(); ++i) {
    if (chosen[i]) {
      collectors.push_back(collectors_[i]);
    }
  }
  return collectors;
}

base::Result<std::vector<model::MetricFamily>> PostgresExporter::Collect(
    const ScrapeRequest& request) {
  ASSIGN_OR_RETURN(std::vector<const PostgresCollector*> collectors, Select(request));
  auto turn = std::make_shared<Turn>(
      Turn{.deadline = std::min(request.deadline, clock_.Monotonic() + options_.collection_timeout),
           .collectors = std::move(collectors)});
  base::MutexLock lock(mutex_);
  if (waiting_.size() >= kMaxWaitingScrapes) {
    return base::Error("too many scrapes wait for the server", base::ErrorKind::kResourceExhausted);
  }
  waiting_.push_back(turn);
  interrupt_.Raise();
  changed_.NotifyAll();
  while (!turn->done && !stopping_) {
    if (!changed_.WaitUntil(mutex_, turn->deadline + kGrace)) {
      break;
    }
  }
  if (turn->done) {
    return std::move(turn->families);
  }
  std::erase(waiting_, turn);
  Scrape scrape(turn->deadline);
  EmitTimedOut(scrape);
  return scrape.TakeFamilies();
}

std::shared_ptr<PostgresExporter::Turn> PostgresExporter::Await() {
  base::MutexLock lock(mutex_);
  while (waiting_.empty() && !stopping_) {
    const base::MonotonicTime now = clock_.Monotonic();
    const base::MonotonicTime refresh = scraper_.NextRefresh(enabled_collectors_);
    if (refresh <= now) {
      return nullptr;
    }
    changed_.WaitUntil(mutex_, std::min(refresh, now + kLongestWait));
  }
  // From here on only what comes later may interrupt.
  interrupt_.Clear();
  if (waiting_.empty()) {
    return nullptr;
  }
  std::shared_ptr<Turn> turn = std::move(waiting_.front());
  waiting_.pop_front();
  return turn;
}

void PostgresExporter::Work() {
  while (!stop_.raised()) {
    const std::shared_ptr<Turn> turn = Await();
    if (stop_.raised()) {
      return;
    }
    if (turn == nullptr) {
      scraper_.RefreshOne(enabled_collectors_, interrupt_);
      continue;
    }
    Scrape scrape(turn->deadline);
    scraper_.Collect(turn->collectors, scrape);
    std::vector<model::MetricFamily> families = scrape.TakeFamilies();
    names_of_page_.Apply(&families);
    {
      base::MutexLock lock(mutex_);
      turn->families = std::move(families);
      turn->done = true;
    }
    changed_.NotifyAll();
  }
}

std::vector<CollectorRow> CollectorRows() {
  std::vector<CollectorRow> rows;
  for (const PostgresCollector* const collector : AllCollectors()) {
    rows.push_back({.name = collector->name,
                    .help = collector->help,
                    .enabled_by_default = collector->enabled_by_default});
  }
  return rows;
}

}  // namespace exporters::postgres
