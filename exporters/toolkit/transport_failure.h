// What the errors of a Transport mean, in the words of an exporter's own closed set of reasons:
// an enum that has kRefused, kDns, kTimeout, kClosed, kProtocol and kError.
#pragma once

#include "lib/base/result.h"

namespace exporters {

// Of failing to connect.
template <typename Reason>
constexpr Reason ReasonOfConnect(base::ErrorKind kind) {
  switch (kind) {
    case base::ErrorKind::kNotFound:
    case base::ErrorKind::kResourceExhausted:
      return Reason::kDns;
    case base::ErrorKind::kDeadlineExceeded:
      return Reason::kTimeout;
    case base::ErrorKind::kInvalidArgument:
      return Reason::kError;
    default:
      return Reason::kRefused;
  }
}

// Of failing to write or read.
template <typename Reason>
constexpr Reason ReasonOfExchange(base::ErrorKind kind) {
  switch (kind) {
    case base::ErrorKind::kDeadlineExceeded:
      return Reason::kTimeout;
    case base::ErrorKind::kInvalidArgument:
    case base::ErrorKind::kResourceExhausted:
      return Reason::kProtocol;
    default:
      return Reason::kClosed;
  }
}

}  // namespace exporters
