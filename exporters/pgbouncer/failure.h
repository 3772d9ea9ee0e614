// Why a scrape got nothing: a closed set, exposed one-hot, so that an alert, and its reader, can
// tell a wrong password from a user who may not see statistics.
#pragma once

#include <string_view>

#include "exporters/pgbouncer/protocol.h"
#include "lib/base/result.h"

namespace exporters::pgbouncer {

enum class FailureReason {
  kRefused,       // No connection: nothing listens there, or no route.
  kDns,           // The name has no address.
  kTimeout,       // No answer before the deadline.
  kTls,           // No TLS where it is required, or the handshake failed.
  kClosed,        // The server hung up in the middle.
  kProtocol,      // What answered does not speak the protocol, or said something over a limit.
  kAuth,          // User or password is wrong.
  kBadDatabase,   // Connected, but not to the console.
  kNotStatsUser,  // The user may not enter the console.
  kShutdown,      // PgBouncer is shutting down.
  kError,         // Any other error, or a setting of ours that cannot work.
};

inline constexpr FailureReason kAllFailureReasons[] = {
    FailureReason::kRefused,  FailureReason::kDns,         FailureReason::kTimeout,
    FailureReason::kTls,      FailureReason::kClosed,      FailureReason::kProtocol,
    FailureReason::kAuth,     FailureReason::kBadDatabase, FailureReason::kNotStatsUser,
    FailureReason::kShutdown, FailureReason::kError,
};

// The label's value: "refused", "dns", …
std::string_view FailureReasonName(FailureReason reason);

// Of an ErrorResponse while logging in.
FailureReason ReasonOfServerError(const ServerMessage& message);

}  // namespace exporters::pgbouncer
