// tarsier-postgres: PostgreSQL metrics, in place of postgres_exporter.
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "exporters/postgres/command_line.h"
#include "exporters/postgres/doctor.h"
#include "exporters/postgres/exporter.h"
#include "exporters/postgres/probe.h"
#include "exporters/toolkit/exporter_main.h"
#include "lib/base/file.h"
#include "lib/base/strings.h"

namespace {

namespace postgres = exporters::postgres;

constexpr char kExamples[] =
    "  DATA_SOURCE_NAME=postgresql://monitor@/postgres?host=/run/postgresql tarsier-postgres\n"
    "  DATA_SOURCE_URI=db1:5432/postgres DATA_SOURCE_USER=monitor \\\n"
    "    DATA_SOURCE_PASS_FILE=/run/secrets/password tarsier-postgres\n"
    "  tarsier-postgres doctor   # Says which rights and extensions are missing.\n";

// Nullopt without a file: the default one need not be there, one that is named must.
base::Result<std::optional<postgres::ProbeConfig>> ReadProbeConfig(
    const exporters::ParsedFlags& flags) {
  const std::string& path = flags.String("config.file");
  const base::Result<std::string> text = base::ReadFile(path);
  if (text.ok()) {
    ASSIGN_OR_RETURN(postgres::ProbeConfig config, postgres::ParseProbeConfig(*text, path));
    return std::optional(std::move(config));
  }
  if (text.error().kind() == base::ErrorKind::kNotFound && !flags.IsSet("config.file")) {
    return std::optional<postgres::ProbeConfig>();
  }
  return text.error().WithContext("flag --config.file");
}

base::Result<exporters::ExporterInstance> Make(const exporters::ParsedFlags& flags,
                                               const base::Logger& logger) {
  ASSIGN_OR_RETURN(postgres::PostgresOptions options, postgres::ParseOptions(flags, base::GetEnv));
  ASSIGN_OR_RETURN(const std::optional<postgres::ProbeConfig> config, ReadProbeConfig(flags));
  exporters::Route probe =
      postgres::MakeProbeRoute(options,
                               std::make_shared<postgres::ProbeConfigFile>(
                                   config.has_value() ? flags.String("config.file") : "",
                                   config.value_or(postgres::ProbeConfig()), logger),
                               logger);
  if (config.has_value()) {
    options.config_loaded_at = std::chrono::system_clock::now();
  }
  logger.Info("scraping PostgreSQL", {{"server", options.conninfo.Server()}});
  ASSIGN_OR_RETURN(std::unique_ptr<postgres::PostgresExporter> exporter,
                   postgres::PostgresExporter::Make(std::move(options), logger));
  return exporters::ExporterInstance{.exporter = std::move(exporter), .routes = {std::move(probe)}};
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
