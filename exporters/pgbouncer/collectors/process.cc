// The process behind --pgBouncer.pid-file, as /proc shows it: pgbouncer_process_cpu_seconds_total
// and its siblings.
#include <string>
#include <vector>

#include "exporters/pgbouncer/context.h"
#include "lib/base/file.h"
#include "lib/base/strings.h"
#include "lib/exposition/process_metrics.h"

namespace exporters::pgbouncer {
namespace {

constexpr size_t kMaxPidFileBytes = 64;

base::Result<void> CollectProcess(const Snapshot& snapshot, Scrape& scrape) {
  if (snapshot.pid_file.empty()) {
    return {};
  }
  ASSIGN_OR_RETURN(const std::string content, base::ReadFile(snapshot.pid_file, kMaxPidFileBytes));
  const auto pid = base::ParseUint(base::TrimSpace(content));
  if (!pid.has_value()) {
    return base::Error(snapshot.pid_file + ": a process ID is expected",
                       base::ErrorKind::kInvalidArgument);
  }
  for (const model::MetricFamily& family :
       exposition::CollectProcessMetrics("/proc", std::to_string(*pid))) {
    const model::DescPtr desc =
        model::DynamicDesc::Make({.name = "pgbouncer_" + std::string(family.desc->name),
                                  .help = std::string(family.desc->help),
                                  .type = family.desc->type,
                                  .unit = std::string(family.desc->unit)});
    scrape.Emit(desc, family.metrics.front().value);
  }
  return {};
}

}  // namespace

extern constexpr PgBouncerCollector kProcess{.name = "process",
                                             .help = "The process that --pgBouncer.pid-file names.",
                                             .collect = CollectProcess};

}  // namespace exporters::pgbouncer
