// tarsier-postgres: PostgreSQL metrics, in place of postgres_exporter.
#include <memory>
#include <string>
#include <utility>

#include "exporters/postgres/command_line.h"
#include "exporters/postgres/doctor.h"
#include "exporters/postgres/exporter.h"
#include "exporters/toolkit/exporter_main.h"
#include "lib/base/strings.h"

namespace {

namespace postgres = exporters::postgres;

constexpr char kExamples[] =
    "  DATA_SOURCE_NAME=postgresql://monitor@/postgres?host=/run/postgresql tarsier-postgres\n"
    "  DATA_SOURCE_URI=db1:5432/postgres DATA_SOURCE_USER=monitor \\\n"
    "    DATA_SOURCE_PASS_FILE=/run/secrets/password tarsier-postgres\n"
    "  tarsier-postgres doctor   # Says which rights and extensions are missing.\n";

base::Result<exporters::ExporterInstance> Make(const exporters::ParsedFlags& flags,
                                               const base::Logger& logger) {
  ASSIGN_OR_RETURN(postgres::PostgresOptions options, postgres::ParseOptions(flags, base::GetEnv));
  logger.Info("scraping PostgreSQL", {{"server", options.conninfo.Server()}});
  ASSIGN_OR_RETURN(std::unique_ptr<postgres::PostgresExporter> exporter,
                   postgres::PostgresExporter::Make(std::move(options), logger));
  return exporters::ExporterInstance{.exporter = std::move(exporter)};
}

bool Doctor(const exporters::ParsedFlags& flags, const base::Logger&, std::string* report) {
  const base::Result<postgres::PostgresOptions> options =
      postgres::ParseOptions(flags, base::GetEnv);
  if (!options.ok()) {
    *report += options.error().message() + "\n";
    return false;
  }
  return postgres::Examine(*options, report);
}

}  // namespace

int main(int argc, char** argv) {
  const exporters::ExporterProgram program{
      .name = "tarsier-postgres",
      .description = "Exposes metrics of a PostgreSQL server to Prometheus.",
      .official_name = "postgres_exporter",
      .default_port = 9187,
      .telemetry_path_env = "PG_EXPORTER_WEB_TELEMETRY_PATH",
      .flags = postgres::PostgresFlags(),
      .examples = kExamples,
      .make = Make,
      .doctor = Doctor};
  return exporters::ExporterMain(program, argc, argv);
}
