// `healthcheck`: asks a program on this machine whether it lives. A few lines over Transport: an
// HTTP client library would triple the resident memory of every exporter for this one question.
#pragma once

#include <chrono>
#include <string>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/base/url.h"

namespace exporters {

inline constexpr std::chrono::milliseconds kHealthTimeout{3000};

// GETs /-/healthy of whatever listens on `listen`; an address that means "all" is asked on
// loopback. With `maybe_tls` a server that does not speak plain HTTP is asked again over TLS, its
// certificate of no interest. 200 is health, and so is 401: something lives there that wants a
// password. Errors: kUnavailable, kDeadlineExceeded.
base::Result<void> ProbeHealth(const base::HostPort& listen, bool maybe_tls,
                               base::MonotonicTime deadline);

}  // namespace exporters
