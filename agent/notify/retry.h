// What the answer to a delivery means, and when to try again.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/http/client.h"

namespace notify {

inline constexpr std::chrono::seconds kFirstBackoff{1};
inline constexpr std::chrono::seconds kMaxBackoff{60};
inline constexpr std::chrono::minutes kMaxRetryAfter{15};

struct Verdict {
  enum class Kind {
    kDelivered,
    kRetry,     // No answer, 5xx, 408, 425, 429: it may pass.
    kRejected,  // The receiver does not want it.
  };
  Kind kind = Kind::kDelivered;
  std::string reason = {};  // Of the failures, without secrets.
  // What the receiver asked for; at most kMaxRetryAfter.
  std::optional<std::chrono::milliseconds> retry_after = std::nullopt;
};

Verdict Judge(const base::Result<http::ClientResponse>& response, base::WallTime now);

// "120" or an HTTP date; nothing when it is neither, zero when it has passed.
std::optional<std::chrono::milliseconds> ParseRetryAfter(std::string_view text, base::WallTime now);

// Uniform in [0, 1).
using RandomFunc = std::function<double()>;

// The pause after the n-th failure in a row, n from 1: doubling from kFirstBackoff to kMaxBackoff,
// of which the upper half is random, so that many senders do not come back at once. A receiver's
// own wish is a lower bound.
std::chrono::milliseconds BackoffAfter(int failures, const Verdict& verdict,
                                       const RandomFunc& random);

}  // namespace notify
