// COMMANDLOG LEN (Valkey 8.1): slow commands, large requests, large replies.
#include "exporters/redis/context.h"

namespace exporters::redis {
namespace {

struct LogMetric {
  Request request;
  model::MetricDesc desc;
};

constexpr LogMetric kMetrics[] = {
    {Request::kCommandlogSlowLen,
     {.name = "redis_commandlog_slow_length",
      .help = "Number of entries in the command log for slow commands (Valkey)."}},
    {Request::kCommandlogLargeRequestLen,
     {.name = "redis_commandlog_large_request_length",
      .help = "Number of entries in the command log for large requests (Valkey)."}},
    {Request::kCommandlogLargeReplyLen,
     {.name = "redis_commandlog_large_reply_length",
      .help = "Number of entries in the command log for large replies (Valkey)."}},
};

base::Result<void> CollectCommandlog(const Snapshot& snapshot, Scrape& scrape) {
  for (const LogMetric& metric : kMetrics) {
    ASSIGN_OR_RETURN(const Reply* reply, snapshot.answers.Get(metric.request));
    if (reply->type == Reply::Type::kInteger) {
      scrape.Emit(metric.desc, static_cast<double>(reply->integer));
    }
  }
  return {};
}

}  // namespace

extern constexpr RedisCollector kCommandlog{
    .name = "commandlog", .help = "Length of Valkey's command logs.", .collect = CollectCommandlog};

}  // namespace exporters::redis
