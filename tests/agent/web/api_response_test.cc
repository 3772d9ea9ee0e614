#include "agent/web/api_response.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace web {
namespace {

TEST(ApiSuccess, WrapsDataAndAddsNotesOnlyWhenThereAreAny) {
  const auto one = [](base::JsonWriter& json) { json.Int(1); };
  EXPECT_EQ(ApiSuccess(one).body, R"({"status":"success","data":1})");
  EXPECT_EQ(ApiSuccess(one, {.warnings = {"w"}, .infos = {"i", "j"}}).body,
            R"({"status":"success","data":1,"warnings":["w"],"infos":["i","j"]})");
}

TEST(ApiError, HasTheStatusOfItsType) {
  const auto check = [](ApiErrorType type, int status, const std::string& name) {
    const http::Response response = ApiError(type, "why");
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(response.body, R"({"status":"error","errorType":")" + name + R"(","error":"why"})");
  };
  check(ApiErrorType::kBadData, 400, "bad_data");
  check(ApiErrorType::kNotFound, 404, "not_found");
  check(ApiErrorType::kNotAcceptable, 406, "not_acceptable");
  check(ApiErrorType::kExecution, 422, "execution");
  check(ApiErrorType::kCanceled, 499, "canceled");
  check(ApiErrorType::kTimeout, 503, "timeout");
  check(ApiErrorType::kUnavailable, 503, "unavailable");
  check(ApiErrorType::kInternal, 500, "internal");
}

TEST(ExecutionError, MapsTheKindOfError) {
  const auto status = [](base::ErrorKind kind) {
    return ExecutionError(base::Error("x", kind)).status;
  };
  EXPECT_EQ(status(base::ErrorKind::kInvalidArgument), 422);
  EXPECT_EQ(status(base::ErrorKind::kResourceExhausted), 422);
  EXPECT_EQ(status(base::ErrorKind::kDeadlineExceeded), 503);
  EXPECT_EQ(status(base::ErrorKind::kCancelled), 499);
  EXPECT_EQ(status(base::ErrorKind::kUnavailable), 503);
  EXPECT_EQ(status(base::ErrorKind::kUnknown), 500);
}

TEST(FormatSampleValue, WritesAnExponentOnlyFarFromOne) {
  const auto check = [](double value, const char* text) {
    EXPECT_EQ(FormatSampleValue(value), text);
  };
  check(0, "0");
  check(-0.0, "-0");
  check(1, "1");
  check(0.1, "0.1");
  check(1.5e-6, "0.0000015");
  check(9e-7, "9e-07");
  check(123456789012345680000.0, "123456789012345680000");
  check(9007199254740992.0, "9007199254740992");
  check(1e20, "100000000000000000000");
  check(-1e16, "-10000000000000000");
  check(1e21, "1e+21");
  check(-2.5e300, "-2.5e+300");
  check(std::nan(""), "NaN");
  check(std::numeric_limits<double>::infinity(), "+Inf");
  check(-std::numeric_limits<double>::infinity(), "-Inf");
  check(std::numeric_limits<double>::denorm_min(), "5e-324");
}

TEST(FormatTimestamp, WritesMillisecondsOnlyWhenThereAreAny) {
  EXPECT_EQ(FormatTimestamp(1435781451781), "1435781451.781");
  EXPECT_EQ(FormatTimestamp(1435781451000), "1435781451");
  EXPECT_EQ(FormatTimestamp(1435781451007), "1435781451.007");
  EXPECT_EQ(FormatTimestamp(-1500), "-1.500");
  EXPECT_EQ(FormatTimestamp(0), "0");
}

TEST(FormatApiTime, WritesRfc3339) {
  const auto at = [](int64_t ms) { return FormatApiTime(base::FromMillis(ms)); };
  EXPECT_EQ(at(1435781451781), "2015-07-01T20:10:51.781Z");
  EXPECT_EQ(at(1435781451000), "2015-07-01T20:10:51Z");
  EXPECT_EQ(at(-500), "1969-12-31T23:59:59.5Z");
  EXPECT_EQ(FormatApiTime({}), "0001-01-01T00:00:00Z");
}

TEST(WriteHistogram, SaysWhichBoundsBelongToABucket) {
  std::string text;
  base::JsonWriter json(&text);
  WriteHistogram(1500,
                 {.schema = 0,
                  .zero_threshold = 0.001,
                  .zero_count = 2,
                  .count = 8,
                  .sum = 1.5,
                  .positive = {{0, 1}, {1, 0}, {2, 3}},
                  .negative = {{1, 2}}},
                 json);
  EXPECT_EQ(text, R"([1.500,{"count":"8","sum":"1.5","buckets":[[1,"-2","-1","2"],)"
                  R"([3,"-0.001","0.001","2"],[0,"0.5","1","1"],[0,"2","4","3"]]}])");
  text.clear();
  base::JsonWriter custom(&text);
  WriteHistogram(1000,
                 {.schema = model::NativeHistogram::kCustomSchema,
                  .count = 3,
                  .positive = {{0, 1}, {2, 2}},
                  .custom_bounds = {0.5, 1}},
                 custom);
  EXPECT_EQ(text,
            R"([1,{"count":"3","sum":"0","buckets":[[3,"-Inf","0.5","1"],[0,"1","+Inf","2"]]}])");
}

}  // namespace
}  // namespace web
