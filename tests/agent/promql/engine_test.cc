#include "agent/promql/engine.h"

#include <chrono>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/promql/aggregations.h"
#include "agent/promql/functions.h"
#include "agent/storage/head.h"

namespace promql {
namespace {

using base::ErrorKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class EngineTest : public testing::Test {
 protected:
  EngineTest() {
    for (int series = 0; series < 5; ++series) {
      const auto appender = head_.NewAppender();
      for (int minute = 0; minute <= 60; ++minute) {
        EXPECT_TRUE(appender
                        ->Append(model::Labels{{"__name__", "m_total"},
                                               {"job", series % 2 == 0 ? "a" : "b"},
                                               {"series", std::to_string(series)}},
                                 minute * 60'000, minute * (series + 1))
                        .ok());
      }
      EXPECT_TRUE(appender->Commit().ok());
    }
  }

  base::Result<QueryResult> Instant(const EngineOptions& options, std::string_view text,
                                    int64_t at_ms = 3'600'000) {
    const Engine engine(options);
    ASSIGN_OR_RETURN(const Query query, engine.Parse(text));
    return engine.Instant(query, head_, at_ms);
  }
  base::Result<QueryResult> OverRange(const EngineOptions& options, std::string_view text,
                                      Range range) {
    const Engine engine(options);
    ASSIGN_OR_RETURN(const Query query, engine.Parse(text));
    return engine.RangeQuery(query, head_, range);
  }

  base::FakeClock clock_;
  storage::Head head_{{.retention = std::chrono::milliseconds(0)}, clock_};
};

TEST_F(EngineTest, RefusesToHoldMoreSamplesThanAllowed) {
  const EngineOptions small{.max_samples = 20};
  EXPECT_TRUE(Instant(small, "m_total").ok());
  for (const char* text :
       {"sum_over_time(m_total[1h])", "m_total[1h]", "vector(1)[1h:1s]",
        "sum_over_time(vector(1)[100y:1ms])", "max_over_time(vector(time())[100000d:1ms])"}) {
    const auto result = Instant(small, text);
    ASSERT_FALSE(result.ok()) << text;
    EXPECT_EQ(result.error().kind(), ErrorKind::kResourceExhausted) << text;
  }
  EXPECT_EQ(
      OverRange(small, "1", {.start_ms = 0, .end_ms = 100'000, .step_ms = 1000}).error().kind(),
      ErrorKind::kResourceExhausted);
}

TEST_F(EngineTest, StopsWhenTimeIsOut) {
  const auto result = Instant({.timeout = std::chrono::milliseconds(0)}, "sum(m_total)");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind(), ErrorKind::kDeadlineExceeded);
  EXPECT_THAT(result.error().message(), HasSubstr("query timed out"));
}

TEST_F(EngineTest, RefusesBadRanges) {
  const auto check = [this](std::string_view text, Range range, const char* message) {
    const auto result = OverRange({}, text, range);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().kind(), ErrorKind::kInvalidArgument);
    EXPECT_THAT(result.error().message(), HasSubstr(message));
  };
  check("1", {.start_ms = 0, .end_ms = 11'001'000, .step_ms = 1000},
        "exceeded maximum resolution of 11,000 points");
  check("1", {.start_ms = 1, .end_ms = 0, .step_ms = 1}, "end timestamp must not be before start");
  check("1", {.start_ms = 0, .end_ms = 1, .step_ms = 0}, "step");
  check("m_total[5m]", {.start_ms = 0, .end_ms = 1, .step_ms = 1},
        "invalid expression type \"range vector\" for range query");
  check("\"x\"", {.start_ms = 0, .end_ms = 1, .step_ms = 1},
        "invalid expression type \"string\" for range query");
  check("1", {.start_ms = INT64_MIN, .end_ms = INT64_MAX, .step_ms = 1}, "out of range");
  EXPECT_TRUE(OverRange({}, "1", {.start_ms = 0, .end_ms = 11'000'000, .step_ms = 1000}).ok());
}

TEST_F(EngineTest, SurvivesExtremeTimes) {
  for (const char* text :
       {"m_total @ 9223372036854774", "m_total @ -9223372036854774 offset 290y",
        "rate(m_total[290y])", "rate(m_total[290y] @ -9223372036854774 offset 290y)",
        "m_total offset -290y", "max_over_time(m_total[290y:100y] @ -9223372036854774)",
        "year(vector(1e300))", "minute(vector(-1e300))", "month(vector(NaN))", "timestamp(m_total)",
        "vector(1e308) * 1e308"}) {
    EXPECT_TRUE(Instant({}, text).ok()) << text;
  }
  EXPECT_FALSE(Instant({}, "1", INT64_MAX).ok());
  EXPECT_TRUE(Instant({}, "time()", -1'000'000'000'000'000).ok());
}

TEST_F(EngineTest, PutsPositionsIntoAnnotations) {
  const auto warned = Instant({}, "1 +\n  quantile(2, m_total)");
  ASSERT_TRUE(warned.ok());
  EXPECT_THAT(
      warned->warnings,
      ElementsAre("PromQL warning: quantile value should be between 0 and 1, got 2 (2:12)"));
  const auto informed = Instant({}, "rate({series=\"1\"}[5m])");
  ASSERT_TRUE(informed.ok());
  EXPECT_THAT(informed->infos, IsEmpty());
}

TEST_F(EngineTest, SortsRangeResultsByLabels) {
  const auto result =
      OverRange({}, "sort_desc(m_total)", {.start_ms = 0, .end_ms = 600'000, .step_ms = 60'000});
  ASSERT_TRUE(result.ok());
  const auto& matrix = std::get<Matrix>(result->value);
  ASSERT_EQ(matrix.size(), 5U);
  EXPECT_EQ(matrix.front().labels.Get("series"), "0");
}

// At any step a range query must say what an instant query says.
TEST_F(EngineTest, RangeAndInstantQueriesAgree) {
  const Range range{.start_ms = 300'000, .end_ms = 3'000'000, .step_ms = 77'000};
  for (const char* text :
       {"m_total", "rate(m_total[5m])", "sum by (job) (m_total)", "m_total > 50",
        "m_total / on(job) group_left sum by (job) (m_total)", "max_over_time(m_total[7m:1m])",
        "m_total unless m_total offset 10m > 20", "histogram_quantile(0.5, m_total)",
        "absent(m_total > 100)", "label_replace(m_total, \"x\", \"$1\", \"series\", \"(.*)\")",
        "scalar(sum(m_total)) + time()", "count_values(\"v\", m_total % 2)", "topk(1, m_total)",
        "m_total @ 1000 + m_total", "predict_linear(m_total[5m], 60)", "timestamp(m_total)",
        "hour()", "m_total or vector(1)", "quantile_over_time(0.3, m_total[9m])"}) {
    const auto matrix = OverRange({}, text, range);
    ASSERT_TRUE(matrix.ok()) << text << matrix.error().message();
    size_t points = 0;
    for (const MatrixSeries& series : std::get<Matrix>(matrix->value)) {
      points += series.samples.size();
    }
    size_t expected = 0;
    for (int64_t at = range.start_ms; at <= range.end_ms; at += range.step_ms) {
      const auto vector = Instant({}, text, at);
      ASSERT_TRUE(vector.ok()) << text;
      if (const auto* scalar = std::get_if<Scalar>(&vector->value)) {
        const auto& samples = std::get<Matrix>(matrix->value).front().samples;
        EXPECT_EQ(samples[expected++].value, scalar->value) << text;
        continue;
      }
      for (const VectorElement& element : std::get<Vector>(vector->value)) {
        ++expected;
        bool found = false;
        for (const MatrixSeries& series : std::get<Matrix>(matrix->value)) {
          for (const model::Sample& sample : series.samples) {
            found = found || (series.labels == element.labels && sample.timestamp_ms == at &&
                              sample.value == element.value);
          }
        }
        EXPECT_TRUE(found) << text << " at " << at << ": " << element.labels.ToString();
      }
    }
    EXPECT_EQ(points, expected) << text;
  }
}

TEST_F(EngineTest, DropsNamesAtOnceUnlessAskedToWait) {
  const char* text =
      "label_replace(m_total{series=\"1\"} * 2, \"n\", \"$1\", \"__name__\", \"(.+)\")";
  const auto now = Instant({}, text);
  const auto later = Instant({.delayed_name_removal = true}, text);
  ASSERT_TRUE(now.ok() && later.ok());
  EXPECT_EQ(std::get<Vector>(now->value).front().labels.ToString(), "{job=\"b\", series=\"1\"}");
  EXPECT_EQ(std::get<Vector>(later->value).front().labels.ToString(),
            "{job=\"b\", n=\"m_total\", series=\"1\"}");
}

TEST_F(EngineTest, EvaluatesInManyThreadsAtOnce) {
  const Engine engine;
  const auto query = engine.Parse("sum by (job) (rate(m_total[5m]))");
  ASSERT_TRUE(query.ok());
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        EXPECT_TRUE(engine.Instant(*query, head_, 1'800'000).ok());
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

TEST(FunctionTable, IsSortedUniqueAndDescribed) {
  const auto& all = AllFunctions();
  EXPECT_GE(all.size(), 80U);
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_TRUE(i == 0 || all[i - 1]->name < all[i]->name) << all[i]->name;
    EXPECT_FALSE(all[i]->help.empty()) << all[i]->name;
    EXPECT_EQ(FindFunction(all[i]->name), all[i]);
  }
  EXPECT_EQ(FindFunction("nope"), nullptr);
  EXPECT_EQ(FindFunction(""), nullptr);
}

TEST(AggregationTable, IsUniqueAndDescribed) {
  for (const Aggregation& aggregation : AllAggregations()) {
    EXPECT_EQ(FindAggregation(aggregation.name), &aggregation);
    EXPECT_FALSE(aggregation.help.empty());
  }
  EXPECT_EQ(FindAggregation("rate"), nullptr);
}

}  // namespace
}  // namespace promql
