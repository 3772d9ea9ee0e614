#include "exporters/redis/resp.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace exporters::redis {
namespace {

// The replies in `bytes`, fed in pieces of `piece` bytes; the last entry is an error's kind if
// there was one.
struct Outcome {
  std::vector<Reply> replies;
  std::optional<base::ErrorKind> error;
};

Outcome ReadAll(std::string_view bytes, size_t piece) {
  Outcome outcome;
  ReplyReader reader;
  while (!bytes.empty()) {
    if (!reader.Feed(bytes.substr(0, piece)).ok()) {
      outcome.error = base::ErrorKind::kResourceExhausted;
      return outcome;
    }
    bytes.remove_prefix(std::min(piece, bytes.size()));
    for (;;) {
      auto reply = reader.Next();
      if (!reply.ok()) {
        outcome.error = reply.error().kind();
        return outcome;
      }
      if (!reply->has_value()) {
        break;
      }
      outcome.replies.push_back(**std::move(reply));
    }
  }
  return outcome;
}

// One line a reply: +OK, -ERR, :1, "text", nil, [a, b].
std::string Text(const Reply& reply) {
  switch (reply.type) {
    case Reply::Type::kNil:
      return "nil";
    case Reply::Type::kString:
      return "\"" + reply.text + "\"";
    case Reply::Type::kStatus:
      return "+" + reply.text;
    case Reply::Type::kError:
      return "-" + reply.text;
    case Reply::Type::kInteger:
      return ":" + std::to_string(reply.integer);
    case Reply::Type::kArray:
      break;
  }
  std::string text = "[";
  for (const Reply& element : reply.elements) {
    text += (text.size() > 1 ? ", " : "") + Text(element);
  }
  return text + "]";
}

TEST(ReplyReader, ReadsEveryTypeHoweverTheBytesArrive) {
  const auto check = [](std::string_view bytes, const std::string& expected) {
    for (const size_t piece : {bytes.size(), size_t{1}, size_t{3}}) {
      const Outcome outcome = ReadAll(bytes, piece);
      ASSERT_EQ(outcome.replies.size(), 1U) << bytes;
      EXPECT_EQ(Text(outcome.replies[0]), expected) << bytes;
      EXPECT_FALSE(outcome.error.has_value());
    }
  };
  check("+OK\r\n", "+OK");
  check("-ERR unknown command\r\n", "-ERR unknown command");
  check(":-9223372036854775808\r\n", ":-9223372036854775808");
  check("$5\r\nhe\r\nl\r\n", "\"he\r\nl\"");
  check("$0\r\n\r\n", "\"\"");
  check("$-1\r\n", "nil");
  check("*-1\r\n", "nil");
  check("*0\r\n", "[]");
  check("*2\r\n$3\r\nset\r\n*4\r\n$5\r\ncalls\r\n:7\r\n*0\r\n*1\r\n:1\r\n",
        "[\"set\", [\"calls\", :7, [], [:1]]]");
}

TEST(ReplyReader, ReadsSeveralRepliesOfOneBurst) {
  const Outcome outcome = ReadAll("+OK\r\n:1\r\n*1\r\n:2\r\n$1\r\nx\r\n", 1000);
  ASSERT_EQ(outcome.replies.size(), 4U);
  EXPECT_EQ(Text(outcome.replies[2]), "[:2]");
}

TEST(ReplyReader, RefusesWhatIsNotResp) {
  const auto check = [](std::string_view bytes, base::ErrorKind kind) {
    const Outcome outcome = ReadAll(bytes, bytes.size());
    ASSERT_TRUE(outcome.error.has_value()) << bytes;
    EXPECT_EQ(*outcome.error, kind) << bytes;
  };
  const auto bad = base::ErrorKind::kInvalidArgument;
  check("HTTP/1.1 400 Bad Request\r\n", bad);
  check("\r\n", bad);
  check("\x16\x03\x01", bad);
  check("*-2\r\n", bad);
  check("$-2\r\n", bad);
  check("$x\r\n", bad);
  check(":12a\r\n", bad);
  check("*2\r\n:1\r\nx\r\n", bad);
  check("$99999999999999999999999\r\n", bad);
}

TEST(ReplyReader, HoldsItsLimits) {
  const auto check = [](const std::string& bytes) {
    const Outcome outcome = ReadAll(bytes, bytes.size());
    ASSERT_TRUE(outcome.error.has_value()) << bytes.substr(0, 40);
    EXPECT_NE(*outcome.error, base::ErrorKind::kUnknown);
  };
  check("*" + std::to_string(kMaxElements + 1) + "\r\n");
  check("*1073741824\r\n");
  check("$" + std::to_string(kMaxBulkBytes + 1) + "\r\n" + std::string(kMaxBulkBytes + 1, 'x') +
        "\r\n");
  std::string deep;
  for (size_t i = 0; i <= kMaxDepth; ++i) {
    deep += "*1\r\n";
  }
  check(deep);
  std::string bomb;
  for (int i = 0; i < 3; ++i) {  // Each is within the limit, all together are not.
    bomb += "*2\r\n*" + std::to_string(kMaxElements / 2) + "\r\n";
    for (size_t j = 0; j < kMaxElements / 2; ++j) {
      bomb += ":1\r\n";
    }
    bomb += ":1\r\n";
  }
  check(bomb);
}

TEST(ReplyReader, TakesNoMoreBytesThanItsLimit) {
  ReplyReader reader;
  const std::string megabyte(1 << 20, 'x');
  for (size_t fed = 0; fed < kMaxReplyBytes; fed += megabyte.size()) {
    ASSERT_TRUE(reader.Feed(megabyte).ok());
  }
  const auto fed = reader.Feed("x");
  ASSERT_FALSE(fed.ok());
  EXPECT_EQ(fed.error().kind(), base::ErrorKind::kResourceExhausted);
}

TEST(Command, IsAnArrayOfBulkStrings) {
  const std::string_view words[] = {"AUTH", "us\r\ner", ""};
  std::string bytes;
  AppendCommand(words, &bytes);
  EXPECT_EQ(bytes, "*3\r\n$4\r\nAUTH\r\n$6\r\nus\r\ner\r\n$0\r\n\r\n");
}

}  // namespace
}  // namespace exporters::redis
