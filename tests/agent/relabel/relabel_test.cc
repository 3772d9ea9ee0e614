#include "agent/relabel/relabel.h"

#include <gtest/gtest.h>

#include "agent/relabel/letter_case.h"

namespace relabel {
namespace {

using model::Labels;

Rule Make(RuleSpec spec) {
  auto rule = Rule::Make(std::move(spec));
  EXPECT_TRUE(rule.ok()) << (rule.ok() ? "" : rule.error().message());
  return *rule;
}

constexpr std::string_view kDropped = "(dropped)";

void Check(RuleSpec spec, const Labels& input, std::string_view expected) {
  const Rule rule = Make(std::move(spec));
  model::LabelsBuilder labels(input);
  const bool kept = rule.Apply(&labels);
  EXPECT_EQ(kept ? labels.Build().ToString() : kDropped, expected)
      << ActionName(rule.spec().action) << " on " << input.ToString();
}

const Labels kInput = {{"a", "foo"}, {"b", "bar"}, {"c", "baz"}};
constexpr std::string_view kUnchanged = R"({a="foo", b="bar", c="baz"})";

TEST(Relabel, ReplaceWritesTheExpandedReplacement) {
  Check(
      {.source_labels = {"a"}, .regex = "f(.*)", .target_label = "d", .replacement = "ch$1-ch${1}"},
      kInput, R"({a="foo", b="bar", c="baz", d="choo-choo"})");
  Check({.source_labels = {"a", "b"},
         .regex = "f(.*);(.*)r",
         .target_label = "a",
         .replacement = "b${1}${2}m"},
        kInput, R"({a="boobam", b="bar", c="baz"})");
  Check({.source_labels = {"a"}, .target_label = "d"}, kInput,
        R"({a="foo", b="bar", c="baz", d="foo"})");
  Check({.source_labels = {"a"},
         .regex = "(?P<first>.).*",
         .target_label = "d",
         .replacement = "$first"},
        kInput, R"({a="foo", b="bar", c="baz", d="f"})");
  Check({.source_labels = {"a"}, .regex = "(f).*", .target_label = "d_${1}", .replacement = "x"},
        kInput, R"({a="foo", b="bar", c="baz", d_f="x"})");
  Check({.target_label = "d", .replacement = "static"}, kInput,
        R"({a="foo", b="bar", c="baz", d="static"})");
}

TEST(Relabel, ReplaceLeavesTheLabelsWhenTheRegexDoesNotMatchTheWholeText) {
  Check({.source_labels = {"a"}, .regex = "f", .target_label = "b", .replacement = "x"}, kInput,
        kUnchanged);
  Check({.source_labels = {"a"}, .regex = "oo", .target_label = "b", .replacement = "x"}, kInput,
        kUnchanged);
}

TEST(Relabel, ReplaceWithAnEmptyTextRemovesTheLabel) {
  Check({.source_labels = {"a"}, .regex = "f(x?)oo", .target_label = "a"}, kInput,
        R"({b="bar", c="baz"})");
  Check({.source_labels = {"none"}, .target_label = "b"}, kInput, R"({a="foo", c="baz"})");
}

TEST(Relabel, ReferencesAreTheLongestWordAndUnknownOnesAreEmpty) {
  Check({.source_labels = {"a"}, .target_label = "b", .replacement = "[$1x]"}, kInput,
        R"({a="foo", b="[]", c="baz"})");
  Check({.source_labels = {"a"}, .target_label = "b", .replacement = "$$1 $2 ${1}x ${ $"}, kInput,
        R"({a="foo", b="$1  foox ${ $", c="baz"})");
}

TEST(Relabel, DotMatchesANewline) {
  Check({.source_labels = {"a"}, .regex = "x.y", .action = Action::kKeep}, {{"a", "x\ny"}},
        R"({a="x\ny"})");
}

TEST(Relabel, KeepAndDropTestTheJoinedSource) {
  Check(
      {.source_labels = {"a", "b"}, .separator = "/", .regex = "foo/bar", .action = Action::kKeep},
      kInput, kUnchanged);
  Check({.source_labels = {"a"}, .regex = "fo", .action = Action::kKeep}, kInput, kDropped);
  Check({.source_labels = {"a"}, .regex = "foo|bar", .action = Action::kDrop}, kInput, kDropped);
  Check({.source_labels = {"none"}, .regex = "", .action = Action::kDrop}, kInput, kDropped);
  Check({.source_labels = {"a"}, .regex = "bar", .action = Action::kDrop}, kInput, kUnchanged);
}

TEST(Relabel, KeepEqualAndDropEqualCompareWithTheTarget) {
  const Labels same = {{"a", "x"}, {"b", "x"}};
  Check({.source_labels = {"a"}, .target_label = "b", .action = Action::kKeepEqual}, same,
        R"({a="x", b="x"})");
  Check({.source_labels = {"a"}, .target_label = "b", .action = Action::kKeepEqual}, kInput,
        kDropped);
  Check({.source_labels = {"a"}, .target_label = "b", .action = Action::kDropEqual}, same,
        kDropped);
  Check({.source_labels = {"a"}, .target_label = "b", .action = Action::kDropEqual}, kInput,
        kUnchanged);
}

// The expected shards are what Prometheus computes for these texts.
TEST(Relabel, HashModShardsAsPrometheusDoes) {
  Check({.source_labels = {"c"}, .modulus = 1000, .target_label = "d", .action = Action::kHashMod},
        {{"c", "baz"}}, R"({c="baz", d="976"})");
  Check({.source_labels = {"c"}, .modulus = 1000, .target_label = "d", .action = Action::kHashMod},
        {{"c", "foo\nbar"}}, R"({c="foo\nbar", d="734"})");
}

TEST(Relabel, LabelMapCopiesMatchingNames) {
  Check({.regex = "__meta_(.+)", .action = Action::kLabelMap}, {{"__meta_x", "1"}, {"y", "2"}},
        R"({__meta_x="1", x="1", y="2"})");
  Check({.regex = "meta_(ng.*)", .replacement = "bar_${1}", .action = Action::kLabelMap},
        {{"meta_ng_foo", "1"}, {"meta_x", "2"}},
        R"({bar_ng_foo="1", meta_ng_foo="1", meta_x="2"})");
}

TEST(Relabel, LabelDropAndLabelKeepTestNames) {
  Check({.regex = "a|b", .action = Action::kLabelDrop}, kInput, R"({c="baz"})");
  Check({.regex = "a|b", .action = Action::kLabelKeep}, kInput, R"({a="foo", b="bar"})");
}

TEST(Relabel, CaseActionsKnowMoreThanAscii) {
  const Labels mixed = {{"a", "Ärger-ÉTÉ"}};
  Check({.source_labels = {"a"}, .target_label = "a", .action = Action::kLowercase}, mixed,
        R"({a="ärger-été"})");
  Check({.source_labels = {"a"}, .target_label = "b", .action = Action::kUppercase}, mixed,
        R"({a="Ärger-ÉTÉ", b="ÄRGER-ÉTÉ"})");
  EXPECT_EQ(ToLowerUtf8("A\xff\xc3"), "a\xff\xc3");
  EXPECT_EQ(ToUpperUtf8("a€𝄞"), "A€𝄞");
}

TEST(Relabel, RulesRunInOrderUntilOneDrops) {
  const Rule rules[] = {
      Make({.source_labels = {"a"}, .target_label = "d"}),
      Make({.source_labels = {"d"}, .regex = "foo", .action = Action::kDrop}),
      Make({.target_label = "e", .replacement = "never"}),
  };
  model::LabelsBuilder labels(kInput);
  EXPECT_FALSE(Apply(rules, &labels));
  EXPECT_EQ(labels.Get("d"), "foo");
  EXPECT_EQ(labels.Get("e"), "");
}

TEST(Relabel, RefusesRulesThatCannotWork) {
  const auto check = [](RuleSpec spec, std::string_view why) {
    const auto rule = Rule::Make(std::move(spec));
    ASSERT_FALSE(rule.ok()) << why;
    EXPECT_EQ(rule.error().kind(), base::ErrorKind::kInvalidArgument);
    EXPECT_NE(rule.error().message().find(why), std::string::npos) << rule.error().message();
  };
  check({}, "replace: target_label is missing");
  check({.action = Action::kHashMod}, "hashmod: target_label is missing");
  check({.target_label = "a", .action = Action::kHashMod}, "modulus must be 1 or more");
  check({.regex = "(", .target_label = "a"}, "regex: ");
  check({.regex = std::string(kMaxRegexBytes + 1, 'a'), .target_label = "a"}, "longer than");
  check({.target_label = "\xff"}, "is no label name");
  check({.replacement = "", .action = Action::kLabelMap}, "is no label name");
  check({.target_label = "a", .replacement = "x", .action = Action::kLowercase},
        "takes no replacement");
  check({.regex = "x", .target_label = "a", .action = Action::kKeepEqual},
        "source_labels and target_label only");
  check({.separator = ",", .target_label = "a", .action = Action::kDropEqual},
        "source_labels and target_label only");
  check({.source_labels = {"a"}, .regex = "x", .action = Action::kLabelDrop}, "takes regex only");
  check({.target_label = "a", .action = Action::kLabelKeep}, "takes regex only");
}

TEST(Relabel, ActionNamesAreReadInAnyCase) {
  EXPECT_EQ(*ParseAction("LabelMap"), Action::kLabelMap);
  EXPECT_EQ(*ParseAction("keepequal"), Action::kKeepEqual);
  const auto wrong = ParseAction("labeldorp");
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().message(),
            R"(unknown relabel action "labeldorp"; did you mean "labeldrop"?)");
}

}  // namespace
}  // namespace relabel
