#include "agent/storage/head.h"

#include <atomic>
#include <bit>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace storage {
namespace {

using base::ErrorKind;
using model::Labels;
using model::Matcher;
using model::MatchType;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr TimeRange kAllTime{INT64_MIN, INT64_MAX};
constexpr HeadOptions kKeepAll{.retention = std::chrono::milliseconds(0)};

Matcher Match(MatchType type, std::string name, std::string value) {
  return *Matcher::Make(type, std::move(name), std::move(value));
}

void Put(Head& head, const Labels& labels, std::vector<model::Sample> samples) {
  const auto appender = head.NewAppender();
  for (const model::Sample& sample : samples) {
    ASSERT_TRUE(appender->Append(labels, sample.timestamp_ms, sample.value).ok());
  }
  ASSERT_TRUE(appender->Commit().ok());
}

// "name{labels} time:value …" of every selected series.
std::vector<std::string> Dump(const Head& head, const std::vector<Matcher>& matchers = {},
                              TimeRange range = kAllTime) {
  const auto querier = head.NewQuerier();
  const auto selected = querier->Select(matchers, range);
  std::vector<std::string> lines;
  for (const auto& series : *selected) {
    std::string line = series->labels().ToString();
    const auto cursor = series->Samples();
    for (model::Sample sample; cursor->Next(&sample);) {
      line +=
          " " + std::to_string(sample.timestamp_ms) + ":" +
          (model::IsStale(sample.value) ? "stale" : std::to_string(static_cast<int>(sample.value)));
    }
    lines.push_back(line);
  }
  return lines;
}

class HeadTest : public testing::Test {
 protected:
  base::FakeClock clock_;
  Head head_{kKeepAll, clock_};
};

TEST_F(HeadTest, ReturnsCommittedSamplesSortedByLabels) {
  Put(head_, {{"__name__", "b"}}, {{1, 10}, {2, 20}});
  Put(head_, {{"__name__", "a"}, {"x", "1"}}, {{1, 1}});
  Put(head_, {{"__name__", "a"}}, {{3, 3}});
  EXPECT_THAT(Dump(head_), ElementsAre("a 3:3", "a{x=\"1\"} 1:1", "b 1:10 2:20"));
}

TEST_F(HeadTest, ClipsToTheRangeWithBothEndsIncluded) {
  Put(head_, {{"__name__", "a"}}, {{1, 1}, {2, 2}, {3, 3}, {4, 4}});
  EXPECT_THAT(Dump(head_, {}, {2, 3}), ElementsAre("a 2:2 3:3"));
  EXPECT_THAT(Dump(head_, {}, {5, 9}), IsEmpty());
}

TEST_F(HeadTest, ShowsNothingBeforeCommit) {
  const auto appender = head_.NewAppender();
  ASSERT_TRUE(appender->Append(Labels{{"__name__", "a"}}, 1, 1).ok());
  EXPECT_THAT(Dump(head_), IsEmpty());
  ASSERT_TRUE(appender->Commit().ok());
  EXPECT_THAT(Dump(head_), ElementsAre("a 1:1"));
}

TEST_F(HeadTest, KeepsNoTraceOfABatchWithoutCommit) {
  SeriesRef ref = 0;
  {
    const auto appender = head_.NewAppender();
    ref = *appender->Append(Labels{{"__name__", "a"}}, 1, 1);
    EXPECT_EQ(head_.Stats().series, 1U);
  }
  EXPECT_EQ(head_.Stats().series, 0U);
  EXPECT_EQ(head_.NewAppender()->Append(ref, 2, 2).error().kind(), ErrorKind::kNotFound);
}

TEST_F(HeadTest, AppendsByRef) {
  const auto appender = head_.NewAppender();
  const SeriesRef ref = *appender->Append(Labels{{"__name__", "a"}}, 1, 1);
  ASSERT_NE(ref, 0U);
  ASSERT_TRUE(appender->Append(ref, 2, 2).ok());
  ASSERT_TRUE(appender->Commit().ok());
  EXPECT_THAT(Dump(head_), ElementsAre("a 1:1 2:2"));
  EXPECT_EQ(head_.NewAppender()->Append(ref + 1, 3, 3).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(head_.NewAppender()->Append(SeriesRef{0}, 3, 3).error().kind(), ErrorKind::kNotFound);
}

TEST_F(HeadTest, RefusesOutOfOrderAndConflictingSamplesAlone) {
  const Labels a{{"__name__", "a"}};
  Put(head_, a, {{10, 1}});
  const auto appender = head_.NewAppender();
  EXPECT_EQ(appender->Append(a, 9, 1).error().kind(), ErrorKind::kInvalidArgument);
  EXPECT_EQ(appender->Append(a, 10, 2).error().kind(), ErrorKind::kInvalidArgument);
  EXPECT_TRUE(appender->Append(a, 10, 1).ok());  // Identical: accepted, stored once.
  EXPECT_TRUE(appender->Append(a, 11, 3).ok());
  ASSERT_TRUE(appender->Commit().ok());
  EXPECT_THAT(Dump(head_), ElementsAre("a 10:1 11:3"));
  const HeadStats stats = head_.Stats();
  EXPECT_EQ(stats.samples_out_of_order, 1U);
  EXPECT_EQ(stats.samples_duplicate, 1U);
  EXPECT_EQ(stats.samples_appended, 2U);
}

TEST_F(HeadTest, ComparesDuplicatesByTheirBits) {
  const Labels a{{"__name__", "a"}};
  Put(head_, a, {{10, model::kStaleNaN}});
  const auto appender = head_.NewAppender();
  EXPECT_TRUE(appender->Append(a, 10, model::kStaleNaN).ok());
  EXPECT_FALSE(appender->Append(a, 10, model::kNormalNaN).ok());
}

TEST_F(HeadTest, DropsAndCountsAtCommitWhatOnlyThenIsOutOfOrder) {
  const Labels a{{"__name__", "a"}};
  const auto first = head_.NewAppender();
  const auto second = head_.NewAppender();
  ASSERT_TRUE(first->Append(a, 10, 1).ok());
  ASSERT_TRUE(second->Append(a, 9, 1).ok());
  ASSERT_TRUE(first->Commit().ok());
  ASSERT_TRUE(second->Commit().ok());
  EXPECT_THAT(Dump(head_), ElementsAre("a 10:1"));
  EXPECT_EQ(head_.Stats().samples_out_of_order, 1U);
}

TEST_F(HeadTest, SpansManyChunks) {
  std::vector<model::Sample> samples;
  for (int i = 0; i < 1000; ++i) {
    samples.push_back({i, static_cast<double>(i)});
  }
  Put(head_, {{"__name__", "a"}}, samples);
  EXPECT_EQ(head_.Stats().chunks, 9U);
  EXPECT_EQ(head_.Stats().samples, 1000U);
  EXPECT_THAT(Dump(head_, {}, {238, 241}), ElementsAre("a 238:238 239:239 240:240 241:241"));
}

TEST_F(HeadTest, RefusesNewSeriesAtTheLimitAndGoesOnWithTheOthers) {
  Head head({.retention = std::chrono::milliseconds(0), .max_series = 2}, clock_);
  const auto appender = head.NewAppender();
  ASSERT_TRUE(appender->Append(Labels{{"__name__", "a"}}, 1, 1).ok());
  ASSERT_TRUE(appender->Append(Labels{{"__name__", "b"}}, 1, 1).ok());
  EXPECT_EQ(appender->Append(Labels{{"__name__", "c"}}, 1, 1).error().kind(),
            ErrorKind::kResourceExhausted);
  EXPECT_TRUE(appender->Append(Labels{{"__name__", "a"}}, 2, 2).ok());
  ASSERT_TRUE(appender->Commit().ok());
  EXPECT_THAT(Dump(head), ElementsAre("a 1:1 2:2", "b 1:1"));
  EXPECT_EQ(head.Stats().series_refused, 1U);
}

TEST_F(HeadTest, TruncationDropsOldChunksAndDeadSeries) {
  const auto appender = head_.NewAppender();
  const SeriesRef dead = *appender->Append(Labels{{"__name__", "dead"}, {"only", "here"}}, 1, 1);
  const SeriesRef alive = *appender->Append(Labels{{"__name__", "alive"}}, 1, 1);
  for (int i = 2; i <= 250; ++i) {
    ASSERT_TRUE(appender->Append(alive, i, i).ok());
  }
  ASSERT_TRUE(appender->Commit().ok());
  head_.Truncate(121);
  EXPECT_THAT(Dump(head_, {}, {0, 122}), ElementsAre("alive 121:121 122:122"));
  EXPECT_EQ(head_.Stats().series, 1U);
  EXPECT_EQ(head_.Stats().series_removed, 1U);
  EXPECT_EQ(head_.NewAppender()->Append(dead, 300, 1).error().kind(), ErrorKind::kNotFound);
  EXPECT_TRUE(head_.NewAppender()->Append(alive, 300, 1).ok());
  const auto querier = head_.NewQuerier();
  EXPECT_THAT(*querier->LabelNames({}, kAllTime), ElementsAre("__name__"));
}

TEST_F(HeadTest, KeepsASeriesThatAnOpenBatchRefersTo) {
  const Labels a{{"__name__", "a"}};
  Put(head_, a, {{1, 1}});
  const auto appender = head_.NewAppender();
  ASSERT_TRUE(appender->Append(a, 100, 2).ok());
  head_.Truncate(50);
  ASSERT_TRUE(appender->Commit().ok());
  EXPECT_THAT(Dump(head_), ElementsAre("a 100:2"));
}

TEST_F(HeadTest, ARemovedSeriesComesBackUnderAnotherRef) {
  const Labels a{{"__name__", "a"}};
  const auto appender = head_.NewAppender();
  const SeriesRef before = *appender->Append(a, 1, 1);
  ASSERT_TRUE(appender->Commit().ok());
  head_.Truncate(2);
  const SeriesRef after = *appender->Append(a, 3, 1);
  ASSERT_TRUE(appender->Commit().ok());
  EXPECT_NE(before, after);
  EXPECT_THAT(Dump(head_), ElementsAre("a 3:1"));
}

TEST_F(HeadTest, AQueryKeepsItsViewWhileChunksAreDropped) {
  Put(head_, {{"__name__", "a"}, {"x", "y"}}, {{1, 1}, {2, 2}});
  const auto querier = head_.NewQuerier();
  const auto selected = querier->Select({}, kAllTime);
  head_.Truncate(100);
  Put(head_, {{"__name__", "b"}}, {{3, 3}});
  ASSERT_EQ(selected->size(), 1U);
  EXPECT_EQ(selected->front()->labels().ToString(), "a{x=\"y\"}");
  const auto cursor = selected->front()->Samples();
  model::Sample sample;
  ASSERT_TRUE(cursor->Next(&sample));
  ASSERT_TRUE(cursor->Next(&sample));
  EXPECT_EQ(sample.value, 2);
  EXPECT_FALSE(cursor->Next(&sample));
}

TEST(Head, DropsWhatIsOlderThanTheRetentionAsTimeGoesBy) {
  base::FakeClock clock;
  Head head({.retention = std::chrono::hours(1)}, clock);
  const Labels a{{"__name__", "a"}};
  const int64_t start = base::ToMillis(clock.Now());
  for (int minute = 0; minute <= 180; ++minute) {
    Put(head, a, {{base::ToMillis(clock.Now()), 1}});
    clock.Advance(std::chrono::minutes(1));
  }
  const HeadStats stats = head.Stats();
  EXPECT_GT(stats.min_time_ms, start + 80 * 60 * 1000);
  EXPECT_LE(stats.min_time_ms, start + 120 * 60 * 1000);
  EXPECT_GE(stats.samples, 60U);
}

TEST(Head, RefusesSamplesOutsideItsWindow) {
  base::FakeClock clock;
  Head head({.retention = std::chrono::hours(1)}, clock);
  const int64_t now = base::ToMillis(clock.Now());
  const auto appender = head.NewAppender();
  const Labels a{{"__name__", "a"}};
  EXPECT_FALSE(appender->Append(a, now - 3'600'001, 1).ok());
  EXPECT_FALSE(appender->Append(a, now + 600'001, 1).ok());
  EXPECT_TRUE(appender->Append(a, now - 3'600'000, 1).ok());
  EXPECT_TRUE(appender->Append(a, now + 600'000, 1).ok());
  EXPECT_EQ(head.Stats().samples_too_old, 1U);
  EXPECT_EQ(head.Stats().samples_too_new, 1U);
}

TEST_F(HeadTest, SelectsByEveryKindOfMatcher) {
  for (const char* job : {"api", "db", "web"}) {
    Put(head_, {{"__name__", "up"}, {"job", job}}, {{1, 1}});
  }
  Put(head_, {{"__name__", "up"}}, {{1, 1}});
  Put(head_, {{"__name__", "down"}, {"job", "api"}}, {{1, 1}});
  const Matcher up = Matcher::Equal("__name__", "up");
  const auto check = [&](MatchType type, const char* value, std::vector<std::string> want) {
    EXPECT_EQ(Dump(head_, {up, Match(type, "job", value)}), want) << value;
  };
  const std::string api = "up{job=\"api\"} 1:1";
  const std::string db = "up{job=\"db\"} 1:1";
  const std::string web = "up{job=\"web\"} 1:1";
  const std::string none = "up 1:1";
  check(MatchType::kEqual, "api", {api});
  check(MatchType::kEqual, "nope", {});
  check(MatchType::kEqual, "", {none});
  check(MatchType::kNotEqual, "api", {none, db, web});
  check(MatchType::kNotEqual, "", {api, db, web});
  check(MatchType::kRegex, "api|web", {api, web});
  check(MatchType::kRegex, "api|", {none, api});
  check(MatchType::kRegex, ".*b", {db, web});
  check(MatchType::kRegex, ".*", {none, api, db, web});
  check(MatchType::kRegex, ".+", {api, db, web});
  check(MatchType::kNotRegex, "api|web", {none, db});
  check(MatchType::kNotRegex, ".+", {none});
  EXPECT_EQ(Dump(head_, {Match(MatchType::kRegex, "job", "a.*")}).size(), 2U);
  EXPECT_EQ(Dump(head_, {Match(MatchType::kEqual, "nolabel", "x")}).size(), 0U);
}

TEST_F(HeadTest, ListsNamesAndValues) {
  Put(head_, {{"__name__", "up"}, {"job", "api"}, {"zone", "z"}}, {{1, 1}});
  Put(head_, {{"__name__", "up"}, {"job", "db"}}, {{100, 1}});
  const auto querier = head_.NewQuerier();
  EXPECT_THAT(*querier->LabelNames({}, kAllTime), ElementsAre("__name__", "job", "zone"));
  EXPECT_THAT(*querier->LabelNames({}, {50, 200}), ElementsAre("__name__", "job"));
  EXPECT_THAT(*querier->LabelValues("job", {}, kAllTime), ElementsAre("api", "db"));
  const std::vector<Matcher> in_zone{Matcher::Equal("zone", "z")};
  EXPECT_THAT(*querier->LabelValues("job", in_zone, kAllTime), ElementsAre("api"));
  EXPECT_THAT(*querier->LabelValues("nope", {}, kAllTime), IsEmpty());
}

// The index against a plain map, through random insertion and truncation.
TEST(Head, AgreesWithAPlainMapOverRandomSeries) {
  base::FakeClock clock;
  Head head(kKeepAll, clock);
  std::map<std::string, int64_t> plain;  // Labels → last time.
  std::mt19937_64 random(3);
  for (int64_t time = 1; time <= 3000; ++time) {
    const Labels labels{{"__name__", "m" + std::to_string(random() % 7)},
                        {"a", std::to_string(random() % 9)},
                        {"b", std::string(random() % 3, 'x')}};
    Put(head, labels, {{time, 1}});
    plain[labels.ToString()] = time;
    if (time % 100 == 0) {
      head.Truncate(time - 50);
      std::erase_if(plain, [time](const auto& entry) { return entry.second < time - 50; });
    }
    if (time % 50 == 0) {
      std::vector<std::string> labels_only;
      for (std::string line : Dump(head, {Match(MatchType::kRegex, "a", "[1-4]")})) {
        labels_only.push_back(line.substr(0, line.find("} ") + 1));
      }
      std::vector<std::string> want;
      for (const auto& [text, last] : plain) {
        if (text.find("a=\"1\"") != std::string::npos ||
            text.find("a=\"2\"") != std::string::npos ||
            text.find("a=\"3\"") != std::string::npos ||
            text.find("a=\"4\"") != std::string::npos) {
          want.push_back(text);
        }
      }
      ASSERT_THAT(labels_only, testing::UnorderedElementsAreArray(want)) << "at " << time;
    }
  }
}

// Each batch writes the same value to both series: a reader must never see them differ.
TEST(Head, ReadersSeeWholeBatchesWhileWritersAndTruncationRun) {
  base::FakeClock clock;
  Head head(kKeepAll, clock);
  std::atomic<bool> stop = false;
  std::atomic<int> reads = 0;
  std::thread writer([&] {
    const auto appender = head.NewAppender();
    for (int64_t time = 1; time <= 5000; ++time) {
      const auto value = static_cast<double>(time);
      ASSERT_TRUE(appender->Append(Labels{{"__name__", "pair"}, {"x", "1"}}, time, value).ok());
      ASSERT_TRUE(appender->Append(Labels{{"__name__", "pair"}, {"x", "2"}}, time, value).ok());
      ASSERT_TRUE(
          appender->Append(Labels{{"__name__", "churn"}, {"t", std::to_string(time)}}, time, 1)
              .ok());
      ASSERT_TRUE(appender->Commit().ok());
      if (time % 100 == 0) {
        head.Truncate(time - 200);
      }
    }
    stop = true;
  });
  const auto read = [&] {
    const std::vector<Matcher> pair{Matcher::Equal("__name__", "pair")};
    while (!stop) {
      const auto querier = head.NewQuerier();
      const auto selected = querier->Select(pair, kAllTime);
      std::vector<double> last;
      for (const auto& series : *selected) {
        const auto cursor = series->Samples();
        model::Sample sample;
        while (cursor->Next(&sample)) {
        }
        last.push_back(sample.value);
      }
      if (last.size() == 2) {
        ASSERT_EQ(last[0], last[1]);
        ++reads;
      }
      static_cast<void>(head.Stats());
    }
  };
  std::thread first(read);
  std::thread second(read);
  writer.join();
  first.join();
  second.join();
  EXPECT_GT(reads, 0);
}

TEST(Head, ReportsWhatItHolds) {
  base::FakeClock clock;
  Head head(kKeepAll, clock);
  EXPECT_EQ(head.Stats().series, 0U);
  Put(head, {{"__name__", "a"}}, {{5, 1}, {9, 2}});
  const HeadStats stats = head.Stats();
  EXPECT_EQ(stats.series, 1U);
  EXPECT_EQ(stats.chunks, 1U);
  EXPECT_EQ(stats.min_time_ms, 5);
  EXPECT_EQ(stats.max_time_ms, 9);
  EXPECT_GT(stats.sample_bytes, 0U);
  EXPECT_GT(stats.index_bytes, 0U);
}

}  // namespace
}  // namespace storage
