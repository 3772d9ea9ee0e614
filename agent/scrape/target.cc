#include "agent/scrape/target.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "lib/base/duration.h"
#include "lib/base/strings.h"
#include "lib/base/url.h"

namespace scrape {
namespace {

constexpr std::string_view kAddress = "__address__";
constexpr std::string_view kScheme = "__scheme__";
constexpr std::string_view kMetricsPath = "__metrics_path__";
constexpr std::string_view kInterval = "__scrape_interval__";
constexpr std::string_view kTimeout = "__scrape_timeout__";
constexpr std::string_view kParam = "__param_";

base::Error Invalid(std::string why) {
  return base::Error(std::move(why), base::ErrorKind::kInvalidArgument);
}

void SetDefault(std::string_view name, std::string_view value, model::LabelsBuilder* labels) {
  if (labels->Get(name).empty()) {
    labels->Set(name, value);
  }
}

model::LabelsBuilder DiscoveredLabels(const JobOptions& job, const discovery::TargetGroup& group,
                                      const std::string& address) {
  model::LabelsBuilder labels(group.labels);
  labels.Set(kAddress, address);
  SetDefault("job", job.name, &labels);
  SetDefault(kInterval, base::FormatDuration(job.interval), &labels);
  SetDefault(kTimeout, base::FormatDuration(job.timeout), &labels);
  SetDefault(kMetricsPath, job.metrics_path, &labels);
  SetDefault(kScheme, job.scheme, &labels);
  for (const auto& [name, values] : job.params) {
    if (!values.empty()) {
      SetDefault(std::string(kParam) + name, values.front(), &labels);
    }
  }
  return labels;
}

base::Result<std::chrono::milliseconds> ReadDuration(const model::LabelsBuilder& labels,
                                                     std::string_view name) {
  auto duration = base::ParseDuration(labels.Get(name));
  if (!duration.ok()) {
    return duration.error().WithContext(name);
  }
  if (duration->count() == 0) {
    return Invalid(fmt::format("{} must be longer than 0", name));
  }
  return duration;
}

// Everything that a path may not hold is encoded; what is encoded already stays.
std::string EncodePath(std::string_view path) {
  constexpr std::string_view kAllowed = "-_.~!$&'()*+,;=:@/%";
  std::string out = path.starts_with('/') ? "" : "/";
  for (const char c : path) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    out += word || kAllowed.find(c) != std::string_view::npos ? std::string(1, c)
                                                              : base::PercentEncode({&c, 1});
  }
  return out;
}

// The job's parameters with the first value of each replaced by its label, sorted by name.
std::string QueryText(const JobOptions& job, const model::LabelsBuilder& labels) {
  std::map<std::string, std::vector<std::string>> params(job.params.begin(), job.params.end());
  for (const auto& [name, value] : labels.labels()) {
    if (name.starts_with(kParam)) {
      std::vector<std::string>& values = params[name.substr(kParam.size())];
      values.resize(std::max<size_t>(values.size(), 1));
      values.front() = value;
    }
  }
  std::string query;
  for (const auto& [name, values] : params) {
    for (const std::string& value : values) {
      query += fmt::format("{}{}={}", query.empty() ? '?' : '&', base::PercentEncode(name),
                           base::PercentEncode(value));
    }
  }
  return query;
}

model::Labels VisibleLabels(const model::LabelsBuilder& all) {
  model::LabelsBuilder visible;
  for (const auto& [name, value] : all.labels()) {
    if (!name.starts_with("__")) {
      visible.Set(name, value);
    }
  }
  return visible.Build();
}

base::Result<void> CheckAddress(std::string_view address) {
  if (address.empty()) {
    return Invalid("the target has no __address__");
  }
  if (address.find_first_of("/?#@ \t\r\n") != std::string_view::npos) {
    return Invalid(fmt::format("address \"{}\" must be host:port, without scheme or path",
                               base::RedactUrls(address)));
  }
  return {};
}

base::Result<Target> Finish(const JobOptions& job, model::LabelsBuilder labels) {
  Target target;
  const std::string address(labels.Get(kAddress));
  RETURN_IF_ERROR(CheckAddress(address));
  const std::string scheme(labels.Get(kScheme));
  if (scheme != "http" && scheme != "https") {
    return Invalid(fmt::format("__scheme__ must be http or https, not \"{}\"", scheme));
  }
  ASSIGN_OR_RETURN(target.interval, ReadDuration(labels, kInterval));
  ASSIGN_OR_RETURN(target.timeout, ReadDuration(labels, kTimeout));
  if (target.timeout > target.interval) {
    return Invalid(fmt::format("scrape timeout {} is longer than interval {}",
                               base::FormatDuration(target.timeout),
                               base::FormatDuration(target.interval)));
  }
  SetDefault("instance", address, &labels);
  for (const auto& [name, value] : labels.labels()) {
    if (!base::IsValidUtf8(value) || !base::IsValidUtf8(name)) {
      return Invalid("a label of the target is not UTF-8");
    }
  }
  target.url = fmt::format("{}://{}{}{}", scheme, address, EncodePath(labels.Get(kMetricsPath)),
                           QueryText(job, labels));
  target.labels = VisibleLabels(labels);
  return target;
}

}  // namespace

base::Result<MadeTarget> MakeTarget(const JobOptions& job, const discovery::TargetGroup& group,
                                    const std::string& address) {
  model::LabelsBuilder labels = DiscoveredLabels(job, group, address);
  MadeTarget made{.target = std::nullopt, .discovered_labels = labels.Build()};
  if (!relabel::Apply(job.relabel_rules, &labels)) {
    return made;
  }
  ASSIGN_OR_RETURN(made.target, Finish(job, std::move(labels)));
  made.target->discovered_labels = made.discovered_labels;
  return made;
}

std::string GlobalUrl(const std::string& url, const std::string& host_name) {
  const size_t start = url.find("://");
  if (start == std::string::npos) {
    return url;
  }
  for (const std::string_view local : {"localhost", "127.0.0.1", "[::1]"}) {
    const std::string_view host = std::string_view(url).substr(start + 3);
    const std::string_view rest = host.substr(std::min(local.size(), host.size()));
    if (host.starts_with(local) && (rest.empty() || rest.front() == ':' || rest.front() == '/')) {
      return url.substr(0, start + 3) + host_name + std::string(rest);
    }
  }
  return url;
}

}  // namespace scrape
