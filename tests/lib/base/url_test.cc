#include "lib/base/url.h"

#include <string>

#include <gtest/gtest.h>

namespace base {
namespace {

TEST(ParseUrl, TakesAUrlApart) {
  const auto url = ParseUrl("HTTPS://al%40ice:p%3Aw@db.example:8443/a%20b/c?x=1&y=a%26b&x=2#part");
  ASSERT_TRUE(url.ok()) << url.error().message();
  EXPECT_EQ(url->scheme, "https");
  EXPECT_EQ(url->user, "al@ice");
  EXPECT_EQ(url->password.Reveal(), "p:w");
  EXPECT_EQ(url->host, "db.example");
  EXPECT_EQ(url->port, 8443);
  EXPECT_EQ(url->path, "/a%20b/c");
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(url->query, (Pairs{{"x", "1"}, {"y", "a&b"}, {"x", "2"}}));
}

TEST(ParseUrl, LeavesOutWhatIsNotThere) {
  const auto check = [](const char* text, const char* user, const char* password, const char* host,
                        int port, const char* path) {
    const auto url = ParseUrl(text);
    ASSERT_TRUE(url.ok()) << text << ": " << url.error().message();
    EXPECT_EQ(url->user, user) << text;
    EXPECT_EQ(url->password.Reveal(), password) << text;
    EXPECT_EQ(url->host, host) << text;
    EXPECT_EQ(url->port, port) << text;
    EXPECT_EQ(url->path, path) << text;
  };
  check("http://h", "", "", "h", 0, "");
  check("http://h/", "", "", "h", 0, "/");
  check("http://h?q", "", "", "h", 0, "");
  check("http://h:1", "", "", "h", 1, "");
  check("http://u@h", "u", "", "h", 0, "");
  check("http://:p@h", "", "p", "h", 0, "");
  check("http://u:p@w@h", "u", "p@w", "h", 0, "");
  check("http://[::1]:9100/x", "", "", "::1", 9100, "/x");
  check("http://[::1]", "", "", "::1", 0, "");
  check("redis+tls://h:6380/0", "", "", "h", 6380, "/0");
  check("unix:///run/redis.sock", "", "", "", 0, "/run/redis.sock");
}

TEST(ParseUrl, RefusesWhatIsNotOneWithoutQuotingIt) {
  for (const char* text :
       {"", "hunter2", "://hunter2", "h:80", "//hunter2", "ht tp://hunter2", "http://hunter2:x/",
        "http://hunter2:65536", "http://hunter2:-1", "http://hunter2:1:2", "http://[hunter2",
        "http://[::1]hunter2", "http://::1hunter2/", "http://u:%zz@hunter2", "http://%4@hunter2"}) {
    const auto url = ParseUrl(text);
    ASSERT_FALSE(url.ok()) << text;
    EXPECT_EQ(url.error().kind(), ErrorKind::kInvalidArgument);
    if (std::string_view(text).find(':') == std::string_view::npos) {
      EXPECT_EQ(url.error().message().find("hunter2"), std::string::npos) << url.error().message();
    }
  }
}

TEST(Url, RedactsUserAndPasswordAndQuery) {
  const auto check = [](const char* text, const char* redacted) {
    const auto url = ParseUrl(text);
    ASSERT_TRUE(url.ok()) << text;
    EXPECT_EQ(url->Redacted(), redacted);
  };
  check("http://user:hunter2@h:80/p?token=hunter2", "http://h:80/p");
  check("http://user@[::1]/p", "http://[::1]/p");
  check("http://user@[::1]:90/p", "http://[::1]:90/p");
  check("unix:///run/x", "unix:///run/x");
}

TEST(RedactUrls, TakesCredentialsOutOfAnyText) {
  const auto check = [](const char* text, const char* redacted) {
    EXPECT_EQ(RedactUrls(text), redacted);
  };
  check("no url here: a@b", "no url here: a@b");
  check("get http://u:hunter2@h/x failed", "get http://h/x failed");
  check("a://u:p@h b://v:q@i", "a://h b://i");
  check("bad \"redis://:p/w?#@h\" there", "bad \"redis://h\" there");
  check("x://", "x://");
  check("://@", "://");
}

TEST(PercentDecode, DecodesAndRefusesBrokenEscapes) {
  const auto check = [](const char* text, bool plus, const char* decoded) {
    const auto result = PercentDecode(text, plus);
    ASSERT_TRUE(result.ok()) << text;
    EXPECT_EQ(*result, decoded) << text;
  };
  check("", false, "");
  check("a%20b+c", false, "a b+c");
  check("a%20b+c", true, "a b c");
  check("%41%7a%7A", false, "Azz");
  check("%2525", false, "%25");
  EXPECT_EQ(PercentDecode("%00", false).value_or("x"), std::string(1, '\0'));
  for (const char* text : {"%", "%4", "a%", "%g0", "%0g", "%%41", "% 41"}) {
    EXPECT_FALSE(PercentDecode(text, false).ok()) << text;
  }
}

TEST(PercentEncode, IsUndoneByDecoding) {
  EXPECT_EQ(PercentEncode("aZ09-_.~"), "aZ09-_.~");
  EXPECT_EQ(PercentEncode("a b/ä+%"), "a%20b%2F%C3%A4%2B%25");
  std::string all;
  for (int c = 0; c < 256; ++c) {
    all += static_cast<char>(c);
  }
  EXPECT_EQ(PercentDecode(PercentEncode(all), true).value_or(""), all);
}

TEST(ParseQuery, KeepsOrderRepetitionAndWhatDoesNotDecode) {
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(ParseQuery(""), Pairs());
  EXPECT_EQ(ParseQuery("&&"), Pairs());
  EXPECT_EQ(ParseQuery("a"), (Pairs{{"a", ""}}));
  EXPECT_EQ(ParseQuery("a=&=b&a=1=2"), (Pairs{{"a", ""}, {"", "b"}, {"a", "1=2"}}));
  EXPECT_EQ(ParseQuery("m%5B%5D=x+y&m[]=%zz"), (Pairs{{"m[]", "x y"}, {"m[]", "%zz"}}));
}

TEST(ParseHostPort, TakesAddressesAndNamesWithAPort) {
  const auto check = [](const char* text, const char* host, int port) {
    const auto parsed = ParseHostPort(text);
    ASSERT_TRUE(parsed.ok()) << text << ": " << parsed.error().message();
    EXPECT_EQ(parsed->host, host);
    EXPECT_EQ(parsed->port, port);
    EXPECT_EQ(FormatHostPort(host, port), text);
  };
  check(":9100", "", 9100);
  check("127.0.0.1:0", "127.0.0.1", 0);
  check("[::1]:9100", "::1", 9100);
  check("db.example:5432", "db.example", 5432);
  for (const char* text : {"", "host", "[::1]", "::1", "host:", "host:x", "host:65536", "host:1:2",
                           "[::1:1", "[::1]1"}) {
    const auto parsed = ParseHostPort(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().kind(), ErrorKind::kInvalidArgument);
    EXPECT_NE(parsed.error().message().find(text), std::string::npos);
  }
}

}  // namespace
}  // namespace base
