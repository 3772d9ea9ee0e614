#include "exporters/redis/doctor.h"

#include <fmt/format.h>

#include "exporters/redis/failure.h"
#include "exporters/redis/requests.h"
#include "exporters/redis/session.h"
#include "exporters/toolkit/resolver.h"
#include "lib/base/strings.h"

namespace exporters::redis {
namespace {

struct Advice {
  FailureReason reason;
  std::string_view text;
};

constexpr Advice kAdvice[] = {
    {FailureReason::kRefused, "Is the server running, and is this its port? Check --redis.addr."},
    {FailureReason::kDns, "Check the host name in --redis.addr."},
    {FailureReason::kTimeout, "The server, or a firewall on the way, does not answer."},
    {FailureReason::kTls,
     "Check the scheme (rediss://), --tls-ca-cert-file and --tls-server-name."},
    {FailureReason::kClosed, "The server hung up; if it wants TLS, use rediss://."},
    {FailureReason::kProtocol, "What listens there is not Redis, or speaks TLS: try rediss://."},
    {FailureReason::kNoauth, "Give a password: --redis.password-file or REDIS_PASSWORD."},
    {FailureReason::kWrongpass, "Check --redis.user and the password."},
    {FailureReason::kNoperm, "Give the user the ACL rule below."},
    {FailureReason::kLoading, "The server is loading its data set; wait."},
    {FailureReason::kBusy, "A script blocks the server: SCRIPT KILL ends it."},
    {FailureReason::kMaxclients, "Raise maxclients, or find out who opens so many connections."},
    {FailureReason::kProtected,
     "Protected mode: set a password on the server, or bind to this host."},
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

// Commands beyond the fixed requests, and when they are sent.
struct ExtraCommands {
  std::string_view what;
  bool (*wanted)(const Options& options);
  std::string_view grants;
  bool keys;  // They read keys.
};

constexpr ExtraCommands kExtras[] = {
    {"checked keys",
     [](const Options& options) {
       return !options.keys.single_keys.empty() || !options.keys.patterns.empty();
     },
     "+select +type +memory|usage +strlen +llen +scard +zcard +hlen +xlen +getrange", true},
    {"streams",
     [](const Options& options) {
       return !options.keys.single_streams.empty() || !options.keys.streams.empty();
     },
     "+select +xinfo|stream +xinfo|groups +xinfo|consumers", true},
    {"the walk through the keys",
     [](const Options& options) { return options.keys.NeedsWalk() || options.queues.discover; },
     "+select +scan", true},
    {"key groups", [](const Options& options) { return !options.keys.groups.empty(); },
     "+memory|usage", true},
    {"job queues", [](const Options& options) { return options.queues.Any(); },
     "+select +srandmember +scard +sismember +llen +lindex +lrange +zcard +zcount +zrange +get "
     "+hget +hmget +hlen +hexists +exists",
     true},
    {"the nodes of the cluster", [](const Options& options) { return options.is_cluster; },
     "+cluster|nodes", false},
};

// True when nothing is missing. An unknown command is not: the server is older, or another make.
bool ReportAnswers(const Options& options, const Snapshot& snapshot, std::string* report) {
  bool complete = true;
  const ServerTraits traits = TraitsOf(snapshot.info);
  for (const RequestRow& row : AllRequests()) {
    if (!row.wanted(options, traits)) {
      continue;
    }
    const auto answer = snapshot.answers.Get(row.id);
    const bool unknown = !answer.ok() && answer.error().kind() == base::ErrorKind::kUnsupported;
    complete = complete && (answer.ok() || unknown);
    *report += fmt::format("  {:<8} {}\n", answer.ok() ? "ok" : (unknown ? "unknown" : "refused"),
                           answer.ok() ? row.Name() : answer.error().message());
  }
  for (const ExtraCommands& extra : kExtras) {
    if (extra.wanted(options)) {
      *report += fmt::format("  for {}: {}\n", extra.what, extra.grants);
    }
  }
  return complete;
}

void Grant(std::string_view grant, std::string* rule) {
  if ((*rule + " ").find(fmt::format(" {} ", grant)) == std::string::npos) {
    *rule += fmt::format(" {}", grant);
  }
}

}  // namespace

std::string AclRule(const Options& options) {
  std::string rule = "-@all +ping +client|setname";
  for (const RequestRow& row : AllRequests()) {
    // COMMANDLOG is left out: a server that does not know it would refuse the whole rule.
    if (!row.wanted(options, {.known = true, .cluster = true, .commandlog = false})) {
      continue;
    }
    std::string grant = "+" + base::ToLower(row.words[0]);
    if (row.id != Request::kInfo) {
      grant += "|" + base::ToLower(row.words[1]);
    }
    Grant(grant, &rule);
  }
  bool keys = false;
  for (const ExtraCommands& extra : kExtras) {
    if (!extra.wanted(options)) {
      continue;
    }
    keys = keys || extra.keys;
    for (const std::string_view grant : base::Split(extra.grants, ' ')) {
      Grant(grant, &rule);
    }
  }
  rule += keys ? " %R~*" : "";
  return rule;
}

bool Diagnose(const Options& options, base::MonotonicTime deadline, std::string* report) {
  Resolver resolver;
  Session session(options, resolver);
  const base::Result<Snapshot> snapshot = session.Fetch(deadline);
  bool well = snapshot.ok();
  if (well) {
    *report += fmt::format("{}: reachable, version {}, role {}\nCommands of a scrape:\n",
                           options.address.ToString(), snapshot->info.Get("redis_version"),
                           snapshot->info.Get("role"));
    well = ReportAnswers(options, *snapshot, report);
  } else {
    *report += fmt::format("{}\n  reason: {}\n  {}\n", snapshot.error().message(),
                           FailureReasonName(session.failure_reason()),
                           AdviceFor(session.failure_reason()));
  }
  *report += fmt::format(
      "A user of its own for the exporter (Redis 7.0 and later, as an administrator):\n"
      "  ACL SETUSER tarsier on >PASSWORD {}\n"
      "On Valkey 8.1 and later add +commandlog|len.\n",
      AclRule(options));
  return well;
}

}  // namespace exporters::redis
