#include "exporters/pgbouncer/protocol.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/exporters/pgbouncer/fake_console.h"

namespace exporters::pgbouncer {
namespace {

using std::string_literals::operator""s;

TEST(Protocol, WritesItsMessages) {
  const Parameter parameters[] = {{"user", "me"}, {"database", "pgbouncer"}};
  EXPECT_EQ(StartupMessage(parameters), "\0\0\0\x24\0\3\0\0user\0me\0database\0pgbouncer\0\0"s);
  EXPECT_EQ(TlsRequest(), "\0\0\0\x08\x04\xd2\x16\x2f"s);
  EXPECT_EQ(PasswordMessage("pw"), "p\0\0\0\x07pw\0"s);
  EXPECT_EQ(SaslInitialMessage("X", "abc"), "p\0\0\0\x0dX\0\0\0\0\x03"s + "abc");
  EXPECT_EQ(SaslMessage("abc"), "p\0\0\0\x07"s + "abc");
  EXPECT_EQ(QueryMessage("SHOW X"), "Q\0\0\0\x0bSHOW X\0"s);
  EXPECT_EQ(TerminateMessage(), "X\0\0\0\x04"s);
}

TEST(Protocol, CannotBeSplitByATextWithANul) {
  EXPECT_EQ(QueryMessage("SHOW X\0; SHUTDOWN"s), QueryMessage("SHOW X"));
}

TEST(MessageReader, CutsTheStreamHoweverItArrives) {
  const std::string stream = Msg('Z', "I") + Msg('C', "") + Msg('D', "abc");
  for (const size_t piece : {size_t{1}, size_t{4}, stream.size()}) {
    MessageReader reader;
    std::string types;
    std::string bodies;
    for (size_t at = 0; at < stream.size(); at += piece) {
      ASSERT_TRUE(reader.Feed(stream.substr(at, piece)).ok());
      for (auto next = reader.Next(); next.ok() && next->has_value(); next = reader.Next()) {
        types += (*next)->type;
        bodies += (*next)->body;
      }
    }
    EXPECT_EQ(types, "ZCD") << piece;
    EXPECT_EQ(bodies, "Iabc") << piece;
  }
}

TEST(MessageReader, RefusesLengthsThatCannotBe) {
  const auto check = [](const std::string& stream, base::ErrorKind kind) {
    MessageReader reader;
    ASSERT_TRUE(reader.Feed(stream).ok());
    const auto message = reader.Next();
    ASSERT_FALSE(message.ok());
    EXPECT_EQ(message.error().kind(), kind);
  };
  check("D\0\0\0\0"s, base::ErrorKind::kInvalidArgument);
  check("D\0\0\0\3"s, base::ErrorKind::kInvalidArgument);
  check("D\xff\xff\xff\xff"s, base::ErrorKind::kResourceExhausted);
  check("D\x7f\xff\xff\xff"s, base::ErrorKind::kResourceExhausted);
  check("D" + Int32(kMaxMessageBytes + 5), base::ErrorKind::kResourceExhausted);
  check("HTTP/1.1 400 Bad Request\r\n", base::ErrorKind::kResourceExhausted);
}

TEST(MessageReader, TakesNoMoreBytesThanItsLimit) {
  MessageReader reader;
  const std::string message = Msg('C', std::string((1 << 20) - 10, 'x'));
  size_t fed = 0;
  while (fed + message.size() <= kMaxConversationBytes) {
    ASSERT_TRUE(reader.Feed(message).ok());
    ASSERT_TRUE(reader.Next()->has_value());
    fed += message.size();
  }
  EXPECT_FALSE(reader.Feed(message).ok());
}

TEST(Bodies, AreParsed) {
  const auto columns = ParseRowDescription(Columns({"a", "b"}).substr(5));
  ASSERT_TRUE(columns.ok());
  EXPECT_EQ(*columns, (std::vector<std::string>{"a", "b"}));
  const auto row = ParseDataRow("\0\3\0\0\0\1x\xff\xff\xff\xff\0\0\0\0"s);
  ASSERT_TRUE(row.ok());
  EXPECT_EQ(*row, (TextRows::Row{"x", std::nullopt, ""}));
  const auto error = ParseServerMessage("SFATAL\0VFATAL\0C28P01\0Mno\0Hhint\0\0"s);
  ASSERT_TRUE(error.ok());
  EXPECT_EQ(error->severity, "FATAL");
  EXPECT_EQ(error->code, "28P01");
  EXPECT_EQ(error->text, "no");
  const auto status = ParseParameterStatus("a\0b\0"s);
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(status->second, "b");
  const auto authentication = ParseAuthentication("\0\0\0\5salt"s);
  ASSERT_TRUE(authentication.ok());
  EXPECT_EQ(authentication->code, kMd5Password);
  EXPECT_EQ(authentication->data, "salt");
}

TEST(Bodies, AreRefusedWhenMalformed) {
  const auto rows = [](const std::string& body) { EXPECT_FALSE(ParseDataRow(body).ok()); };
  rows("");
  rows("\0"s);
  rows("\0\1"s);
  rows("\0\1\0\0\0\5abc"s);
  rows("\0\1\x7f\xff\xff\xff"s + "abc");
  rows("\0\1\xff\xff\xff\xfe"s);  // Only -1 is NULL.
  rows("\xff\xff"s);
  const auto columns = [](const std::string& body) {
    EXPECT_FALSE(ParseRowDescription(body).ok());
  };
  columns("");
  columns("\0\1name"s);
  columns("\0\1name\0too short"s);
  columns(Int16(kMaxColumns + 1));
  const auto errors = [](const std::string& body) { EXPECT_FALSE(ParseServerMessage(body).ok()); };
  errors("");
  errors("SFATAL");
  errors("SFATAL\0"s);
  EXPECT_FALSE(ParseParameterStatus("a\0b"s).ok());
  EXPECT_FALSE(ParseAuthentication("\0\0\0"s).ok());
}

}  // namespace
}  // namespace exporters::pgbouncer
