// SHOW VERSION.
#include "exporters/pgbouncer/context.h"

namespace exporters::pgbouncer {
namespace {

constexpr model::MetricDesc kVersionInfo{.name = "pgbouncer_version_info",
                                         .help = "Which version of PgBouncer runs.",
                                         .labels = {"version"}};

base::Result<void> CollectVersion(const Snapshot& snapshot, Scrape& scrape) {
  if (snapshot.version_text.empty()) {
    return base::Error("SHOW VERSION: the answer has no version",
                       base::ErrorKind::kInvalidArgument);
  }
  scrape.Emit(kVersionInfo, 1, {snapshot.version_text});
  return {};
}

}  // namespace

extern constexpr PgBouncerCollector kVersion{
    .name = "version", .help = "The version of PgBouncer.", .collect = CollectVersion};

}  // namespace exporters::pgbouncer
