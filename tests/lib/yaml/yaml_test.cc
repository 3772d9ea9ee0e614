#include "lib/yaml/yaml.h"

#include <string>

#include <gtest/gtest.h>

namespace yaml {
namespace {

// A compact print: null as ~, quoted scalars in quotes, with @line where asked.
std::string Print(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull:
      return "~";
    case Node::Kind::kScalar:
      return node.quoted ? '"' + node.scalar + '"' : node.scalar;
    case Node::Kind::kSequence: {
      std::string out = "[";
      for (const Node& item : node.items) {
        out += (out.size() > 1 ? " " : "") + Print(item);
      }
      return out + "]";
    }
    case Node::Kind::kMap:
      break;
  }
  std::string out = "{";
  for (const auto& [key, value] : node.members) {
    out += (out.size() > 1 ? " " : "") + key + ":" + Print(value);
  }
  return out + "}";
}

void Check(std::string_view text, std::string_view expected) {
  const auto node = Parse(text, "f.yml");
  ASSERT_TRUE(node.ok()) << node.error().message();
  EXPECT_EQ(Print(*node), expected) << text;
}

TEST(Yaml, ReadsScalarsSequencesAndMaps) {
  Check("", "~");
  Check("a: 1\nb: [x, 'y', \"z\"]\nc:\nd: ~\n", R"({a:1 b:[x "y" "z"] c:~ d:~})");
  Check("a: |\n  two\n  lines\n", "{a:\"two\nlines\n\"}");
  Check("- a: {b: c}\n- d\n", "[{a:{b:c}} d]");
}

TEST(Yaml, ExpandsAliasesAndMergeKeys) {
  Check("a: &x {k: 1}\nb: *x\n", "{a:{k:1} b:{k:1}}");
  Check("base: &x {k: 1, l: 2}\nb:\n  <<: *x\n  k: 3\n", "{base:{k:1 l:2} b:{k:3 l:2}}");
  Check("a: &x {k: 1}\nb: &y {k: 2, m: 3}\nc: {<<: [*x, *y]}\n",
        "{a:{k:1} b:{k:2 m:3} c:{k:1 m:3}}");
}

TEST(Yaml, RemembersLines) {
  const auto node = Parse("a: 1\nb:\n  - x\n  - y\nc:\n", "f.yml");
  ASSERT_TRUE(node.ok());
  EXPECT_EQ(node->members[0].second.line, 1);
  EXPECT_EQ(node->members[1].second.items[1].line, 4);
  EXPECT_EQ(node->members[2].second.line, 5);
}

TEST(Yaml, RefusesWhatCannotBeReadWithFileAndLine) {
  const auto check = [](const std::string& text, std::string_view expected) {
    const auto node = Parse(text, "f.yml");
    ASSERT_FALSE(node.ok()) << text;
    EXPECT_NE(node.error().message().find(expected), std::string::npos) << node.error().message();
  };
  check("a: 1\nb: [", "f.yml:2: ");
  check("a: 1\na: 2\n", "f.yml:2: \"a\" is given twice");
  check("a: *nowhere\n", "f.yml:1: ");
  check("? [a]\n: b\n", "f.yml:1: a key must be a plain text");
  check("a:\n  <<: 5\n", "f.yml:2: \"<<\" merges maps only");
  check("a:\n  <<: [5]\n", "f.yml:2: \"<<\" merges maps only");
  check("a: &x [*x]\n", "nested deeper than 64 levels");
  check("a: &x [b]\nc: " + std::string(100, '[') + std::string(100, ']'), "nested deeper than");
  check(std::string(5000, '['), "f.yml:");
  check("a: 1\n---\nb: 2\n", "f.yml:3: a second document begins");
  check("---\n---\nb: 2\n", "f.yml:3: a second document begins");
  // yaml-cpp finds documents without end here.
  check(" \"b c\", *)ANY 2 (a, \"b c\", *)", "f.yml:1: ");
}

TEST(Yaml, EmptyDocumentsAfterTheFirstAreNone) {
  for (const char* text : {"---\na: 1\n", "a: 1\n---\n", "a: 1\n...\n---\n# no more\n"}) {
    const auto node = Parse(text, "f.yml");
    ASSERT_TRUE(node.ok()) << node.error().message();
    EXPECT_EQ(node->members.size(), 1U);
  }
}

TEST(Yaml, AliasesThatMultiplyAreBounded) {
  std::string text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string previous = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) {
      text += previous + ", ";
    }
    text += "]\n";
  }
  const auto node = Parse(text, "f.yml");
  ASSERT_FALSE(node.ok());
  EXPECT_NE(node.error().message().find("more than 300000 values"), std::string::npos);
}

TEST(Yaml, LongTextsAreRefusedUnread) {
  const auto node = Parse(std::string(kMaxBytes + 1, ' '), "f.yml");
  ASSERT_FALSE(node.ok());
  EXPECT_EQ(node.error().kind(), base::ErrorKind::kResourceExhausted);
}

}  // namespace
}  // namespace yaml
