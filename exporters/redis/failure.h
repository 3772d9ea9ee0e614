// Why a scrape got nothing: a closed set, exposed one-hot, so that an alert can tell a stopped
// server from a changed password.
#pragma once

#include <string_view>

namespace exporters::redis {

enum class FailureReason {
  kRefused,     // No connection: nothing listens there, or no route.
  kDns,         // The name has no address.
  kTimeout,     // No answer before the deadline.
  kTls,         // The handshake failed.
  kClosed,      // The server hung up in the middle.
  kProtocol,    // What answered does not speak RESP, or said something over a limit.
  kNoauth,      // The server wants a password.
  kWrongpass,   // The password, or the user, is wrong.
  kNoperm,      // The user may not run INFO.
  kLoading,     // The server is loading its data set.
  kBusy,        // A script runs and does not end.
  kMaxclients,  // The server has as many clients as it takes.
  kProtected,   // Protected mode: the server takes no connections from other hosts.
  kError,       // Any other error reply, or a setting of ours that cannot work.
};

inline constexpr FailureReason kAllFailureReasons[] = {
    FailureReason::kRefused,   FailureReason::kDns,       FailureReason::kTimeout,
    FailureReason::kTls,       FailureReason::kClosed,    FailureReason::kProtocol,
    FailureReason::kNoauth,    FailureReason::kWrongpass, FailureReason::kNoperm,
    FailureReason::kLoading,   FailureReason::kBusy,      FailureReason::kMaxclients,
    FailureReason::kProtected, FailureReason::kError,
};

// The label's value: "refused", "dns", …
std::string_view FailureReasonName(FailureReason reason);

// Of an error reply, by its first words.
FailureReason ReasonOfReply(std::string_view error_text);

}  // namespace exporters::redis
