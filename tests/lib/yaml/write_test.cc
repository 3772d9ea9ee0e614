#include "lib/yaml/write.h"

#include <string>

#include <gtest/gtest.h>

namespace yaml {
namespace {

constexpr std::string_view kSecretKeys[] = {"password"};

std::string Rewritten(std::string_view text) {
  const auto node = Parse(text, "f.yml");
  EXPECT_TRUE(node.ok());
  return Write(*node, kSecretKeys);
}

TEST(YamlWrite, WritesBlockStyle) {
  EXPECT_EQ(Rewritten("a: {b: [1, x y, '5', ~], c: {}, d: []}\ne: |\n  two\n  lines\n"),
            "a:\n  b:\n    - 1\n    - \"x y\"\n    - \"5\"\n    - null\n  c: {}\n  d: []\n"
            "e: \"two\\nlines\\n\"\n");
  EXPECT_EQ(Rewritten("- a: 1\n  b: 2\n- [x]\n"), "-\n  a: 1\n  b: 2\n-\n  - x\n");
  EXPECT_EQ(Rewritten(""), "");
}

TEST(YamlWrite, TakesSecretsOut) {
  EXPECT_EQ(Rewritten("user: me\npassword: hunter2\nlist: [{password: [a, b]}]\n"),
            "user: me\npassword: <secret>\nlist:\n  -\n    password: <secret>\n");
  EXPECT_EQ(Rewritten("url: http://me:hunter2@host/x\n").find("hunter2"), std::string::npos);
}

TEST(YamlWrite, WhatIsWrittenReadsBackTheSame) {
  for (const char* text :
       {"a: '- x'\nb: '*y'\nc: \"#z\"\nd: '~'\n", "k: 'it''s: {odd}'\n\"a b\": c\n",
        "x: \"\\u00e9\\t\\\\\"\ny: -1\nz: 'true'\n", "r: ^(a|b).*$\np: 50%\n"}) {
    const std::string once = Rewritten(text);
    EXPECT_EQ(Rewritten(once), once) << text;
    const auto original = Parse(text, "f");
    const auto again = Parse(once, "f");
    ASSERT_TRUE(again.ok()) << once;
    ASSERT_EQ(original->members.size(), again->members.size());
    for (size_t i = 0; i < original->members.size(); ++i) {
      EXPECT_EQ(original->members[i].first, again->members[i].first);
      EXPECT_EQ(original->members[i].second.scalar, again->members[i].second.scalar);
    }
  }
}

}  // namespace
}  // namespace yaml
