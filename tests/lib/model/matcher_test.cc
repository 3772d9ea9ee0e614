#include "lib/model/matcher.h"

#include <string>

#include <gtest/gtest.h>

namespace model {
namespace {

bool Match(MatchType type, std::string pattern, std::string_view value) {
  const auto matcher = Matcher::Make(type, "l", std::move(pattern));
  EXPECT_TRUE(matcher.ok()) << matcher.error().message();
  return matcher.ok() && matcher->Matches(value);
}

TEST(Matcher, EqualityTreatsAbsentAsEmpty) {
  EXPECT_TRUE(Match(MatchType::kEqual, "a", "a"));
  EXPECT_TRUE(Match(MatchType::kEqual, "", ""));
  EXPECT_FALSE(Match(MatchType::kEqual, "a", ""));
  EXPECT_TRUE(Match(MatchType::kNotEqual, "a", ""));
  EXPECT_FALSE(Match(MatchType::kNotEqual, "", ""));
}

TEST(Matcher, RegularExpressionsAreAnchored) {
  EXPECT_TRUE(Match(MatchType::kRegex, "a.*", "abc"));
  EXPECT_FALSE(Match(MatchType::kRegex, "b", "abc"));
  EXPECT_FALSE(Match(MatchType::kRegex, "a|b", "ab"));
  EXPECT_FALSE(Match(MatchType::kRegex, "x.?|b+", "ab"));
  EXPECT_TRUE(Match(MatchType::kRegex, ".*", ""));
  EXPECT_FALSE(Match(MatchType::kRegex, ".+", ""));
  EXPECT_TRUE(Match(MatchType::kNotRegex, ".+", ""));
  EXPECT_TRUE(Match(MatchType::kRegex, "(?i)ABC", "abc"));
}

TEST(Matcher, ADotMatchesANewline) { EXPECT_TRUE(Match(MatchType::kRegex, "a.b", "a\nb")); }

TEST(Matcher, PlainAlternativesBecomeLiterals) {
  const auto words = Matcher::Make(MatchType::kRegex, "l", "b|a|b|");
  ASSERT_TRUE(words->literals().has_value());
  EXPECT_EQ(*words->literals(), (std::vector<std::string>{"", "a", "b"}));
  EXPECT_TRUE(words->Matches(""));
  EXPECT_TRUE(words->Matches("a"));
  EXPECT_FALSE(words->Matches("ab"));
  EXPECT_FALSE(Matcher::Make(MatchType::kRegex, "l", "a.c")->literals().has_value());
}

TEST(Matcher, RefusesWhatDoesNotCompile) {
  for (const char* pattern : {"(", "[a", "a{2000}", "*", "(?<n", "a(?=b)", "\\8"}) {
    const auto matcher = Matcher::Make(MatchType::kRegex, "l", pattern);
    ASSERT_FALSE(matcher.ok()) << pattern;
    EXPECT_EQ(matcher.error().kind(), base::ErrorKind::kInvalidArgument);
  }
  EXPECT_FALSE(
      Matcher::Make(MatchType::kRegex, "l", std::string(Matcher::kMaxRegexBytes + 1, 'a')).ok());
}

TEST(Matcher, PrintsAsPromQL) {
  EXPECT_EQ(Matcher::Make(MatchType::kNotRegex, "job", "a\"b")->ToString(), R"(job!~"a\"b")");
}

}  // namespace
}  // namespace model
