#include "exporters/redis/info.h"

#include <string>

#include <gtest/gtest.h>

namespace exporters::redis {
namespace {

TEST(Info, FindsFieldsByNameWithTheirSection) {
  const Info info(
      "# Server\r\nredis_version:7.0.15\r\nexecutable:/a:b\r\n\r\n# Clients\r\nconnected_"
      "clients:3\r\n");
  EXPECT_EQ(info.Get("redis_version"), "7.0.15");
  EXPECT_EQ(info.Get("executable"), "/a:b");
  EXPECT_EQ(info.Get("no_such_field"), "");
  EXPECT_FALSE(info.Find("no_such_field").has_value());
  ASSERT_EQ(info.fields().size(), 3U);
  EXPECT_EQ(info.fields()[2].section, "Clients");
}

TEST(Info, TakesWhateverAServerWrites) {
  const auto check = [](const std::string& text, size_t fields) {
    EXPECT_EQ(Info(text).fields().size(), fields) << text;
  };
  check("", 0);
  check("\r\n\r\n", 0);
  check("# Server", 0);
  check("#", 0);
  check("no colon\r\n", 0);
  check(":no name\r\n", 0);
  check("a:1", 1);
  check("a:1\nb:2\n", 2);
  check("a:\r\n", 1);
  check("a:1\ra:2", 1);
  check(std::string("a\0b:1\r\n", 7), 1);
  check("\xff\xfe:\x80\r\n", 1);
}

TEST(Info, KeepsTheFirstOfARepeatedField) { EXPECT_EQ(Info("a:1\r\na:2\r\n").Get("a"), "1"); }

TEST(Info, StopsAtItsLimit) {
  std::string text;
  for (size_t i = 0; i < kMaxInfoFields + 10; ++i) {
    text += "a:1\n";
  }
  EXPECT_EQ(Info(text).fields().size(), kMaxInfoFields);
}

TEST(Info, KeepsItsViewsWhenMoved) {
  Info first("a:1\r\n");
  const Info second = std::move(first);
  EXPECT_EQ(second.Get("a"), "1");
}

TEST(InfoPairs, FindsValuesByNameInAnyOrder) {
  const InfoPairs pairs("keys=2,expires=1,hits=7,avg_ttl=-1,=x,plain,empty=");
  EXPECT_EQ(pairs.Number("keys"), 2.0);
  EXPECT_EQ(pairs.Number("avg_ttl"), -1.0);
  EXPECT_EQ(pairs.Find("empty"), "");
  EXPECT_FALSE(pairs.Number("empty").has_value());
  EXPECT_FALSE(pairs.Find("plain").has_value());
  EXPECT_FALSE(pairs.Find("").has_value());
}

TEST(InfoPairs, StopAtTheirLimit) {
  std::string text;
  for (size_t i = 0; i < kMaxInfoPairs + 5; ++i) {
    text += "a=1,";
  }
  EXPECT_EQ(InfoPairs(text).pairs().size(), kMaxInfoPairs);
}

TEST(InfoValue, IsANumberAPercentageOrAKnownWord) {
  const auto check = [](std::string_view text, std::optional<double> expected) {
    EXPECT_EQ(ParseInfoValue(text), expected) << text;
  };
  check("0", 0);
  check("-1", -1);
  check("1.25", 1.25);
  check("18446744073709551615", 18446744073709551615.0);
  check("99.82%", 99.82);
  check("ok", 1);
  check("fail", 0);
  check("err", 0);
  check("up", 1);
  check("down", 0);
  check("", std::nullopt);
  check("%", std::nullopt);
  check("9.79M", std::nullopt);
  check("nan", std::nullopt);
  check("-nan", std::nullopt);
  check("inf", std::nullopt);
  check("0x10", std::nullopt);
  check(" 1", std::nullopt);
  check("noeviction", std::nullopt);
}

}  // namespace
}  // namespace exporters::redis
