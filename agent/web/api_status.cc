// /api/v1/status/{buildinfo, runtimeinfo, flags, config, tsdb}.
#include <algorithm>
#include <filesystem>
#include <map>
#include <unordered_map>

#include <unistd.h>

#include "agent/storage/querier.h"
#include "agent/web/api_handlers.h"
#include "agent/web/api_parameters.h"
#include "agent/web/api_response.h"
#include "lib/base/duration.h"
#include "lib/base/version.h"

namespace web {
namespace {

// Clients choose what to ask by the version of Prometheus they think they talk to: this is the one
// whose API and PromQL we have.
constexpr std::string_view kCompatibleVersion = "3.5.0";

constexpr size_t kDefaultTop = 10;
constexpr size_t kMaxTop = 10'000;

std::string HostName() {
  char name[256] = "";
  gethostname(name, sizeof(name) - 1);
  return name;
}

std::string WorkingDirectory() {
  std::error_code error;
  const auto path = std::filesystem::current_path(error);
  return error ? "" : path.string();
}

using Counts = std::unordered_map<std::string, uint64_t>;

// The `top` largest, ties by name.
void WriteTop(std::string_view name, const Counts& counts, size_t top, base::JsonWriter& json) {
  std::vector<std::pair<std::string_view, uint64_t>> sorted(counts.begin(), counts.end());
  const auto before = [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  };
  const size_t shown = std::min(top, sorted.size());
  std::partial_sort(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(shown),
                    sorted.end(), before);
  json.Key(name);
  json.BeginArray();
  for (size_t i = 0; i < shown; ++i) {
    json.BeginObject();
    json.Member("name", sorted[i].first);
    json.Key("value");
    json.Uint(sorted[i].second);
    json.EndObject();
  }
  json.EndArray();
}

// What the labels of all series add up to.
struct Cardinality {
  Counts series_by_metric;
  Counts values_by_label;
  Counts bytes_by_label;
  Counts series_by_pair;

  void Add(const model::Labels& labels) {
    for (const model::Label label : labels) {
      if (label.name == model::kMetricNameLabel) {
        ++series_by_metric[std::string(label.value)];
      }
      std::string pair = std::string(label.name) + "=" + std::string(label.value);
      if (++series_by_pair[std::move(pair)] == 1) {
        ++values_by_label[std::string(label.name)];
        bytes_by_label[std::string(label.name)] += label.value.size();
      }
    }
  }
};

}  // namespace

http::Response BuildInfo(const Views& /*views*/, const http::Request& /*request*/,
                         const http::PathParameters& /*path*/) {
  return ApiSuccess([](base::JsonWriter& json) {
    json.BeginObject();
    json.Member("version", kCompatibleVersion);
    json.Member("revision", base::Revision());
    json.Member("branch", base::Branch());
    json.Member("buildUser", "");
    json.Member("buildDate", "");
    json.Member("goVersion", "");
    json.Member("application", "tarsier-agent");
    json.Member("applicationVersion", base::Version());
    json.Member("compiler", base::Compiler());
    json.EndObject();
  });
}

http::Response RuntimeInfo(const Views& views, const http::Request& /*request*/,
                           const http::PathParameters& /*path*/) {
  const ConfigState config = views.config();
  return ApiSuccess([&](base::JsonWriter& json) {
    json.BeginObject();
    json.Member("startTime", FormatApiTime(views.started_at));
    json.Member("CWD", WorkingDirectory());
    json.Member("hostname", HostName());
    json.Member("serverTime", FormatApiTime(views.clock->Now()));
    json.Member("reloadConfigSuccess", config.last_reload_ok);
    json.Member("lastConfigTime", FormatApiTime(config.loaded_at));
    json.Member("storageRetention", views.retention);
    json.EndObject();
  });
}

http::Response Flags(const Views& views, const http::Request& /*request*/,
                     const http::PathParameters& /*path*/) {
  return ApiSuccess([&views](base::JsonWriter& json) {
    json.BeginObject();
    for (const auto& [name, value] : views.flags) {
      json.Member(name, value);
    }
    json.EndObject();
  });
}

http::Response ConfigYaml(const Views& views, const http::Request& /*request*/,
                          const http::PathParameters& /*path*/) {
  return ApiSuccess([&views](base::JsonWriter& json) {
    json.BeginObject();
    json.Member("yaml", views.config().yaml);
    json.EndObject();
  });
}

http::Response Tsdb(const Views& views, const http::Request& request,
                    const http::PathParameters& /*path*/) {
  const auto limit = Parameters(request).Limit();
  if (!limit.ok() || *limit > kMaxTop) {
    return ApiError(ApiErrorType::kBadData,
                    "invalid parameter \"limit\": a number from 1 to 10000 is expected");
  }
  const size_t top = *limit == 0 ? kDefaultTop : *limit;
  const auto querier = views.storage->NewQuerier();
  const auto series = querier->SelectLabels({}, {.start_ms = kMinTimeMs, .end_ms = kMaxTimeMs});
  if (!series.ok()) {
    return ExecutionError(series.error());
  }
  Cardinality cardinality;
  for (const model::Labels& labels : *series) {
    cardinality.Add(labels);
  }
  const StoreStats stats = views.store();
  return ApiSuccess([&](base::JsonWriter& json) {
    json.BeginObject();
    json.Key("headStats");
    json.BeginObject();
    json.Member("numSeries", static_cast<int64_t>(stats.series));
    json.Member("numLabelPairs", static_cast<int64_t>(cardinality.series_by_pair.size()));
    json.Member("chunkCount", static_cast<int64_t>(stats.chunks));
    json.Member("minTime", stats.min_time_ms);
    json.Member("maxTime", stats.max_time_ms);
    json.EndObject();
    WriteTop("seriesCountByMetricName", cardinality.series_by_metric, top, json);
    WriteTop("labelValueCountByLabelName", cardinality.values_by_label, top, json);
    WriteTop("memoryInBytesByLabelName", cardinality.bytes_by_label, top, json);
    WriteTop("seriesCountByLabelValuePair", cardinality.series_by_pair, top, json);
    json.EndObject();
  });
}

}  // namespace web
