// From an HTTP request to a scrape, and from its families to an HTTP response.
#pragma once

#include <chrono>
#include <vector>

#include "exporters/toolkit/exporter.h"
#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/http/message.h"
#include "lib/model/metric_family.h"

namespace exporters {

// Without X-Prometheus-Scrape-Timeout-Seconds a scrape may take this long, …
inline constexpr std::chrono::milliseconds kDefaultScrapeTimeout{10000};
// … with it this much less than it says, so that the answer still travels; …
inline constexpr std::chrono::milliseconds kScrapeTimeoutOffset{500};
// … and never longer than this.
inline constexpr std::chrono::milliseconds kMaxScrapeTimeout{120000};

// collect[], exclude[] and the deadline. A header that is no number is ignored.
ScrapeRequest ParseScrapeRequest(const http::Request& request, base::MonotonicTime now);

// The families in the format that Accept asks for, gzipped if Accept-Encoding allows it.
http::Response MetricsResponse(const http::Request& request,
                               const std::vector<model::MetricFamily>& families);

// Plain text; 400 for kInvalidArgument, 404 kNotFound, 403 kPermissionDenied, 503 kUnavailable and
// kResourceExhausted, 504 kDeadlineExceeded, else 500.
http::Response ErrorResponse(const base::Error& error);

}  // namespace exporters
