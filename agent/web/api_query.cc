// /api/v1/query, query_range, query_exemplars, format_query.
#include <algorithm>
#include <chrono>
#include <type_traits>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "agent/promql/ast.h"
#include "agent/promql/engine.h"
#include "agent/web/api_handlers.h"
#include "agent/web/api_parameters.h"
#include "agent/web/api_response.h"

namespace web {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

constexpr std::string_view kTruncated = "results truncated due to limit";

http::Response BadData(const Error& error) {
  return ApiError(ApiErrorType::kBadData, error.message());
}

// The engine this request asked for: it may shorten the time-out and set its own look-back.
Result<promql::Engine> MakeEngine(const Views& views, const Parameters& parameters) {
  promql::EngineOptions options = views.engine;
  ASSIGN_OR_RETURN(const auto timeout, parameters.Duration("timeout"));
  ASSIGN_OR_RETURN(const auto lookback, parameters.Duration("lookback_delta"));
  if (timeout) {
    options.timeout = std::min(options.timeout, *timeout);
  }
  if (lookback && lookback->count() <= 0) {
    return Error("invalid parameter \"lookback_delta\": it must be more than zero",
                 ErrorKind::kInvalidArgument);
  }
  options.lookback_delta = lookback.value_or(options.lookback_delta);
  return promql::Engine(options);
}

Result<promql::Query> ParseQueryText(const promql::Engine& engine, const Parameters& parameters) {
  auto query = engine.Parse(parameters.Get("query").value_or(""));
  if (!query.ok()) {
    return query.error().WithContext("invalid parameter \"query\"");
  }
  return query;
}

// What instant and range queries have in common.
struct Question {
  promql::Engine engine;
  promql::Query query;
  size_t limit = 0;
};

Result<Question> ParseQuestion(const Views& views, const Parameters& parameters) {
  ASSIGN_OR_RETURN(const size_t limit, parameters.Limit());
  ASSIGN_OR_RETURN(const promql::Engine engine, MakeEngine(views, parameters));
  ASSIGN_OR_RETURN(promql::Query query, ParseQueryText(engine, parameters));
  return Question{engine, std::move(query), limit};
}

Result<promql::Range> ParseRange(const Parameters& parameters) {
  for (const char* name : {"start", "end", "step"}) {
    if (!parameters.Has(name)) {
      return Error(fmt::format("invalid parameter \"{}\": it is missing", name),
                   ErrorKind::kInvalidArgument);
    }
  }
  promql::Range range;
  ASSIGN_OR_RETURN(range.start_ms, parameters.Time("start", 0));
  ASSIGN_OR_RETURN(range.end_ms, parameters.Time("end", 0));
  ASSIGN_OR_RETURN(const auto step, parameters.Duration("step"));
  range.step_ms = step->count();
  if (range.end_ms < range.start_ms) {
    return Error("invalid parameter \"end\": end timestamp must not be before start time",
                 ErrorKind::kInvalidArgument);
  }
  if (range.step_ms <= 0) {
    return Error(
        "invalid parameter \"step\": zero or negative query resolution step widths are not "
        "accepted. Try a positive integer",
        ErrorKind::kInvalidArgument);
  }
  return range;
}

template <typename Series>
void Truncate(std::vector<Series>& all, size_t limit, std::vector<std::string>* warnings) {
  if (limit > 0 && all.size() > limit) {
    all.resize(limit);
    warnings->emplace_back(kTruncated);
  }
}

void Truncate(promql::QueryResult* result, size_t limit) {
  if (auto* vector = std::get_if<promql::Vector>(&result->value)) {
    Truncate(*vector, limit, &result->warnings);
  } else if (auto* matrix = std::get_if<promql::Matrix>(&result->value)) {
    Truncate(*matrix, limit, &result->warnings);
  }
}

void WriteValue(const promql::Scalar& scalar, base::JsonWriter& json) {
  WriteSample(scalar.timestamp_ms, scalar.value, json);
}

void WriteValue(const promql::String& string, base::JsonWriter& json) {
  json.BeginArray();
  json.Raw(FormatTimestamp(string.timestamp_ms));
  json.String(string.value);
  json.EndArray();
}

void WriteValue(const promql::Vector& vector, base::JsonWriter& json) {
  json.BeginArray();
  for (const promql::VectorElement& element : vector) {
    json.BeginObject();
    json.Key("metric");
    WriteLabels(element.labels, json);
    if (element.histogram != nullptr) {
      json.Key("histogram");
      WriteHistogram(element.timestamp_ms, *element.histogram, json);
    } else {
      json.Key("value");
      WriteSample(element.timestamp_ms, element.value, json);
    }
    json.EndObject();
  }
  json.EndArray();
}

void WriteValue(const promql::Matrix& matrix, base::JsonWriter& json) {
  json.BeginArray();
  for (const promql::MatrixSeries& series : matrix) {
    json.BeginObject();
    json.Key("metric");
    WriteLabels(series.labels, json);
    if (!series.samples.empty()) {
      json.Key("values");
      json.BeginArray();
      for (const model::Sample& sample : series.samples) {
        WriteSample(sample.timestamp_ms, sample.value, json);
      }
      json.EndArray();
    }
    if (!series.histograms.empty()) {
      json.Key("histograms");
      json.BeginArray();
      for (const model::HistogramSample& sample : series.histograms) {
        WriteHistogram(sample.timestamp_ms, *sample.histogram, json);
      }
      json.EndArray();
    }
    json.EndObject();
  }
  json.EndArray();
}

constexpr std::string_view kTypeNames[] = {"scalar", "string", "vector", "matrix"};
static_assert(std::is_same_v<std::variant_alternative_t<0, promql::Value>, promql::Scalar> &&
              std::is_same_v<std::variant_alternative_t<1, promql::Value>, promql::String> &&
              std::is_same_v<std::variant_alternative_t<2, promql::Value>, promql::Vector> &&
              std::is_same_v<std::variant_alternative_t<3, promql::Value>, promql::Matrix>);

http::Response Answer(Result<promql::QueryResult> result, size_t limit) {
  if (!result.ok()) {
    return ExecutionError(result.error());
  }
  Truncate(&*result, limit);
  return ApiSuccess(
      [&result](base::JsonWriter& json) {
        json.BeginObject();
        json.Member("resultType", kTypeNames[result->value.index()]);
        json.Key("result");
        std::visit([&json](const auto& value) { WriteValue(value, json); }, result->value);
        json.EndObject();
      },
      {.warnings = result->warnings, .infos = result->infos});
}

}  // namespace

http::Response Query(const Views& views, const http::Request& request,
                     const http::PathParameters& /*path*/) {
  const Parameters parameters(request);
  const auto time = parameters.Time("time", base::ToMillis(views.clock->Now()));
  if (!time.ok()) {
    return BadData(time.error());
  }
  const auto question = ParseQuestion(views, parameters);
  if (!question.ok()) {
    return BadData(question.error());
  }
  return Answer(question->engine.Instant(question->query, *views.storage, *time), question->limit);
}

http::Response QueryRange(const Views& views, const http::Request& request,
                          const http::PathParameters& /*path*/) {
  const Parameters parameters(request);
  const auto range = ParseRange(parameters);
  if (!range.ok()) {
    return BadData(range.error());
  }
  const auto question = ParseQuestion(views, parameters);
  if (!question.ok()) {
    return BadData(question.error());
  }
  if (const auto fits = question->engine.CheckRange(question->query, *range); !fits.ok()) {
    return BadData(fits.error());
  }
  return Answer(question->engine.RangeQuery(question->query, *views.storage, *range),
                question->limit);
}

// The store keeps no exemplars, so there are none for any query.
http::Response QueryExemplars(const Views& views, const http::Request& request,
                              const http::PathParameters& /*path*/) {
  const Parameters parameters(request);
  const auto range = parameters.TimeRange();
  const auto query = ParseQueryText(promql::Engine(views.engine), parameters);
  if (!range.ok()) {
    return BadData(range.error());
  }
  if (!query.ok()) {
    return BadData(query.error());
  }
  return ApiSuccess([](base::JsonWriter& json) { json.BeginArray(), json.EndArray(); });
}

http::Response FormatQuery(const Views& views, const http::Request& request,
                           const http::PathParameters& /*path*/) {
  const auto query = ParseQueryText(promql::Engine(views.engine), Parameters(request));
  if (!query.ok()) {
    return BadData(query.error());
  }
  return ApiSuccess([&query](base::JsonWriter& json) { json.String(query->Pretty()); });
}

}  // namespace web
