// Which collectors exist, which are on, and running them so that no failure spreads.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporters/toolkit/exporter.h"
#include "exporters/toolkit/scrape.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mutex.h"
#include "lib/base/result.h"
#include "lib/model/metric_family.h"

namespace exporters {

// One row of an exporter's collector table. `Context` is what the collectors of that exporter may
// see: a session, a version, options. `collect` has no state of its own; what must be remembered
// lives in Context.
template <typename Context>
struct Collector {
  std::string_view name;
  std::string_view help;  // For --help; a sentence.
  bool enabled_by_default = true;
  base::Result<void> (*collect)(Context& context, Scrape& scrape) = nullptr;
};

// What the flags said: --collector.NAME, --no-collector.NAME, --collector.disable-defaults.
struct Selection {
  std::map<std::string, bool, std::less<>> named;
  bool disable_defaults = false;

  bool Enabled(std::string_view name, bool enabled_by_default) const;
};

// The names a request asks for, checked. Errors: kInvalidArgument for collect[] together with
// exclude[], a name that does not exist ("missing collector: x") or is off ("disabled collector:
// x").
base::Result<std::vector<bool>> SelectByName(std::span<const std::string_view> names,
                                             const std::vector<bool>& enabled,
                                             const ScrapeRequest& request);

// Emits duration and success of one collector, and logs a failure once until it changes or ends.
// Thread-safe.
class CollectorOutcomes {
 public:
  // `prefix` as in "node" for node_scrape_collector_{duration_seconds,success}. `logger` must
  // outlive this.
  CollectorOutcomes(std::string_view prefix, const base::Logger& logger);

  void Report(std::string_view collector, double seconds, const base::Result<void>& outcome,
              Scrape& scrape);

 private:
  const model::DescPtr duration_;
  const model::DescPtr success_;
  const base::Logger& logger_;
  base::Mutex mutex_;
  std::map<std::string, std::string, std::less<>> last_error_ GUARDED_BY(mutex_);
};

// Thread-safe, as far as the collectors are for the Context they are given.
template <typename Context>
class CollectorSet {
 public:
  using Row = const Collector<Context>*;

  // `table` is the exporter's constexpr table and lives for ever; `logger` must outlive this.
  CollectorSet(std::span<const Row> table, const Selection& selection,
               std::string_view metric_prefix, const base::Logger& logger)
      : table_(table), outcomes_(metric_prefix, logger) {
    for (const Row row : table_) {
      names_.push_back(row->name);
      enabled_.push_back(selection.Enabled(row->name, row->enabled_by_default));
    }
  }

  // The collectors this request runs, in table order.
  base::Result<std::vector<Row>> Select(const ScrapeRequest& request) const {
    ASSIGN_OR_RETURN(const std::vector<bool> chosen, SelectByName(names_, enabled_, request));
    std::vector<Row> rows;
    for (size_t i = 0; i < table_.size(); ++i) {
      if (chosen[i]) {
        rows.push_back(table_[i]);
      }
    }
    return rows;
  }

  // Runs each; those that the deadline leaves no time for are reported as failed.
  void Run(std::span<const Row> rows, Context& context, Scrape& scrape) {
    for (const Row row : rows) {
      const base::MonotonicTime start = std::chrono::steady_clock::now();
      const base::Result<void> outcome =
          start >= scrape.deadline()
              ? base::Result<void>(base::Error("not started: the scrape's deadline had passed",
                                               base::ErrorKind::kDeadlineExceeded))
              : row->collect(context, scrape);
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
      outcomes_.Report(row->name, took.count(), outcome, scrape);
    }
  }

  // For collectors whose work is done elsewhere (pipelined queries, background threads).
  CollectorOutcomes& outcomes() { return outcomes_; }

 private:
  const std::span<const Row> table_;
  std::vector<std::string_view> names_;
  std::vector<bool> enabled_;
  CollectorOutcomes outcomes_;
};

}  // namespace exporters
