#include "exporters/pq/failure.h"

#include <cstddef>
#include <iterator>

#include "lib/base/strings.h"

namespace exporters::pq {
namespace {

using base::ErrorKind;

struct SqlstateRow {
  std::string_view prefix;  // A whole code or a class.
  ErrorKind kind;
};

// https://www.postgresql.org/docs/current/errcodes-appendix.html; the first match counts.
constexpr SqlstateRow kSqlstates[] = {
    {"57014", ErrorKind::kDeadlineExceeded},  // query_canceled: statement_timeout.
    {"55P03", ErrorKind::kDeadlineExceeded},  // lock_not_available: lock_timeout.
    {"25P03", ErrorKind::kDeadlineExceeded},  // idle_in_transaction_session_timeout.
    {"42501", ErrorKind::kPermissionDenied},  // insufficient_privilege
    {"42883", ErrorKind::kNotFound},          // undefined_function
    {"42P01", ErrorKind::kNotFound},          // undefined_table
    {"42703", ErrorKind::kNotFound},          // undefined_column
    {"42704", ErrorKind::kNotFound},          // undefined_object
    {"3F000", ErrorKind::kNotFound},          // invalid_schema_name
    {"3D000", ErrorKind::kNotFound},          // invalid_catalog_name
    {"0A", ErrorKind::kUnsupported},          // feature_not_supported
    {"55000", ErrorKind::kUnsupported},       // Such as a library that is not preloaded.
    {"28", ErrorKind::kPermissionDenied},     // invalid_authorization_specification
    {"53", ErrorKind::kResourceExhausted},    // insufficient_resources
    {"54", ErrorKind::kResourceExhausted},    // program_limit_exceeded
    {"57P", ErrorKind::kUnavailable},         // admin_shutdown, crash_shutdown, cannot_connect_now
    {"08", ErrorKind::kUnavailable},          // connection_exception
    {"22", ErrorKind::kInvalidArgument},      // data_exception
    {"42", ErrorKind::kInvalidArgument},      // syntax_error_or_access_rule_violation
};

struct ReasonRow {
  std::string_view mark;
  FailureReason reason;
  ErrorKind kind;
};

// SQLSTATE as VERBOSE prints it ("FATAL:  28P01: …"), then libpq's own words, in the C locale.
constexpr ReasonRow kReasons[] = {
    {":  28", FailureReason::kAuth, ErrorKind::kPermissionDenied},
    {":  3D000:", FailureReason::kNoDatabase, ErrorKind::kNotFound},
    {":  55000:", FailureReason::kNoDatabase, ErrorKind::kUnavailable},  // datallowconn is off.
    {":  53300:", FailureReason::kTooManyConnections, ErrorKind::kResourceExhausted},
    {":  57P0", FailureReason::kStarting, ErrorKind::kUnavailable},
    {":  42501:", FailureReason::kAuth, ErrorKind::kPermissionDenied},  // No CONNECT privilege.
    {"could not translate host name", FailureReason::kDns, ErrorKind::kUnavailable},
    {"could not parse network address", FailureReason::kDns, ErrorKind::kInvalidArgument},
    {"no password supplied", FailureReason::kAuth, ErrorKind::kPermissionDenied},
    {"password file", FailureReason::kAuth, ErrorKind::kPermissionDenied},
    {"no such user", FailureReason::kAuth, ErrorKind::kPermissionDenied},  // PgBouncer.
    {"no such database", FailureReason::kNoDatabase, ErrorKind::kNotFound},
    {"SSL", FailureReason::kTls, ErrorKind::kUnavailable},
    {"certificate", FailureReason::kTls, ErrorKind::kUnavailable},
    {"Connection refused", FailureReason::kRefused, ErrorKind::kUnavailable},
    {"No such file or directory", FailureReason::kRefused, ErrorKind::kUnavailable},
    {"No route to host", FailureReason::kRefused, ErrorKind::kUnavailable},
    {"Network is unreachable", FailureReason::kRefused, ErrorKind::kUnavailable},
    {"Permission denied", FailureReason::kRefused, ErrorKind::kPermissionDenied},
    {"timed out", FailureReason::kTimeout, ErrorKind::kDeadlineExceeded},
    {"timeout expired", FailureReason::kTimeout, ErrorKind::kDeadlineExceeded},
    {"server closed the connection", FailureReason::kLost, ErrorKind::kUnavailable},
    {"Connection reset", FailureReason::kLost, ErrorKind::kUnavailable},
    {"Broken pipe", FailureReason::kLost, ErrorKind::kUnavailable},
};

// One line, without "LOCATION:", "HINT: " and the like, which VERBOSE adds, kept short.
std::string Tidy(std::string_view message) {
  constexpr size_t kMaxMessageBytes = 500;
  std::string tidy;
  for (const std::string_view line : base::Split(message, '\n')) {
    const std::string_view text = base::TrimSpace(line);
    if (text.empty() || text.starts_with("LOCATION:") ||
        text.starts_with("Is the server running")) {
      continue;
    }
    tidy += tidy.empty() ? "" : "; ";
    tidy += text;
  }
  return base::ToValidUtf8(std::string_view(tidy).substr(0, kMaxMessageBytes));
}

}  // namespace

std::string_view FailureReasonName(FailureReason reason) {
  switch (reason) {
    case FailureReason::kDns:
      return "dns";
    case FailureReason::kRefused:
      return "refused";
    case FailureReason::kTimeout:
      return "timeout";
    case FailureReason::kTls:
      return "tls";
    case FailureReason::kAuth:
      return "auth";
    case FailureReason::kNoDatabase:
      return "no_database";
    case FailureReason::kTooManyConnections:
      return "too_many_connections";
    case FailureReason::kStarting:
      return "starting";
    case FailureReason::kLost:
      return "connection_lost";
    case FailureReason::kOther:
      return "other";
  }
  return "other";
}

base::ErrorKind KindOfSqlstate(std::string_view sqlstate) {
  for (const SqlstateRow& row : kSqlstates) {
    if (sqlstate.starts_with(row.prefix)) {
      return row.kind;
    }
  }
  return ErrorKind::kUnknown;
}

ConnectFailure ClassifyConnectFailure(std::string_view message) {
  for (const ReasonRow& row : kReasons) {
    if (message.find(row.mark) != std::string_view::npos) {
      return {.reason = row.reason, .error = base::Error(Tidy(message), row.kind)};
    }
  }
  return {.reason = FailureReason::kOther,
          .error = base::Error(Tidy(message), ErrorKind::kUnavailable)};
}

bool RefusesStartupOptions(std::string_view message) {
  for (const std::string_view mark :
       {"unsupported startup parameter", "command-line options", ":  0A000:"}) {
    if (message.find(mark) != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

}  // namespace exporters::pq
