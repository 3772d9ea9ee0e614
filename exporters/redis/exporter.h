// The Redis exporter as a value: options in, families out. The binary's main and the agent both
// make one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "exporters/redis/context.h"
#include "exporters/redis/conversation.h"
#include "exporters/redis/failure.h"
#include "exporters/redis/memory.h"
#include "exporters/redis/metric_names.h"
#include "exporters/redis/options.h"
#include "exporters/redis/session.h"
#include "exporters/redis/walker.h"
#include "exporters/toolkit/collector_set.h"
#include "exporters/toolkit/exporter.h"
#include "exporters/toolkit/resolver.h"
#include "lib/base/log.h"
#include "lib/base/mutex.h"
#include "lib/base/result.h"
#include "lib/model/metric_family.h"

namespace exporters::redis {

// kInvalidArgument when an option makes no sense.
base::Result<void> CheckOptions(const Options& options);

// Thread-safe.
class RedisExporter final : public Exporter {
 public:
  // `logger` must outlive the exporter. The server need not be up. `options` have passed
  // CheckOptions.
  RedisExporter(Options options, const base::Logger& logger);

  base::Result<std::vector<model::MetricFamily>> Collect(const ScrapeRequest& request) override;

 private:
  // A conversation belongs to one scrape; the last one to end leaves its connections for the next.
  std::unique_ptr<Conversation> TakeConversation();
  void KeepConversation(std::unique_ptr<Conversation> conversation);

  void RunCollectors(std::span<const RedisCollector* const> rows, Conversation* conversation,
                     Snapshot* snapshot, Scrape& scrape);

  // Emits redis_up and why it is 0; logs when that changes.
  void ReportState(const std::optional<base::Error>& error, FailureReason reason, Scrape& scrape);
  void ReportSelf(double seconds, Scrape& scrape);

  const Options options_;
  const base::Logger& logger_;
  Resolver resolver_;
  CollectorSet<const Snapshot> collectors_;
  MetricNames names_;

  base::Mutex mutex_;
  std::unique_ptr<Conversation> idle_ GUARDED_BY(mutex_);
  std::string last_failure_ GUARDED_BY(mutex_);
  uint64_t scrapes_ GUARDED_BY(mutex_) = 0;
  double scrape_seconds_ GUARDED_BY(mutex_) = 0;
  Memory memory_;
  base::Result<std::unique_ptr<Walker>> walker_;  // Null when nothing needs one.
};

}  // namespace exporters::redis
