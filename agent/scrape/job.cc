#include "agent/scrape/job.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

namespace scrape {
namespace {

bool SameRules(const std::vector<relabel::Rule>& a, const std::vector<relabel::Rule>& b) {
  return std::equal(
      a.begin(), a.end(), b.begin(), b.end(),
      [](const relabel::Rule& x, const relabel::Rule& y) { return x.spec() == y.spec(); });
}

auto HttpFields(const http::ClientOptions& http) {
  return std::tie(http.basic_auth_user, http.basic_auth_password, http.bearer_token, http.ca_file,
                  http.cert_file, http.key_file, http.server_name, http.insecure_skip_verify,
                  http.follow_redirects, http.proxy_url);
}

auto PlainFields(const JobOptions& job) {
  return std::tie(job.name, job.interval, job.timeout, job.honor_labels, job.honor_timestamps,
                  job.track_timestamps_staleness, job.enable_compression, job.extra_metrics,
                  job.metrics_path, job.scheme, job.params, job.protocols, job.fallback_format,
                  job.limits, job.auth);
}

constexpr std::string_view MediaType(Protocol protocol) {
  switch (protocol) {
    case Protocol::kOpenMetrics1:
      return "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8";
    case Protocol::kOpenMetrics0:
      return "application/openmetrics-text;version=0.0.1";
    case Protocol::kText1:
      return "text/plain;version=1.0.0;escaping=allow-utf-8";
    case Protocol::kText0:
      break;
  }
  return "text/plain;version=0.0.4";
}

}  // namespace

std::string AcceptHeader(const std::vector<Protocol>& protocols) {
  std::string header;
  size_t weight = protocols.size() + 2;  // Tenths; "*/*" has two.
  for (const Protocol protocol : protocols) {
    header += fmt::format("{};q=0.{},", MediaType(protocol), weight--);
  }
  return header + fmt::format("*/*;q=0.{}", weight);
}

bool JobOptions::SameAs(const JobOptions& other) const {
  return PlainFields(*this) == PlainFields(other) && HttpFields(http) == HttpFields(other.http) &&
         SameRules(relabel_rules, other.relabel_rules) &&
         SameRules(metric_relabel_rules, other.metric_relabel_rules);
}

}  // namespace scrape
