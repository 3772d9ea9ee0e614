#include "agent/notify/time_interval.h"

#include <string>

#include <gtest/gtest.h>

#include "lib/base/file.h"

namespace notify {
namespace {

base::WallTime At(int64_t unix_seconds) {
  return base::WallTime(std::chrono::seconds(unix_seconds));
}

constexpr int64_t kSunday = 1785672000;  // 2026-08-02 12:00 UTC.
constexpr int64_t kDay = 86'400;

TEST(TimeInterval, AnEmptyOneContainsEverything) {
  EXPECT_TRUE(TimeInterval().Contains(At(0)));
  EXPECT_TRUE(TimeInterval().Contains(At(kSunday)));
}

TEST(TimeInterval, MinutesIncludeTheStartAndExcludeTheEnd) {
  TimeInterval interval;
  interval.minutes = {*ParseMinutes("12:00", "12:30")};
  EXPECT_TRUE(interval.Contains(At(kSunday)));
  EXPECT_TRUE(interval.Contains(At(kSunday + 30 * 60 - 1)));
  EXPECT_FALSE(interval.Contains(At(kSunday + 30 * 60)));
  EXPECT_FALSE(interval.Contains(At(kSunday - 1)));
}

TEST(TimeInterval, LooksAtWeekdaysMonthsAndYears) {
  TimeInterval interval;
  interval.weekdays = {*ParseWeekdays("monday:friday")};
  EXPECT_FALSE(interval.Contains(At(kSunday)));
  EXPECT_TRUE(interval.Contains(At(kSunday + kDay)));
  interval.months = {*ParseMonths("august")};
  EXPECT_TRUE(interval.Contains(At(kSunday + kDay)));
  interval.years = {*ParseYears("2027:2028")};
  EXPECT_FALSE(interval.Contains(At(kSunday + kDay)));
}

TEST(TimeInterval, DaysCountFromEitherEndOfTheMonth) {
  TimeInterval interval;
  interval.days_of_month = {*ParseDaysOfMonth("-1")};
  EXPECT_TRUE(interval.Contains(At(kSunday - 2 * kDay))) << "31 July";
  EXPECT_FALSE(interval.Contains(At(kSunday))) << "2 August";
  interval.days_of_month = {*ParseDaysOfMonth("1:-30")};
  EXPECT_TRUE(interval.Contains(At(kSunday))) << "2 August is the 30th from its end";
  EXPECT_FALSE(interval.Contains(At(kSunday + kDay)));
  interval.days_of_month = {*ParseDaysOfMonth("31")};
  EXPECT_FALSE(interval.Contains(At(1782820800))) << "30 June has no 31st";
}

TEST(TimeInterval, AnswersInItsTimeZoneAlsoWhenClocksChange) {
  const auto berlin = TimeZone::Load("Europe/Berlin");
  if (!berlin.ok()) {
    GTEST_SKIP() << berlin.error().message();
  }
  EXPECT_EQ(berlin->At(kSunday).seconds, 7200);
  EXPECT_EQ(berlin->At(kSunday).abbreviation, "CEST");
  EXPECT_EQ(berlin->At(1774745999).abbreviation, "CET") << "29 March 2026 00:59:59 UTC";
  EXPECT_EQ(berlin->At(1774746000).abbreviation, "CEST");
  EXPECT_EQ(berlin->At(4118000400).abbreviation, "CEST") << "2100, by the rule at the file's end";
  EXPECT_EQ(berlin->At(4102444800).abbreviation, "CET");
  TimeInterval interval;
  interval.zone = *berlin;
  interval.minutes = {*ParseMinutes("14:00", "14:01")};
  EXPECT_TRUE(interval.Contains(At(kSunday)));
}

TEST(TimeZone, RefusesUnknownNamesAndDamagedFiles) {
  EXPECT_FALSE(TimeZone::Load("Mars/Olympus").ok());
  EXPECT_FALSE(TimeZone::Load("../etc/passwd").ok());
  EXPECT_FALSE(TimeZone::Load("/etc/passwd").ok());
  EXPECT_FALSE(TimeZone::Parse("x", "").ok());
  EXPECT_FALSE(TimeZone::Parse("x", "TZif2" + std::string(39, '\0')).ok());
  const auto bytes = base::ReadFile("/usr/share/zoneinfo/Europe/Berlin");
  if (bytes.ok()) {
    for (size_t size = 0; size < bytes->size() - 40; size += 7) {
      EXPECT_FALSE(TimeZone::Parse("x", bytes->substr(0, size)).ok()) << size;
    }
  }
}

TEST(TimeIntervalParts, RefuseWhatIsNone) {
  EXPECT_FALSE(ParseMinutes("9:00", "17:00").ok());
  EXPECT_FALSE(ParseMinutes("17:00", "09:00").ok());
  EXPECT_FALSE(ParseMinutes("09:00", "24:01").ok());
  EXPECT_TRUE(ParseMinutes("00:00", "24:00").ok());
  EXPECT_FALSE(ParseWeekdays("friday:monday").ok());
  EXPECT_FALSE(ParseWeekdays("funday").ok());
  EXPECT_FALSE(ParseDaysOfMonth("0").ok());
  EXPECT_FALSE(ParseDaysOfMonth("32").ok());
  EXPECT_FALSE(ParseDaysOfMonth("-1:5").ok());
  EXPECT_FALSE(ParseDaysOfMonth("5:1").ok());
  EXPECT_FALSE(ParseMonths("13").ok());
  EXPECT_FALSE(ParseMonths("december:may").ok());
  EXPECT_FALSE(ParseYears("2028:2026").ok());
  EXPECT_FALSE(ParseYears("soon").ok());
}

}  // namespace
}  // namespace notify
