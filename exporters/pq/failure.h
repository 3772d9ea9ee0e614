// Why a connection or query failed, from SQLSTATE codes and libpq's texts. Pure.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace exporters::pq {

// The closed set behind `pg_up_failure_reason`.
enum class FailureReason {
  kDns,                 // The host name does not resolve.
  kRefused,             // Nothing listens there, or it cannot be reached.
  kTimeout,             // No answer in time.
  kTls,                 // TLS is refused, demanded, or its certificate is not trusted.
  kAuth,                // Wrong user or password, or pg_hba.conf says no.
  kNoDatabase,          // The database does not exist or takes no connections.
  kTooManyConnections,  // No connection slot left.
  kStarting,            // Starting up, shutting down or in recovery.
  kLost,                // The connection broke.
  kOther,
};

inline constexpr std::array kFailureReasons = {
    FailureReason::kDns,      FailureReason::kRefused, FailureReason::kTimeout,
    FailureReason::kTls,      FailureReason::kAuth,    FailureReason::kNoDatabase,
    FailureReason::kStarting, FailureReason::kLost,    FailureReason::kTooManyConnections,
    FailureReason::kOther,
};

// "dns", "refused", "too_many_connections", …
std::string_view FailureReasonName(FailureReason reason);

struct ConnectFailure {
  FailureReason reason = FailureReason::kOther;
  base::Error error;
};

// What the five characters of a SQLSTATE mean to us; its class decides where the code is unknown.
base::ErrorKind KindOfSqlstate(std::string_view sqlstate);

// Of a failed connection attempt. `message` is libpq's, at verbosity VERBOSE; every line of it is
// the attempt at one address. The result has no trailing spaces and no source locations.
ConnectFailure ClassifyConnectFailure(std::string_view message);

// Whether the other side is a pooler that refuses start-up options it does not know.
bool RefusesStartupOptions(std::string_view message);

}  // namespace exporters::pq
