#include "agent/web/api_response.h"

#include <charconv>
#include <cmath>
#include <cstdlib>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "lib/base/strings.h"

namespace web {
namespace {

struct ErrorRow {
  ApiErrorType type;
  std::string_view name;
  int status;
};

constexpr ErrorRow kErrors[] = {
    {ApiErrorType::kBadData, "bad_data", 400},
    {ApiErrorType::kNotFound, "not_found", 404},
    {ApiErrorType::kNotAcceptable, "not_acceptable", 406},
    {ApiErrorType::kExecution, "execution", 422},
    {ApiErrorType::kCanceled, "canceled", 499},
    {ApiErrorType::kTimeout, "timeout", 503},
    {ApiErrorType::kUnavailable, "unavailable", 503},
    {ApiErrorType::kInternal, "internal", 500},
};

const ErrorRow& RowOf(ApiErrorType type) {
  for (const ErrorRow& row : kErrors) {
    if (row.type == type) {
      return row;
    }
  }
  std::abort();  // The table lacks a type.
}

void WriteNotes(std::string_view name, const std::vector<std::string>& notes,
                base::JsonWriter& json) {
  if (!notes.empty()) {
    json.Key(name);
    WriteStrings(notes, json);
  }
}

// The digits that tell `value` from its neighbours, then zeros; to_chars would write all of them.
// "1.2345e+20" in, "123450000000000000000" out.
std::string ExpandExponent(std::string_view scientific) {
  const size_t e = scientific.find('e');
  const std::string_view mantissa = scientific.substr(0, e);
  const size_t point = mantissa.find('.');
  std::string digits(mantissa.substr(0, point));
  const std::string_view fraction =
      point == std::string_view::npos ? std::string_view() : mantissa.substr(point + 1);
  const size_t exponent = base::ParseUint(scientific.substr(e + 2)).value_or(0);
  digits += fraction;
  return digits.append(exponent - fraction.size(), '0');
}

constexpr char kJson[] = "application/json";

}  // namespace

http::Response ApiError(ApiErrorType type, std::string_view message) {
  const ErrorRow& row = RowOf(type);
  http::Response response{.status = row.status, .content_type = kJson};
  base::JsonWriter json(&response.body);
  json.BeginObject();
  json.Member("status", "error");
  json.Member("errorType", row.name);
  json.Member("error", message);
  json.EndObject();
  return response;
}

http::Response BadParameter(std::string_view name, const base::Error& why) {
  return ApiError(ApiErrorType::kBadData,
                  fmt::format("invalid parameter \"{}\": {}", name, why.message()));
}

http::Response ExecutionError(const base::Error& error) {
  switch (error.kind()) {
    case base::ErrorKind::kDeadlineExceeded:
      return ApiError(ApiErrorType::kTimeout, error.message());
    case base::ErrorKind::kCancelled:
      return ApiError(ApiErrorType::kCanceled, error.message());
    case base::ErrorKind::kUnavailable:
      return ApiError(ApiErrorType::kUnavailable, error.message());
    case base::ErrorKind::kInvalidArgument:
    case base::ErrorKind::kResourceExhausted:
    case base::ErrorKind::kUnsupported:
      return ApiError(ApiErrorType::kExecution, error.message());
    default:
      return ApiError(ApiErrorType::kInternal, error.message());
  }
}

http::Response ApiSuccess(const std::function<void(base::JsonWriter&)>& write_data,
                          const Notes& notes) {
  http::Response response{.content_type = kJson};
  base::JsonWriter json(&response.body);
  json.BeginObject();
  json.Member("status", "success");
  json.Key("data");
  write_data(json);
  WriteNotes("warnings", notes.warnings, json);
  WriteNotes("infos", notes.infos, json);
  json.EndObject();
  return response;
}

void WriteLabels(const model::Labels& labels, base::JsonWriter& json) {
  json.BeginObject();
  for (const model::Label label : labels) {
    json.Member(label.name, label.value);
  }
  json.EndObject();
}

void WriteStrings(const std::vector<std::string>& values, base::JsonWriter& json) {
  json.BeginArray();
  for (const std::string& value : values) {
    json.String(value);
  }
  json.EndArray();
}

void WriteSample(int64_t timestamp_ms, double value, base::JsonWriter& json) {
  json.BeginArray();
  json.Raw(FormatTimestamp(timestamp_ms));
  json.String(FormatSampleValue(value));
  json.EndArray();
}

void WriteHistogram(int64_t timestamp_ms, const model::NativeHistogram& histogram,
                    base::JsonWriter& json) {
  json.BeginArray();
  json.Raw(FormatTimestamp(timestamp_ms));
  json.BeginObject();
  json.Member("count", FormatSampleValue(histogram.count));
  json.Member("sum", FormatSampleValue(histogram.sum));
  const std::vector<model::BoundedBucket> buckets = model::BoundedBuckets(histogram);
  if (!buckets.empty()) {
    json.Key("buckets");
    json.BeginArray();
    for (const model::BoundedBucket& bucket : buckets) {
      const int closed_rule = bucket.lower_inclusive ? 3 : 0;
      const int open_rule = bucket.lower_inclusive ? 1 : 2;
      json.BeginArray();
      json.Int(bucket.upper_inclusive ? closed_rule : open_rule);
      json.String(FormatSampleValue(bucket.lower));
      json.String(FormatSampleValue(bucket.upper));
      json.String(FormatSampleValue(bucket.count));
      json.EndArray();
    }
    json.EndArray();
  }
  json.EndObject();
  json.EndArray();
}

std::string FormatSampleValue(double value) {
  if (std::isnan(value)) {
    return "NaN";
  }
  if (std::isinf(value)) {
    return value > 0 ? "+Inf" : "-Inf";
  }
  constexpr double kExactIntegers = 9007199254740992.0;  // 2^53: from here on all are whole.
  const double size = std::fabs(value);
  const bool exponent = size != 0 && (size < 1e-6 || size >= 1e21);
  const auto format =
      exponent || size >= kExactIntegers ? std::chars_format::scientific : std::chars_format::fixed;
  char buffer[64];  // Enough for 17 digits and what is around them.
  const std::string_view text(
      buffer, static_cast<size_t>(
                  std::to_chars(buffer, buffer + sizeof(buffer), value, format).ptr - buffer));
  return format == std::chars_format::scientific && !exponent ? ExpandExponent(text)
                                                              : std::string(text);
}

std::string FormatTimestamp(int64_t timestamp_ms) {
  const bool negative = timestamp_ms < 0;
  const auto size =
      negative ? -static_cast<uint64_t>(timestamp_ms) : static_cast<uint64_t>(timestamp_ms);
  const std::string whole = fmt::format("{}{}", negative ? "-" : "", size / 1000);
  return size % 1000 == 0 ? whole : fmt::format("{}.{:03}", whole, size % 1000);
}

std::string FormatApiTime(base::WallTime time) {
  if (time == base::WallTime{}) {
    return "0001-01-01T00:00:00Z";
  }
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(time - seconds).count();
  std::string text = fmt::format("{:%Y-%m-%dT%H:%M:%S}", fmt::gmtime(seconds));
  if (nanos != 0) {
    text += fmt::format(".{:09}", nanos);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text + "Z";
}

}  // namespace web
