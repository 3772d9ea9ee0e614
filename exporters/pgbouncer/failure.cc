#include "exporters/pgbouncer/failure.h"

namespace exporters::pgbouncer {
namespace {

struct TextRow {
  std::string_view text;  // Somewhere in the message.
  FailureReason reason;
};

// PgBouncer has one SQLSTATE (08P01) for most of these, so its words decide.
constexpr TextRow kTexts[] = {
    {"not allowed", FailureReason::kNotStatsUser},
    {"authentication failed", FailureReason::kAuth},
    {"auth failed", FailureReason::kAuth},
    {"no such user", FailureReason::kAuth},
    {"no username supplied", FailureReason::kAuth},
    {"login rejected", FailureReason::kAuth},
    {"no authentication method", FailureReason::kAuth},
    {"no pg_hba.conf entry", FailureReason::kAuth},
    {"no such database", FailureReason::kBadDatabase},
    {"does not exist", FailureReason::kBadDatabase},
    {"shutting down", FailureReason::kShutdown},
    {"SSL required", FailureReason::kTls},
    {"TLS required", FailureReason::kTls},
};

}  // namespace

std::string_view FailureReasonName(FailureReason reason) {
  switch (reason) {
    case FailureReason::kRefused:
      return "refused";
    case FailureReason::kDns:
      return "dns";
    case FailureReason::kTimeout:
      return "timeout";
    case FailureReason::kTls:
      return "tls";
    case FailureReason::kClosed:
      return "closed";
    case FailureReason::kProtocol:
      return "protocol";
    case FailureReason::kAuth:
      return "auth";
    case FailureReason::kBadDatabase:
      return "bad_database";
    case FailureReason::kNotStatsUser:
      return "not_stats_user";
    case FailureReason::kShutdown:
      return "shutdown";
    case FailureReason::kError:
      return "error";
  }
  return "error";
}

FailureReason ReasonOfServerError(const ServerMessage& message) {
  for (const TextRow& row : kTexts) {
    if (message.text.find(row.text) != std::string::npos) {
      return row.reason;
    }
  }
  return message.code.substr(0, 2) == "28" ? FailureReason::kAuth : FailureReason::kError;
}

}  // namespace exporters::pgbouncer
