// Every limit that can be run into as one family, so that one alert covers all: how much of it is
// used, and when it will be used up if things go on as in the last hour. It runs after the
// collectors that report limits of their own.
#include "exporters/host/limits.h"

#include <algorithm>

#include "exporters/host/context.h"
#include "exporters/host/text.h"

namespace exporters::host {
namespace {

constexpr model::MetricDesc kRatio{.name = "host_limit_usage_ratio",
                                   .help = "How much of the limit is used, 0 to 1.",
                                   .labels = {"item", "limit"}};
constexpr model::MetricDesc kEta{
    .name = "host_limit_eta_seconds",
    .help =
        "When the limit will be reached if use grows as in the last hour; absent when it does "
        "not grow.",
    .labels = {"item", "limit"}};

constexpr size_t kMaxTrends = 2000;

std::optional<double> NumberAt(Context& host, std::string_view path, size_t field) {
  const auto text = host.proc.ReadOnce(path);
  if (!text.ok()) {
    return std::nullopt;
  }
  const std::string_view first_line = std::string_view(*text).substr(0, text->find('\n'));
  const auto fields = SplitFields(first_line);
  const auto value = field < fields.size() ? ParseNumber(fields[field]) : std::nullopt;
  return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
}

struct Source {
  std::string_view limit;
  std::string_view used_path;
  size_t used_field;
  std::string_view most_path;
  size_t most_field;
};
constexpr Source kSources[] = {
    {"open_files", "sys/fs/file-nr", 0, "sys/fs/file-nr", 2},
    {"conntrack", "sys/net/netfilter/nf_conntrack_count", 0, "sys/net/netfilter/nf_conntrack_max",
     0},
};

// "0.21 0.37 0.39 1/719 19737": 719 threads exist. Each takes a process ID.
void AddThreads(Context& host) {
  const auto text = host.proc.ReadOnce("loadavg");
  if (!text.ok()) {
    return;
  }
  const auto fields = SplitFields(*text);
  const size_t slash = fields.size() > 3 ? fields[3].find('/') : std::string_view::npos;
  const auto threads =
      slash == std::string_view::npos ? std::nullopt : ParseNumber(fields[3].substr(slash + 1));
  const std::pair<std::string_view, std::string_view> limits[] = {
      {"process_ids", "sys/kernel/pid_max"}, {"threads", "sys/kernel/threads-max"}};
  for (const auto& [limit, path] : limits) {
    if (const auto most = NumberAt(host, path, 0); threads && most) {
      host.limit_uses.push_back({limit, "", static_cast<double>(*threads), *most});
    }
  }
}

base::Result<void> CollectLimits(Context& host, Scrape& scrape) {
  for (const Source& source : kSources) {
    const auto used = NumberAt(host, source.used_path, source.used_field);
    const auto most = NumberAt(host, source.most_path, source.most_field);
    if (used && most) {
      host.limit_uses.push_back({source.limit, "", *used, *most});
    }
  }
  AddThreads(host);
  const base::MonotonicTime now = host.clock.Monotonic();
  for (const LimitUse& use : host.limit_uses) {
    if (use.most <= 0) {
      continue;
    }
    const double ratio = use.used / use.most;
    scrape.Emit(kRatio, ratio, {use.item, use.limit});
    const auto key = std::pair(std::string(use.limit), use.item);
    if (host.limit_trends.size() >= kMaxTrends && host.limit_trends.count(key) == 0) {
      continue;
    }
    Trend& trend = host.limit_trends[key];
    trend.Add(now, ratio);
    if (const auto eta = trend.SecondsUntil(1)) {
      scrape.Emit(kEta, *eta, {use.item, use.limit});
    }
  }
  std::erase_if(host.limit_trends,
                [now](const auto& entry) { return entry.second.last() + Trend::kWindow < now; });
  return {};
}

}  // namespace

void Trend::Add(base::MonotonicTime now, double value) {
  while (!points_.empty() && points_.front().first + kWindow < now) {
    points_.erase(points_.begin());
  }
  if (points_.size() >= 2 && now - points_[points_.size() - 2].first < kSpacing) {
    points_.back() = {now, value};  // The newest point moves until it is far enough from the last.
  } else {
    points_.emplace_back(now, value);
  }
}

// A line by least squares; a value that has not been watched for long has no trend.
std::optional<double> Trend::SecondsUntil(double limit) const {
  if (points_.size() < 3 || points_.back().first - points_.front().first < kLeast) {
    return std::nullopt;
  }
  const auto seconds = [this](base::MonotonicTime time) {
    return std::chrono::duration<double>(time - points_.front().first).count();
  };
  double mean_time = 0;
  double mean_value = 0;
  for (const auto& [time, value] : points_) {
    mean_time += seconds(time) / static_cast<double>(points_.size());
    mean_value += value / static_cast<double>(points_.size());
  }
  double covariance = 0;
  double variance = 0;
  for (const auto& [time, value] : points_) {
    covariance += (seconds(time) - mean_time) * (value - mean_value);
    variance += (seconds(time) - mean_time) * (seconds(time) - mean_time);
  }
  const double slope = covariance / variance;
  if (slope <= kFlat) {
    return std::nullopt;
  }
  return std::max(0.0, (limit - points_.back().second) / slope);
}

extern constexpr HostCollector kLimitsCollector{
    .name = "limits",
    .help = "How much of each limit is used, and when it will be used up.",
    .collect = CollectLimits};

}  // namespace exporters::host
