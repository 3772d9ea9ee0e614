#include "exporters/toolkit/query_table.h"

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace exporters {
namespace {

constexpr ColumnTable kTable({
    {.name = "database", .usage = Usage::kLabel, .label = "datname"},
    {.name = "owner", .usage = Usage::kLabel, .since = 120000},
    {.name = "xacts", .usage = Usage::kCounter, .metric = "t_xacts_total", .help = "Transactions."},
    {.name = "wait_us",
     .usage = Usage::kCounter,
     .metric = "t_wait_seconds_total",
     .help = "Waiting.",
     .scale = 1e-6},
    {.name = "sessions",
     .usage = Usage::kGauge,
     .metric = "t_sessions",
     .help = "Sessions.",
     .since = 140000,
     .sql = "coalesce(sessions, 0)"},
    {.name = "old_buffers",
     .usage = Usage::kUntyped,
     .metric = "t_buffers",
     .help = "Buffers.",
     .until = 170000},
});

// "name{value,value}" → value, of everything emitted.
std::map<std::string, double> Flat(Scrape& scrape) {
  std::map<std::string, double> out;
  for (const model::MetricFamily& family : scrape.TakeFamilies()) {
    for (const model::Metric& metric : family.metrics) {
      std::string key(family.desc->name);
      for (const std::string_view value : metric.labels) {
        key.append(",").append(value);
      }
      out[key] = metric.value;
    }
  }
  return out;
}

using Samples = std::map<std::string, double>;

TEST(QueryTable, SelectsOnlyTheColumnsThatTheVersionHas) {
  EXPECT_EQ(SelectList(kTable, 110000), "database, xacts, wait_us, old_buffers");
  EXPECT_EQ(SelectList(kTable, 139999), "database, owner, xacts, wait_us, old_buffers");
  EXPECT_EQ(SelectList(kTable, 140000),
            "database, owner, xacts, wait_us, coalesce(sessions, 0) AS sessions, old_buffers");
  EXPECT_EQ(SelectList(kTable, 170000),
            "database, owner, xacts, wait_us, coalesce(sessions, 0) AS sessions");
}

TEST(QueryTable, MapsByNameWhateverTheOrderOfColumns) {
  const TextRows rows({"sessions", "unknown", "xacts", "owner", "database"},
                      {{"3", "x", "17", "me", "a"}, {"4", "y", "18", "me", "b"}});
  Scrape scrape({});
  ASSERT_TRUE(EmitRows(kTable, rows, 150000, scrape).ok());
  EXPECT_EQ(Flat(scrape), (Samples{{"t_sessions,a,me", 3},
                                   {"t_sessions,b,me", 4},
                                   {"t_xacts_total,a,me", 17},
                                   {"t_xacts_total,b,me", 18}}));
}

TEST(QueryTable, NullIsNoSampleAndAnEmptyLabel) {
  const TextRows rows({"database", "owner", "xacts", "wait_us"},
                      {{std::nullopt, "me", std::nullopt, "123000"}});
  Scrape scrape({});
  ASSERT_TRUE(EmitRows(kTable, rows, 150000, scrape).ok());
  EXPECT_EQ(Flat(scrape), (Samples{{"t_wait_seconds_total,,me", 0.123}}));
}

TEST(QueryTable, ALabelThatTheVersionLacksIsEmpty) {
  const TextRows rows({"database", "xacts"}, {{"a", "1"}});
  Scrape scrape({});
  ASSERT_TRUE(EmitRows(kTable, rows, 110000, scrape).ok());
  EXPECT_EQ(Flat(scrape), (Samples{{"t_xacts_total,a,", 1}}));
}

TEST(QueryTable, AMissingLabelColumnIsAnErrorAndEmitsNothing) {
  const TextRows rows({"owner", "xacts"}, {{"me", "1"}});
  Scrape scrape({});
  const base::Result<void> result = EmitRows(kTable, rows, 150000, scrape);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().message(), "the answer has no column \"database\"");
  EXPECT_TRUE(Flat(scrape).empty());
}

TEST(QueryTable, ABadNumberIsAnErrorNotZeroAndTheRestIsServed) {
  const TextRows rows({"database", "owner", "xacts", "sessions"},
                      {{"a", "me", "12x", "1"}, {"b", "me", "", "2"}});
  Scrape scrape({});
  const base::Result<void> result = EmitRows(kTable, rows, 150000, scrape);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().message(), "column \"xacts\" is not a number: \"12x\"");
  EXPECT_EQ(Flat(scrape), (Samples{{"t_sessions,a,me", 1}, {"t_sessions,b,me", 2}}));
}

TEST(QueryTable, ALongBadValueIsCutInTheMessage) {
  const TextRows rows({"database", "owner", "xacts"}, {{"a", "me", std::string(5000, 'x')}});
  Scrape scrape({});
  const base::Result<void> result = EmitRows(kTable, rows, 150000, scrape);
  ASSERT_FALSE(result.ok());
  EXPECT_LT(result.error().message().size(), 100U);
}

TEST(QueryTable, BytesThatAreNotUtf8BecomeReplacementCharacters) {
  const TextRows rows({"database", "owner", "xacts"}, {{"caf\xe9", "me", "1"}});
  Scrape scrape({});
  ASSERT_TRUE(EmitRows(kTable, rows, 150000, scrape).ok());
  EXPECT_EQ(Flat(scrape), (Samples{{"t_xacts_total,caf\xef\xbf\xbd,me", 1}}));
}

TEST(QueryTable, DescsCarryTypeHelpAndEveryLabel) {
  const QueryTable table = kTable;
  EXPECT_EQ(table.descs[2].type, model::MetricType::kCounter);
  EXPECT_EQ(table.descs[4].type, model::MetricType::kGauge);
  EXPECT_EQ(table.descs[5].type, model::MetricType::kUntyped);
  EXPECT_EQ(table.descs[2].help, "Transactions.");
  ASSERT_EQ(table.descs[2].labels.size(), 2U);
  EXPECT_EQ(table.descs[2].labels[0], "datname");
  EXPECT_EQ(table.descs[2].labels[1], "owner");
}

TEST(QueryTable, ParsesWhatServersWrite) {
  const auto check = [](std::string_view text, std::optional<double> expected) {
    EXPECT_EQ(ParseCell(text), expected) << text;
  };
  check("0", 0);
  check("-17", -17);
  check("1.5e-3", 0.0015);
  check("9223372036854775807", 9223372036854775807.0);
  check("Infinity", std::numeric_limits<double>::infinity());
  check("t", 1);
  check("f", 0);
  check("yes", 1);
  check("", std::nullopt);
  check(" 1", std::nullopt);
  check("1 ", std::nullopt);
  check("0x10", std::nullopt);
  check("1,5", std::nullopt);
  check("abc", std::nullopt);
}

TEST(TextRows, ShortRowsEndInNulls) {
  const TextRows rows({"a", "b"}, {{"1"}});
  EXPECT_EQ(rows.at(0, 0), "1");
  EXPECT_EQ(rows.at(0, 1), std::nullopt);
  EXPECT_EQ(rows.Find("b"), 1U);
  EXPECT_EQ(rows.Find("c"), std::nullopt);
}

}  // namespace
}  // namespace exporters
