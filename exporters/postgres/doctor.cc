#include "exporters/postgres/doctor.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "exporters/postgres/collector.h"
#include "exporters/postgres/collectors.h"
#include "exporters/postgres/custom_queries.h"
#include "exporters/postgres/server_scraper.h"
#include "exporters/pq/libpq_session.h"

namespace exporters::postgres {
namespace {

constexpr std::chrono::seconds kTimeout{10};

// A question that is answered t or f, and what to say when it is f; {} is our user.
struct Check {
  std::string_view question;
  std::string_view sql;
  std::string_view advice;
  bool is_required = true;  // Else only worth knowing.
};

constexpr Check kChecks[] = {
    {"sees sessions, sizes and WAL of other users (pg_monitor)",
     "SELECT pg_has_role('pg_monitor', 'USAGE')", "GRANT pg_monitor TO {}"},
    {"sees statistics of columns and positions of sequences (bloat, identifier_overflow)",
     "SELECT to_regrole('pg_read_all_data') IS NULL OR "
     "pg_has_role(to_regrole('pg_read_all_data')::oid, 'USAGE')",
     "GRANT pg_read_all_data TO {}, which lets it read all tables, too", false},
    {"pg_stat_statements is loaded",
     "SELECT current_setting('shared_preload_libraries') LIKE '%pg_stat_statements%'",
     "ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements' (besides what is there), "
     "then "
     "restart the server"},
    {"pg_stat_statements is installed in this database",
     "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_stat_statements')",
     "CREATE EXTENSION pg_stat_statements"},
    {"times of reads and writes are measured (track_io_timing)",
     "SELECT current_setting('track_io_timing') = 'on'",
     "ALTER SYSTEM SET track_io_timing = on; SELECT pg_reload_conf()", false},
    {"has connections of its own to spare (CONNECTION LIMIT)",
     "SELECT rolconnlimit <> 1 FROM pg_roles WHERE rolname = current_user",
     "ALTER ROLE {} CONNECTION LIMIT 3: one for scrapes, one that goes round the databases, one "
     "for this"},
    {"is no superuser", "SELECT NOT rolsuper FROM pg_roles WHERE rolname = current_user",
     "CREATE ROLE monitor LOGIN; GRANT pg_monitor TO monitor, and connect as that", false},
};

std::string Line(std::string_view verdict, std::string_view text) {
  return fmt::format("{:<8} {}\n", verdict, text);
}

// True when the check passed or is not required.
bool ReportCheck(const Check& check, const base::Result<pq::RowsPtr>& rows, std::string_view user,
                 std::string* report) {
  if (!rows.ok()) {
    *report += Line("failed", fmt::format("{}: {}", check.question, rows.error().message()));
    return !check.is_required;
  }
  if ((*rows)->row_count() == 1 && (*rows)->at(0, 0) == "t") {
    *report += Line("ok", check.question);
    return true;
  }
  *report += Line(check.is_required ? "missing" : "advice",
                  fmt::format("{}: {}", check.question,
                              fmt::format(fmt::runtime(check.advice), QuoteIdentifier(user))));
  return !check.is_required;
}

std::unique_ptr<pq::Session> SessionOf(const PostgresOptions& options) {
  return options.session_factory != nullptr
             ? options.session_factory()
             : pq::MakeLibpqSession({.conninfo = options.conninfo,
                                     .statement_timeout = options.statement_timeout,
                                     .lock_timeout = options.lock_timeout});
}

std::vector<pq::Statement> CheckStatements() {
  std::vector<pq::Statement> statements = {{.sql = "SELECT current_user"}};
  for (const Check& check : kChecks) {
    statements.push_back({.sql = std::string(check.sql)});
  }
  return statements;
}

// Runs every collector that is on, once, and says which of them have nothing to read. False when a
// right is missing.
bool ReportCollectors(const PostgresOptions& options, std::string* report) {
  const base::Result<pq::Interrupt> stop = pq::Interrupt::Make();
  if (!stop.ok()) {
    *report += Line("failed", stop.error().message());
    return false;
  }
  const base::RealClock clock;
  const base::Logger silent(base::LogLevel::kError, base::LogFormat::kLogfmt,
                            [](std::string_view) {});
  std::vector<const PostgresCollector*> collectors;
  for (const PostgresCollector* const collector : AllCollectors()) {
    if (options.selection.Enabled(collector->name, collector->enabled_by_default)) {
      collectors.push_back(collector);
    }
  }
  if (options.custom_queries != nullptr) {
    const std::vector<const PostgresCollector*> custom = options.custom_queries->Collectors();
    collectors.insert(collectors.end(), custom.begin(), custom.end());
  }
  ServerScraper scraper(options, clock, silent, *stop);
  Scrape scrape(clock.Monotonic() + kTimeout);
  scraper.Collect(collectors, scrape);
  bool all_well = true;
  for (const auto& [name, error] : scraper.errors()) {
    const bool is_unsupported = error.kind() == base::ErrorKind::kUnsupported;
    all_well = all_well && is_unsupported;
    *report += Line(is_unsupported ? "off" : "failed",
                    fmt::format("collector {}: {}", name, error.message()));
  }
  *report +=
      Line("ok", fmt::format("{} of {} collectors have what they need",
                             collectors.size() - scraper.errors().size(), collectors.size()));
  return all_well;
}

}  // namespace

bool Examine(const PostgresOptions& options, std::string* report) {
  const std::unique_ptr<pq::Session> session = SessionOf(options);
  const base::MonotonicTime deadline = std::chrono::steady_clock::now() + kTimeout;
  const std::string address = options.conninfo.Server();
  if (const std::optional<pq::ConnectFailure> failure = session->Connect(deadline);
      failure.has_value()) {
    *report +=
        Line("failed", fmt::format("connects to {}: {} ({})", address, failure->error.message(),
                                   pq::FailureReasonName(failure->reason)));
    return false;
  }
  const int version = session->server_version();
  const bool is_supported = version >= kOldestVersion;
  *report += Line(is_supported ? "ok" : "failed",
                  fmt::format("connects to {}, PostgreSQL {}.{}{}", address, version / 10000,
                              version % 10000, is_supported ? "" : "; 10 is the oldest supported"));
  bool all_well = is_supported;
  std::string user = "CURRENT_USER";
  session->Run(CheckStatements(), deadline, nullptr,
               [&](size_t i, const base::Result<pq::RowsPtr>& rows, double) {
                 if (i > 0) {
                   all_well = ReportCheck(kChecks[i - 1], rows, user, report) && all_well;
                 } else if (rows.ok() && (*rows)->row_count() == 1) {
                   user = std::string((*rows)->at(0, 0).value_or(""));
                 }
               });
  session->Close();
  PostgresOptions for_collectors = options;
  for_collectors.session_factory = [&options] { return SessionOf(options); };
  return is_supported ? ReportCollectors(for_collectors, report) && all_well : false;
}

}  // namespace exporters::postgres
