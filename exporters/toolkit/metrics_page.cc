#include "exporters/toolkit/metrics_page.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "lib/base/strings.h"
#include "lib/exposition/gzip.h"
#include "lib/exposition/negotiate.h"
#include "lib/exposition/writer.h"

namespace exporters {
namespace {

using std::chrono::milliseconds;

// Smaller bodies fit one packet as they are.
constexpr size_t kMinGzipBytes = 1400;
// A first guess that spares most pages the growing of the buffer.
constexpr size_t kBytesPerMetric = 96;

milliseconds ScrapeTimeout(const http::Request& request) {
  const auto header = request.Header("X-Prometheus-Scrape-Timeout-Seconds");
  const std::optional<double> seconds = base::ParseDouble(header.value_or(""));
  if (!seconds || !std::isfinite(*seconds) || *seconds <= 0) {
    return kDefaultScrapeTimeout;
  }
  const double ms = std::min(*seconds * 1000, static_cast<double>(kMaxScrapeTimeout.count()));
  const milliseconds timeout(static_cast<int64_t>(ms));
  // Of a very short timeout half is left for the way back.
  return timeout - std::min(kScrapeTimeoutOffset, timeout / 2);
}

// Over loopback, compressing costs both sides more than it saves.
bool IsLoopback(std::string_view address) {
  return address.substr(0, 4) == "127." || address.substr(0, 5) == "[::1]" ||
         address.substr(0, 4) == "::1:";
}

size_t CountMetrics(const std::vector<model::MetricFamily>& families) {
  size_t count = 0;
  for (const model::MetricFamily& family : families) {
    count += family.metrics.size() + 2;  // HELP and TYPE.
  }
  return count;
}

struct KindStatus {
  base::ErrorKind kind;
  int status;
};
constexpr KindStatus kStatuses[] = {
    {base::ErrorKind::kInvalidArgument, 400},   {base::ErrorKind::kNotFound, 404},
    {base::ErrorKind::kPermissionDenied, 403},  {base::ErrorKind::kUnavailable, 503},
    {base::ErrorKind::kResourceExhausted, 503}, {base::ErrorKind::kDeadlineExceeded, 504},
};

}  // namespace

ScrapeRequest ParseScrapeRequest(const http::Request& request, base::MonotonicTime now) {
  return {.deadline = now + ScrapeTimeout(request),
          .collect = request.QueryAll("collect[]"),
          .exclude = request.QueryAll("exclude[]")};
}

http::Response MetricsResponse(const http::Request& request,
                               const std::vector<model::MetricFamily>& families) {
  const exposition::Negotiated format =
      exposition::NegotiateFormat(request.Header("Accept").value_or(""));
  http::Response response{.content_type = std::string(format.content_type)};
  response.body.reserve(CountMetrics(families) * kBytesPerMetric);
  exposition::Write(format.format, families, &response.body);
  if (response.body.size() >= kMinGzipBytes && !IsLoopback(request.remote_address) &&
      exposition::AcceptsGzip(request.Header("Accept-Encoding").value_or(""))) {
    response.body = exposition::Gzip(response.body);
    response.headers.emplace_back("Content-Encoding", "gzip");
  }
  return response;
}

http::Response ErrorResponse(const base::Error& error) {
  const auto* const found =
      std::find_if(std::begin(kStatuses), std::end(kStatuses),
                   [&error](const KindStatus& row) { return row.kind == error.kind(); });
  return {.status = found == std::end(kStatuses) ? 500 : found->status,
          .body = error.message() + "\n"};
}

}  // namespace exporters
