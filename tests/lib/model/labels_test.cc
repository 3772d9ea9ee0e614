#include "lib/model/labels.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

namespace model {
namespace {

TEST(Labels, AreSortedUniqueAndWithoutEmptyValues) {
  const Labels labels{{"b", "2"}, {"a", "1"}, {"c", ""}, {"b", "3"}};
  EXPECT_EQ(labels.ToString(), R"({a="1", b="3"})");
  EXPECT_EQ(labels.size(), 2U);
  EXPECT_EQ(labels, (Labels{{"a", "1"}, {"b", "3"}}));
}

TEST(Labels, AnAbsentLabelIsAnEmptyOne) {
  const Labels labels{{"job", "x"}};
  EXPECT_EQ(labels.Get("job"), "x");
  EXPECT_EQ(labels.Get("a"), "");
  EXPECT_EQ(labels.Get("z"), "");
  EXPECT_FALSE(labels.Has("instance"));
  EXPECT_EQ(Labels().Get("a"), "");
}

TEST(Labels, EqualityAndHashFollowTheContent) {
  const Labels a{{"x", "1"}, {"y", "2"}};
  const Labels b{{"y", "2"}, {"x", "1"}};
  EXPECT_EQ(a, b);
  EXPECT_EQ(a.Hash(), b.Hash());
  EXPECT_NE(a, (Labels{{"x", "12"}, {"y", ""}}));
  // The same bytes in a row, cut elsewhere.
  EXPECT_NE((Labels{{"ab", "c"}}), (Labels{{"a", "bc"}}));
}

TEST(Labels, OrderIsPrometheusOrder) {
  const std::vector<Labels> sorted = {
      {},
      {{"a", "1"}},
      {{"a", "1"}, {"b", "1"}},
      {{"a", "2"}},
      {{"a", "b"}, {"c", "d"}},
      {{"aa", "1"}},
      {{"b", "0"}},
  };
  for (size_t i = 0; i < sorted.size(); ++i) {
    for (size_t j = 0; j < sorted.size(); ++j) {
      EXPECT_EQ(sorted[i] < sorted[j], i < j)
          << sorted[i].ToString() << " " << sorted[j].ToString();
    }
  }
}

TEST(Labels, PrintAsPromQL) {
  EXPECT_EQ(Labels().ToString(), "{}");
  EXPECT_EQ((Labels{{"__name__", "up"}}).ToString(), "up");
  EXPECT_EQ((Labels{{"__name__", "up"}, {"job", "a\"b\\c\nd"}}).ToString(),
            R"(up{job="a\"b\\c\nd"})");
  EXPECT_EQ((Labels{{"__name__", "my.metric"}, {"a b", "c"}}).ToString(),
            R"({"my.metric", "a b"="c"})");
}

TEST(Labels, FingerprintsAreThoseOfPrometheusClientModel) {
  // FNV-1a 64: its offset basis for no labels; the rest by the published algorithm, computed by
  // hand elsewhere.
  EXPECT_EQ(Labels().Fingerprint(), 14695981039346656037ULL);
  EXPECT_EQ((Labels{{"a", ""}}).Fingerprint(), 14695981039346656037ULL);
  uint64_t expected = 14695981039346656037ULL;
  for (const uint64_t byte : {0x61U, 0xffU, 0x62U, 0xffU}) {
    expected = (expected ^ byte) * 1099511628211ULL;
  }
  EXPECT_EQ((Labels{{"a", "b"}}).Fingerprint(), expected);
}

TEST(LabelsBuilder, SetsReplacesAndRemoves) {
  LabelsBuilder builder(Labels{{"a", "1"}, {"b", "2"}});
  builder.Set("a", "9");
  builder.Set("b", "");
  builder.Set("c", "3");
  EXPECT_EQ(builder.Get("a"), "9");
  EXPECT_EQ(builder.Get("b"), "");
  EXPECT_EQ(builder.Build(), (Labels{{"a", "9"}, {"c", "3"}}));
}

TEST(Names, LegacyNamesAreAsciiIdentifiers) {
  for (const char* name : {"a", "_", "abc_9", "__name__"}) {
    EXPECT_TRUE(IsLegacyLabelName(name)) << name;
  }
  for (const char* name : {"", "9a", "a-b", "a:b", "é"}) {
    EXPECT_FALSE(IsLegacyLabelName(name)) << name;
  }
  EXPECT_TRUE(IsLegacyMetricName("job:rate:5m"));
  EXPECT_TRUE(IsLegacyMetricName(":x"));
  EXPECT_FALSE(IsLegacyMetricName("1x"));
  EXPECT_FALSE(IsLegacyMetricName("a.b"));
}

}  // namespace
}  // namespace model
