// The envelope of the Prometheus API: {"status":…,"data":…,"errorType":…,"error":…,"warnings":[…]}.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/json_writer.h"
#include "lib/base/result.h"
#include "lib/http/message.h"
#include "lib/model/labels.h"
#include "lib/model/native_histogram.h"

namespace web {

enum class ApiErrorType {
  kBadData,
  kNotFound,
  kNotAcceptable,
  kExecution,
  kCanceled,
  kTimeout,
  kUnavailable,
  kInternal
};

http::Response ApiError(ApiErrorType type, std::string_view message);
// "invalid parameter "name": why", 400.
http::Response BadParameter(std::string_view name, const base::Error& why);
// Of a query that was understood and then failed.
http::Response ExecutionError(const base::Error& error);

struct Notes {
  std::vector<std::string> warnings;
  std::vector<std::string> infos;
};

// `write_data` writes one JSON value.
http::Response ApiSuccess(const std::function<void(base::JsonWriter&)>& write_data,
                          const Notes& notes = {});

void WriteLabels(const model::Labels& labels, base::JsonWriter& json);
void WriteStrings(const std::vector<std::string>& values, base::JsonWriter& json);
// [1435781451.781,"0.5"]
void WriteSample(int64_t timestamp_ms, double value, base::JsonWriter& json);
// [1435781451.781,{"count":"3","sum":"4.5","buckets":[[0,"0.5","1","3"]]}]; the first number of a
// bucket says which of its bounds belong to it: 0 the upper, 1 the lower, 2 none, 3 both.
void WriteHistogram(int64_t timestamp_ms, const model::NativeHistogram& histogram,
                    base::JsonWriter& json);
// As samples have it: no exponent from 1e-6 up to 1e21.
std::string FormatSampleValue(double value);
// 1435781451.781, without a fraction that is zero.
std::string FormatTimestamp(int64_t timestamp_ms);
// RFC 3339 with the fraction as long as it needs to be; the epoch, which stands for never, as
// Go's zero time, which clients know.
std::string FormatApiTime(base::WallTime time);

}  // namespace web
