#include "agent/promql/label_hash.h"

#include <string>

#include <gtest/gtest.h>

namespace promql {
namespace {

TEST(LabelHash, IsXxh64) {
  EXPECT_EQ(XxHash64(""), 0xef46db3751d8e999ULL);
  EXPECT_EQ(XxHash64("a"), 0xd24ec4f1a98c6e5bULL);
  EXPECT_EQ(XxHash64("as"), 0x1c330fb2d66be179ULL);
  EXPECT_EQ(XxHash64("asd"), 0x631c37ce72a97393ULL);
  EXPECT_EQ(XxHash64("asdf"), 0x415872f599cea71eULL);
  EXPECT_EQ(XxHash64("Call me Ishmael. Some years ago--never mind how long precisely-"),
            0x02a2e85470d6fd96ULL);
}

TEST(LabelHash, CoversLengthsNamesAndValues) {
  EXPECT_EQ(PrometheusHash({}), XxHash64(""));
  EXPECT_EQ(PrometheusHash({{"b", "x"}, {"a", "yz"}}), XxHash64("\x01"
                                                                "a\x02"
                                                                "yz\x01"
                                                                "b\x01"
                                                                "x"));
  const std::string value(300, 'v');
  std::string bytes(
      "\x01"
      "a\xff\x2c\x01",
      5);
  bytes += '\0';
  EXPECT_EQ(PrometheusHash({{"a", value}}), XxHash64(bytes + value));
}

}  // namespace
}  // namespace promql
