// tarsier-pgbouncer: takes pgbouncer_exporter's place.
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "exporters/pgbouncer/collectors.h"
#include "exporters/pgbouncer/doctor.h"
#include "exporters/pgbouncer/exporter.h"
#include "exporters/pgbouncer/options.h"
#include "exporters/pgbouncer/probe.h"
#include "exporters/toolkit/exporter_main.h"
#include "exporters/toolkit/flags.h"
#include "exporters/toolkit/metrics_page.h"

namespace {

using exporters::Flag;
using exporters::ParsedFlags;

constexpr const char* kDefaultConnection =
    "postgres://postgres:@localhost:6543/pgbouncer?sslmode=disable";

std::vector<Flag> AllFlags() {
  std::vector<Flag> flags = {
      {.name = "pgBouncer.connectionString",
       .default_value = kDefaultConnection,
       .env = "PGBOUNCER_EXPORTER_CONNECTION_STRING",
       .group = "Connection",
       .help = std::string("PgBouncer's console, as a URI or as keyword=value pairs; ") +
               kDefaultConnection +
               " by default. A password may also come from PGPASSWORD or ~/.pgpass.",
       .secret = true,
       .value_name = "STRING"},
      {.name = "pgBouncer.pid-file",
       .group = "Connection",
       .help = "PgBouncer's PID file: exposes pgbouncer_process_*, if PgBouncer runs on this "
               "machine and /proc lets the exporter see it.",
       .value_name = "FILE"},
      {.name = "pgBouncer.targets-file",
       .group = "Connection",
       .help = "Other PgBouncers, for /probe?target=NAME: a line for each, its name, a space and "
               "its connection string. Read anew at every probe.",
       .value_name = "FILE"},
      {.name = "clients-limit",
       .type = exporters::FlagType::kInt,
       .default_value = std::to_string(exporters::pgbouncer::kDefaultMaxListedClients),
       .group = "Connection",
       .help = "With more clients than this, single connections are not looked at: PgBouncer "
               "serves nobody while it lists them. 0 is never."},
  };
  std::vector<exporters::CollectorRow> rows;
  for (const auto* collector : exporters::pgbouncer::AllCollectors()) {
    rows.push_back({.name = collector->name,
                    .help = collector->help,
                    .enabled_by_default = collector->enabled_by_default});
  }
  for (Flag& flag : exporters::CollectorFlags(rows)) {
    flags.push_back(std::move(flag));
  }
  return flags;
}

base::Result<exporters::pgbouncer::Options> ReadOptions(const ParsedFlags& flags) {
  exporters::pgbouncer::Options options{.pid_file = flags.String("pgBouncer.pid-file")};
  ASSIGN_OR_RETURN(options.connection, exporters::pgbouncer::ParseConnectionString(
                                           flags.Secret("pgBouncer.connectionString").Reveal(),
                                           exporters::pgbouncer::ReadConnectionDefaults()));
  constexpr int64_t kMostClients = 50000;
  const int64_t limit = flags.Int("clients-limit");
  if (limit < 0 || limit > kMostClients) {
    return base::Error("--clients-limit: " + std::to_string(limit) + " is not between 0 and " +
                           std::to_string(kMostClients),
                       base::ErrorKind::kInvalidArgument);
  }
  options.max_listed_clients = static_cast<size_t>(limit);
  for (const auto* collector : exporters::pgbouncer::AllCollectors()) {
    const std::string flag = "collector." + std::string(collector->name);
    if (flags.IsSet(flag)) {
      options.collectors.named.emplace(collector->name, flags.Bool(flag));
    }
  }
  return options;
}

base::Result<exporters::ExporterInstance> Make(const ParsedFlags& flags,
                                               const base::Logger& logger) {
  ASSIGN_OR_RETURN(exporters::pgbouncer::Options options, ReadOptions(flags));
  std::vector<exporters::Route> routes;
  if (const std::string& path = flags.String("pgBouncer.targets-file"); !path.empty()) {
    // A file that cannot be read is said now, not at the first probe.
    ASSIGN_OR_RETURN(const auto targets, exporters::pgbouncer::ReadTargets(path));
    logger.Info("PgBouncers to probe", {{"count", std::to_string(targets.size())}});
    routes.push_back(exporters::pgbouncer::MakeProbeRoute(options, path, logger));
  }
  return exporters::ExporterInstance{
      .exporter =
          std::make_unique<exporters::pgbouncer::PgBouncerExporter>(std::move(options), logger),
      .routes = std::move(routes)};
}

bool Doctor(const ParsedFlags& flags, const base::Logger& /*logger*/, std::string* report) {
  const auto options = ReadOptions(flags);
  if (!options.ok()) {
    *report += options.error().message() + "\n";
    return false;
  }
  return exporters::pgbouncer::Diagnose(
      *options, std::chrono::steady_clock::now() + exporters::kDefaultScrapeTimeout, report);
}

}  // namespace

int main(int argc, char** argv) {
  const exporters::ExporterProgram program{
      .name = "tarsier-pgbouncer",
      .description = "Exposes metrics of a PgBouncer connection pooler to Prometheus.",
      .official_name = "pgbouncer_exporter",
      .default_port = 9127,
      .flags = AllFlags(),
      .examples =
          "  tarsier-pgbouncer --pgBouncer.connectionString='host=/run/postgresql user=stats'\n"
          "  PGBOUNCER_EXPORTER_CONNECTION_STRING=postgres://stats:pw@db1:6432/pgbouncer "
          "tarsier-pgbouncer\n",
      .make = Make,
      .doctor = Doctor};
  return exporters::ExporterMain(program, argc, argv);
}
