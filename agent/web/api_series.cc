// /api/v1/series, labels, label/{name}/values.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "agent/storage/querier.h"
#include "agent/web/api_handlers.h"
#include "agent/web/api_parameters.h"
#include "agent/web/api_response.h"
#include "lib/base/strings.h"

namespace web {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using Selectors = std::vector<std::vector<model::Matcher>>;

constexpr std::string_view kTruncated = "results truncated due to limit";
constexpr size_t kMaxSeries = 1'000'000;  // One answer; more are cut off with a warning.

// What series, labels and label values all take.
struct Scope {
  storage::TimeRange range;
  Selectors selectors;
  size_t limit = 0;
};

Result<Scope> ParseScope(const http::Request& request) {
  const Parameters parameters(request);
  Scope scope;
  ASSIGN_OR_RETURN(scope.range, parameters.TimeRange());
  ASSIGN_OR_RETURN(scope.selectors, parameters.Selectors());
  ASSIGN_OR_RETURN(scope.limit, parameters.Limit());
  return scope;
}

http::Response BadData(const Error& error) {
  return ApiError(ApiErrorType::kBadData, error.message());
}

http::Response SortedStrings(const std::set<std::string>& values, size_t limit) {
  std::vector<std::string> list(values.begin(), values.end());
  Notes notes;
  if (limit > 0 && list.size() > limit) {
    list.resize(limit);
    notes.warnings.emplace_back(kTruncated);
  }
  return ApiSuccess([&list](base::JsonWriter& json) { WriteStrings(list, json); }, notes);
}

// The union over the selectors of what `ask(querier, matchers)` answers; without selectors,
// everything.
template <typename Ask>
http::Response Collect(const Views& views, const Scope& scope, Ask ask) {
  const auto querier = views.storage->NewQuerier();
  std::set<std::string> values;
  const Selectors everything(1);
  for (const auto& matchers : scope.selectors.empty() ? everything : scope.selectors) {
    auto some = ask(*querier, matchers);
    if (!some.ok()) {
      return ExecutionError(some.error());
    }
    values.insert(std::make_move_iterator(some->begin()), std::make_move_iterator(some->end()));
  }
  return SortedStrings(values, scope.limit);
}

}  // namespace

http::Response Series(const Views& views, const http::Request& request,
                      const http::PathParameters& /*path*/) {
  const auto scope = ParseScope(request);
  if (!scope.ok()) {
    return BadData(scope.error());
  }
  if (scope->selectors.empty()) {
    return BadData(Error("invalid parameter \"match[]\": at least one is needed"));
  }
  const auto querier = views.storage->NewQuerier();
  std::set<model::Labels> found;
  const size_t limit = scope->limit == 0 ? kMaxSeries : std::min(scope->limit, kMaxSeries);
  for (const auto& matchers : scope->selectors) {
    auto series = querier->SelectLabels(matchers, scope->range);
    if (!series.ok()) {
      return ExecutionError(series.error());
    }
    found.insert(std::move_iterator(series->begin()), std::move_iterator(series->end()));
  }
  Notes notes;
  if (found.size() > limit) {
    notes.warnings.emplace_back(kTruncated);
    found.erase(std::next(found.begin(), static_cast<std::ptrdiff_t>(limit)), found.end());
  }
  return ApiSuccess(
      [&found](base::JsonWriter& json) {
        json.BeginArray();
        for (const model::Labels& labels : found) {
          WriteLabels(labels, json);
        }
        json.EndArray();
      },
      notes);
}

http::Response LabelNames(const Views& views, const http::Request& request,
                          const http::PathParameters& /*path*/) {
  const auto scope = ParseScope(request);
  if (!scope.ok()) {
    return BadData(scope.error());
  }
  return Collect(views, *scope, [&scope](storage::Querier& querier, const auto& matchers) {
    return querier.LabelNames(matchers, scope->range);
  });
}

http::Response LabelValues(const Views& views, const http::Request& request,
                           const http::PathParameters& path) {
  const std::string name = UnescapeLabelName(path.Get("name"));
  if (!base::IsValidUtf8(name)) {
    return BadData(Error("invalid parameter \"name\": a label name must be UTF-8"));
  }
  const auto scope = ParseScope(request);
  if (!scope.ok()) {
    return BadData(scope.error());
  }
  return Collect(views, *scope, [&](storage::Querier& querier, const auto& matchers) {
    return querier.LabelValues(name, matchers, scope->range);
  });
}

}  // namespace web
