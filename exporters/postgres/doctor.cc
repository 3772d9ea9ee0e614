#include "exporters/postgres/doctor.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "exporters/postgres/collector.h"
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

std::vector<pq::Statement> CheckStatements() {
  std::vector<pq::Statement> statements = {{.sql = "SELECT current_user"}};
  for (const Check& check : kChecks) {
    statements.push_back({.sql = std::string(check.sql)});
  }
  return statements;
}

}  // namespace

bool Examine(const PostgresOptions& options, std::string* report) {
  const std::unique_ptr<pq::Session> session =
      options.session_factory != nullptr
          ? options.session_factory()
          : pq::MakeLibpqSession({.conninfo = options.conninfo,
                                  .statement_timeout = options.statement_timeout,
                                  .lock_timeout = options.lock_timeout});
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
  return all_well;
}

}  // namespace exporters::postgres
