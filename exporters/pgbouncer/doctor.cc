#include "exporters/pgbouncer/doctor.h"

#include <fmt/format.h>

#include "exporters/pgbouncer/console.h"
#include "exporters/pgbouncer/failure.h"

namespace exporters::pgbouncer {
namespace {

struct Advice {
  FailureReason reason;
  std::string_view text;
};

constexpr Advice kAdvice[] = {
    {FailureReason::kRefused, "Is PgBouncer running, and is this its listen_addr and port?"},
    {FailureReason::kDns, "Check the host name in the connection string."},
    {FailureReason::kTimeout, "PgBouncer, or a firewall on the way, does not answer."},
    {FailureReason::kTls, "Check sslmode and sslrootcert here and client_tls_sslmode there."},
    {FailureReason::kClosed, "PgBouncer hung up; its log says why."},
    {FailureReason::kProtocol, "What listens there is not PgBouncer."},
    {FailureReason::kAuth, "Check user and password, and auth_file or auth_query in PgBouncer."},
    {FailureReason::kBadDatabase, "End the connection string with /pgbouncer."},
    {FailureReason::kNotStatsUser, "Add the user to stats_users, as shown below, and RELOAD."},
    {FailureReason::kShutdown, "PgBouncer is shutting down; wait."},
    {FailureReason::kError, "See the error above."},
};

std::string_view AdviceFor(FailureReason reason) {
  for (const Advice& advice : kAdvice) {
    if (advice.reason == reason) {
      return advice.text;
    }
  }
  return "";
}

}  // namespace

bool Diagnose(const Options& options, base::MonotonicTime deadline, std::string* report) {
  Resolver resolver;
  ScramKeyCache keys;
  Console console(options.connection, resolver, keys);
  const base::Result<Snapshot> snapshot = console.Fetch(deadline, options.max_listed_clients);
  bool well = snapshot.ok();
  if (well) {
    *report += fmt::format("{}: reachable, {}\nCommands of a scrape:\n",
                           options.connection.ToString(), snapshot->version_text);
    for (const ShowRow& show : kShows) {
      if (snapshot->version < show.since || (show.lists_connections && !snapshot->listed)) {
        *report += fmt::format(
            "  {:<8} {}: {}\n", "not asked", show.command,
            snapshot->listed ? "newer than this server" : "more clients than --clients-limit");
        continue;
      }
      const auto answer = snapshot->Get(show.id);
      well = well && answer.ok();
      *report += fmt::format("  {:<8} {}\n", answer.ok() ? "ok" : "refused",
                             answer.ok() ? std::string(show.command) : answer.error().message());
    }
  } else {
    *report += fmt::format("{}\n  reason: {}\n  {}\n", snapshot.error().message(),
                           FailureReasonName(console.failure_reason()),
                           AdviceFor(console.failure_reason()));
  }
  *report += fmt::format(
      "What the exporter needs in pgbouncer.ini: stats_users = {}\n"
      "(admin_users works, too, but lets it do more than read). The user needs a line in\n"
      "auth_file; ignore_startup_parameters needs no entry for this exporter.\n",
      options.connection.user);
  return well;
}

}  // namespace exporters::pgbouncer
