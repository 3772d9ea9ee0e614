// SLOWLOG LEN and SLOWLOG GET, whose first entry is [id, time, microseconds, arguments, …].
#include "exporters/redis/context.h"

namespace exporters::redis {
namespace {

constexpr model::MetricDesc kLength{.name = "redis_slowlog_length",
                                    .help = "Number of entries in the slow log."};
constexpr model::MetricDesc kLastId{
    .name = "redis_slowlog_last_id",
    .help = "Number of the newest entry in the slow log; also 0 while the log is empty."};
constexpr model::MetricDesc kLastDuration{
    .name = "redis_last_slow_execution_duration_seconds",
    .help =
        "How long the newest entry in the slow log took, in seconds; 0 while the log is empty."};

base::Result<void> CollectSlowlog(const Snapshot& snapshot, Scrape& scrape) {
  ASSIGN_OR_RETURN(const Reply* length, snapshot.answers.Get(Request::kSlowlogLen));
  if (length->type == Reply::Type::kInteger) {
    scrape.Emit(kLength, static_cast<double>(length->integer));
  }
  ASSIGN_OR_RETURN(const Reply* entries, snapshot.answers.Get(Request::kSlowlogGet));
  if (entries->type == Reply::Type::kNil) {
    return {};
  }
  if (entries->IsArray() && entries->elements.empty()) {
    scrape.Emit(kLastId, 0);
    scrape.Emit(kLastDuration, 0);
    return {};
  }
  if (!entries->IsArray() || entries->elements[0].elements.size() < 3) {
    return base::Error("SLOWLOG GET: a list of entries is expected",
                       base::ErrorKind::kInvalidArgument);
  }
  const std::vector<Reply>& newest = entries->elements[0].elements;
  scrape.Emit(kLastId, static_cast<double>(newest[0].integer));
  scrape.Emit(kLastDuration, static_cast<double>(newest[2].integer) / 1e6);
  return {};
}

}  // namespace

extern constexpr RedisCollector kSlowlog{
    .name = "slowlog", .help = "The slow log: length and newest entry.", .collect = CollectSlowlog};

}  // namespace exporters::redis
