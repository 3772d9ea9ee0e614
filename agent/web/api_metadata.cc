// /api/v1/metadata, targets/metadata: what targets say about their metrics.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "agent/promql/parser.h"
#include "agent/web/api_handlers.h"
#include "agent/web/api_parameters.h"
#include "agent/web/api_response.h"

namespace web {
namespace {

void WriteTexts(const scrape::Metadata& metadata, base::JsonWriter& json) {
  json.Member("type", metadata.type);
  json.Member("help", metadata.help);
  json.Member("unit", metadata.unit);
}

}  // namespace

http::Response Metadata(const Views& views, const http::Request& request,
                        const http::PathParameters& /*path*/) {
  const Parameters parameters(request);
  const auto limit = parameters.Limit();
  const auto per_metric = parameters.Limit("limit_per_metric");
  if (!limit.ok() || !per_metric.ok()) {
    return ApiError(ApiErrorType::kBadData,
                    (limit.ok() ? per_metric.error() : limit.error()).message());
  }
  const std::string wanted = parameters.Get("metric").value_or("");
  const std::vector<scrape::TargetMetadata> targets = views.metadata();
  std::map<std::string_view, std::set<scrape::Metadata>> by_metric;
  for (const scrape::TargetMetadata& target : targets) {
    for (const scrape::MetadataPtr& one : target.metrics) {
      if (wanted.empty() || one->metric == wanted) {
        by_metric[one->metric].insert(*one);
      }
    }
  }
  return ApiSuccess([&](base::JsonWriter& json) {
    json.BeginObject();
    size_t metrics = 0;
    for (const auto& [metric, all] : by_metric) {
      if (*limit > 0 && ++metrics > *limit) {
        break;
      }
      json.Key(metric);
      json.BeginArray();
      size_t written = 0;
      for (const scrape::Metadata& one : all) {
        if (*per_metric > 0 && ++written > *per_metric) {
          break;
        }
        json.BeginObject();
        WriteTexts(one, json);
        json.EndObject();
      }
      json.EndArray();
    }
    json.EndObject();
  });
}

http::Response TargetsMetadata(const Views& views, const http::Request& request,
                               const http::PathParameters& /*path*/) {
  const Parameters parameters(request);
  const auto limit = parameters.Limit();
  if (!limit.ok()) {
    return ApiError(ApiErrorType::kBadData, limit.error().message());
  }
  std::vector<model::Matcher> matchers;
  if (const auto text = parameters.Get("match_target")) {
    auto parsed = promql::ParseSelector(*text);
    if (!parsed.ok()) {
      return BadParameter("match_target", parsed.error());
    }
    matchers = *std::move(parsed);
  }
  const std::string wanted = parameters.Get("metric").value_or("");
  const std::vector<scrape::TargetMetadata> targets = views.metadata();
  return ApiSuccess([&](base::JsonWriter& json) {
    json.BeginArray();
    size_t written = 0;
    for (const scrape::TargetMetadata& target : targets) {
      const bool chosen = std::all_of(
          matchers.begin(), matchers.end(),
          [&target](const model::Matcher& matcher) { return matcher.Matches(target.target); });
      for (const scrape::MetadataPtr& one : target.metrics) {
        if (!chosen || (!wanted.empty() && one->metric != wanted) ||
            (*limit > 0 && written >= *limit)) {
          continue;
        }
        ++written;
        json.BeginObject();
        json.Key("target");
        WriteLabels(target.target, json);
        if (wanted.empty()) {
          json.Member("metric", one->metric);
        }
        WriteTexts(*one, json);
        json.EndObject();
      }
    }
    json.EndArray();
  });
}

}  // namespace web
