#include "exporters/redis/address.h"

#include <string>

#include <gtest/gtest.h>

namespace exporters::redis {
namespace {

TEST(RedisAddress, ReadsEveryForm) {
  const auto check = [](std::string_view text, const std::string& expected, std::string_view user,
                        std::string_view password) {
    const auto address = ParseAddress(text);
    ASSERT_TRUE(address.ok()) << text << ": " << address.error().message();
    EXPECT_EQ(address->ToString(), expected) << text;
    EXPECT_EQ(address->user, user) << text;
    EXPECT_EQ(address->password.Reveal(), password) << text;
  };
  check("redis://localhost:6379", "redis://localhost:6379", "", "");
  check("redis://db1", "redis://db1:6379", "", "");
  check("redis://", "redis://localhost:6379", "", "");
  check("localhost:6380", "redis://localhost:6380", "", "");
  check("db1", "redis://db1:6379", "", "");
  check(" valkey://db1:1/3 ", "redis://db1:1", "", "");
  check("rediss://[::1]:6390", "rediss://[::1]:6390", "", "");
  check("valkeys://db1", "rediss://db1:6379", "", "");
  check("redis://me:p%40ss@db1", "redis://db1:6379", "me", "p@ss");
  check("redis://:secret@db1", "redis://db1:6379", "", "secret");
  check("unix:///run/redis.sock", "unix:///run/redis.sock", "", "");
  check("unix://me:pw@/run/redis.sock", "unix:///run/redis.sock", "me", "pw");
}

TEST(RedisAddress, RefusesTheRestWithoutQuotingPasswords) {
  for (const char* text :
       {"http://canary@db1", "redis://canary@db1:99999", "redis://canary@db1:x", "unix://",
        "unix:///", "redis://a:canary%zz@db1", "redis://canary@::1:6379", "redis://canary@[::1"}) {
    const auto address = ParseAddress(text);
    ASSERT_FALSE(address.ok()) << text;
    EXPECT_EQ(address.error().kind(), base::ErrorKind::kInvalidArgument) << text;
    EXPECT_EQ(address.error().message().find("canary"), std::string::npos) << text;
  }
}

TEST(Passwords, AreAPlainFileOrAMapOfAddresses) {
  const auto plain = ParsePasswords("  s3cret\n");
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->Find(*ParseAddress("redis://db1")).Reveal(), "s3cret");

  const auto map = ParsePasswords(
      R"({"redis://db1:6379": "one", "rediss://db1:6379": "two", "redis://me@db2": "th\"ree",
          "redis://db2:6379": "four", "unix:///run/r.sock": "five"})");
  ASSERT_TRUE(map.ok()) << map.error().message();
  const auto check = [&](std::string_view address, std::string_view expected) {
    EXPECT_EQ(map->Find(*ParseAddress(address)).Reveal(), expected) << address;
  };
  check("redis://db1", "one");
  check("redis://me@db1", "one");
  check("rediss://db1", "two");
  check("redis://me@db2:6379", "th\"ree");
  check("redis://you@db2:6379", "four");
  check("unix:///run/r.sock", "five");
  check("redis://db3", "");
  check("redis://db1:6380", "");
}

TEST(Passwords, RefuseABrokenMapWithoutQuotingIt) {
  for (const char* text : {"{\"redis://db1\": ", "{\"a\": [\"canary\"]}",
                           "{\"a\": {\"canary\": 1}}", "{canary", "{\"canary\""}) {
    const auto passwords = ParsePasswords(text);
    ASSERT_FALSE(passwords.ok()) << text;
    EXPECT_EQ(passwords.error().message().find("canary"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace exporters::redis
