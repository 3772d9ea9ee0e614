// The PostgreSQL exporter: one server, one session, one thread that uses it.
#pragma once

#include <deque>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "exporters/postgres/collector.h"
#include "exporters/postgres/options.h"
#include "exporters/postgres/page_names.h"
#include "exporters/postgres/server_scraper.h"
#include "exporters/pq/interrupt.h"
#include "exporters/toolkit/exporter.h"
#include "exporters/toolkit/flags.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mutex.h"
#include "lib/base/result.h"

namespace exporters::postgres {

// Scrapes beyond this many that wait for their turn are refused with kResourceExhausted.
inline constexpr size_t kMaxWaitingScrapes = 64;

// Thread-safe. Scrapes take turns at the session; what the server, its name or the network does to
// the thread, a scrape is answered at its deadline. Between scrapes the thread renews what is
// expensive, and drops that for a scrape that comes.
class PostgresExporter final : public Exporter {
 public:
  // Does not connect. `logger` must outlive the exporter. Errors: no file descriptors left.
  static base::Result<std::unique_ptr<PostgresExporter>> Make(PostgresOptions options,
                                                              const base::Logger& logger);
  ~PostgresExporter() override;

  base::Result<std::vector<model::MetricFamily>> Collect(const ScrapeRequest& request) override;

 private:
  struct Turn;

  PostgresExporter(PostgresOptions options, const base::Logger& logger, pq::Interrupt interrupt,
                   pq::Interrupt stop);

  base::Result<std::vector<const PostgresCollector*>> Select(const ScrapeRequest& request) const;
  void Work();
  // The next scrape; null when there is something to renew or stop instead.
  std::shared_ptr<Turn> Await();

  const PostgresOptions options_;
  const base::RealClock clock_;
  const pq::Interrupt interrupt_;  // Raised by scrapes, for what is renewed.
  const pq::Interrupt stop_;
  std::vector<const PostgresCollector*> collectors_;  // All there are, those of the user last.
  std::vector<std::string_view> names_;
  std::vector<bool> enabled_;
  std::vector<const PostgresCollector*> enabled_collectors_;
  ServerScraper scraper_;  // The thread's own, as are the names.
  PageNames names_of_page_;
  base::Mutex mutex_;
  base::CondVar changed_;
  std::deque<std::shared_ptr<Turn>> waiting_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

// For --help and --collector.NAME.
std::vector<CollectorRow> CollectorRows();

}  // namespace exporters::postgres
