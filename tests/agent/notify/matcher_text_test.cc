#include "agent/notify/matcher_text.h"

#include <gtest/gtest.h>

namespace notify {
namespace {

TEST(ParseMatchers, ReadsBothGrammars) {
  const auto check = [](const char* text, const char* want) {
    const auto matchers = ParseMatchers(text);
    ASSERT_TRUE(matchers.ok()) << text << ": " << matchers.error().message();
    EXPECT_EQ(FormatMatchers(*matchers), want) << text;
  };
  check("", "{}");
  check("{}", "{}");
  check("a=b", R"({a="b"})");
  check("a = \"b\"", R"({a="b"})");
  check("{a=\"b\",c!=\"d\",e=~\"f\",g!~\"h\"}", R"({a="b",c!="d",e=~"f",g!~"h"})");
  check("{a=b,}", R"({a="b"})");
  check("a=~page|ticket", R"({a=~"page|ticket"})");
  check(R"(a="x,y")", R"({a="x,y"})");
  check(R"(a="say \"hi\"\n")", R"({a="say \"hi\"\n"})");
  check(R"("any name"="v")", R"({"any name"="v"})");
  check("\xC3\xBC=1", "{\xC3\xBC=\"1\"}");
  check("a=", R"({a=""})");
  check("a=b c", R"({a="b c"})");
  check(R"(a=~\d+)", R"({a=~"\\d+"})");
  check(R"(a=~"\d+")", R"({a=~"\\d+"})");
}

TEST(ParseMatchers, RefusesWhatIsNoMatcher) {
  const auto check = [](const std::string& text) {
    EXPECT_FALSE(ParseMatchers(text).ok()) << text;
  };
  check("a");
  check("=b");
  check("a==b\"");
  check("a=\"b");
  check("a=b\"c");
  check("a=~\"(\"");
  check("a b=c");
  check("a=b,,c=d");
  check("\xff=a");
  check("a=~" + std::string(model::Matcher::kMaxRegexBytes + 1, 'x'));
  check("a=" + std::string(kMaxMatchersBytes, 'x'));
}

TEST(ParseMatcher, TakesExactlyOne) {
  EXPECT_TRUE(ParseMatcher("a=b").ok());
  EXPECT_FALSE(ParseMatcher("a=b,c=d").ok());
  EXPECT_FALSE(ParseMatcher("").ok());
}

TEST(SortMatchers, SortsByNameValueAndType) {
  Matchers matchers = *ParseMatchers("b=1,a=2,a=1,a!=1");
  SortMatchers(&matchers);
  EXPECT_EQ(FormatMatchers(matchers), R"({a="1",a!="1",a="2",b="1"})");
}

}  // namespace
}  // namespace notify
