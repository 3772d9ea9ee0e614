#include "agent/promql/parser.h"

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/promql/printer.h"

namespace promql {
namespace {

using testing::HasSubstr;

constexpr ParserOptions kAll{.experimental_functions = true};

// Positions and words are those that a Prometheus server answers.
TEST(Parser, WordsErrorsAsPrometheusDoes) {
  const auto check = [](std::string_view query, std::string_view position,
                        std::string_view message) {
    const auto expr = ParseExpr(query, {});
    ASSERT_FALSE(expr.ok()) << query;
    EXPECT_EQ(expr.error().message(),
              std::string(position) + ": parse error: " + std::string(message))
        << query;
    EXPECT_EQ(expr.error().kind(), base::ErrorKind::kInvalidArgument);
  };
  check("1 +", "1:4", "unexpected end of input");
  check("(1", "1:3", "unclosed left parenthesis");
  check("1)", "1:3", "unexpected right parenthesis ')'");
  check("foo)", "1:5", "unexpected right parenthesis ')'");
  check(")", "1:2", "unexpected right parenthesis ')'");
  check("()", "1:2", "unexpected \")\"");
  check("foo bar", "1:5", "unexpected identifier \"bar\"");
  check("foo[5m", "1:7", "unclosed left bracket");
  check("foo[5m]]", "1:8", "unexpected right bracket ']'");
  check("foo{", "1:5", "unexpected end of input inside braces");
  check("foo{a", "1:6", "unexpected end of input inside braces");
  check("foo{a=", "1:7", "unexpected end of input inside braces");
  check("foo{a=b}", "1:7", "unexpected identifier \"b\" in label matching, expected string");
  check("foo{a=\"b\"", "1:10", "unexpected end of input inside braces");
  check("foo{a=\"b\",", "1:11", "unexpected end of input inside braces");
  check("foo{a=\"b\"}}", "1:11", "unexpected character: '}'");
  check("foo{a=\"b\" c=\"d\"}", "1:11",
        "unexpected identifier \"c\" in label matching, expected \",\" or \"}\"");
  check("foo{,}", "1:5", "unexpected \",\" in label matching, expected identifier or \"}\"");
  check("foo{1=\"x\"}", "1:5", "unexpected character inside braces: '1'");
  check("foo{a!b}", "1:6", "unexpected character after '!' inside braces: 'b'");
  check("foo{a~\"b\"}", "1:6", "unexpected character inside braces: '~'");
  check("foo{a=\"b\",,c=\"d\"}", "1:11",
        "unexpected \",\" in label matching, expected identifier or \"}\"");
  check("foo{a=\"b\\q\"}", "1:7", "unknown escape sequence U+0071 'q'");
  check("foo{a=\"b", "1:7", "unterminated quoted string");
  check("\"abc", "1:1", "unterminated quoted string");
  check("'abc", "1:1", "unterminated quoted string");
  check("`abc", "1:1", "unterminated raw string");
  check("\"\\xZZ\"", "1:1", "illegal character U+005A 'Z' in escape sequence");
  check("\"\\u12\"", "1:1", "illegal character U+0022 '\"' in escape sequence");
  check("foo{__name__=\"bar\"}", "1:1", "metric name must not be set twice: \"foo\" or \"bar\"");
  check("{}", "1:1", "vector selector must contain at least one non-empty matcher");
  check("{a=\"\"}", "1:1", "vector selector must contain at least one non-empty matcher");
  check("{a=~\".*\"}", "1:1", "vector selector must contain at least one non-empty matcher");
  check("{a!=\"x\"}", "1:1", "vector selector must contain at least one non-empty matcher");
  check("foo[0s]", "1:5", "duration must be greater than 0");
  check("foo[5m:1m:1m]", "1:10", "unexpected colon ':'");
  check("foo[5m:0s]", "1:8", "duration must be greater than 0");
  check("foo[5m:1m", "1:10", "unclosed left bracket");
  check("foo[5m 1m]", "1:8",
        "unexpected duration \"1m\" in subquery or range, expected \":\" or \"]\"");
  check("(foo)[5m]", "1:6", "ranges only allowed for vector selectors");
  check("foo[5m][5m]", "1:8", "ranges only allowed for vector selectors");
  check("1[5m]", "1:2", "ranges only allowed for vector selectors");
  check("\"x\"[5m]", "1:4", "ranges only allowed for vector selectors");
  check("foo offset 5m[5m]", "1:14", "no offset modifiers allowed before range");
  check("foo @ 10 [5m]", "1:10", "no @ modifiers allowed before range");
  check("foo offset 5m offset 5m", "1:1", "offset may not be set multiple times");
  check("(foo) offset 5m", "1:1",
        "offset modifier must be preceded by an instant vector selector or range vector selector "
        "or a subquery");
  check("1 offset 5m", "1:1",
        "offset modifier must be preceded by an instant vector selector or range vector selector "
        "or a subquery");
  check("sum(foo) offset 5m", "1:1",
        "offset modifier must be preceded by an instant vector selector or range vector selector "
        "or a subquery");
  check("foo @", "1:6", "unexpected end of input in @, expected timestamp");
  check("foo @ x", "1:7", "unexpected identifier \"x\" in @, expected timestamp");
  check("foo @ 10 @ 20", "1:1", "@ <timestamp> may not be set multiple times");
  check("(foo) @ 10", "1:1",
        "@ modifier must be preceded by an instant vector selector or range vector selector or a "
        "subquery");
  check("foo @ inf", "1:1", "timestamp out of bounds for @ modifier: +Inf");
  check("foo @ nan", "1:1", "timestamp out of bounds for @ modifier: NaN");
  check("foo @ start(", "1:13", "unclosed left parenthesis");
  check("foo @ start", "1:12", "unexpected end of input in @, expected timestamp");
  check("sum()", "1:1", "no arguments for aggregate expression provided");
  check("sum(foo, bar)", "1:1",
        "wrong number of arguments for aggregate expression provided, expected 1, got 2");
  check("sum by (a", "1:10", "unclosed left parenthesis");
  check("sum by a (foo)", "1:8", "unexpected identifier \"a\" in grouping opts, expected \"(\"");
  check("sum by (1) (foo)", "1:9", "unexpected number \"1\" in grouping opts, expected label");
  check("sum by (a,,b) (foo)", "1:11", "unexpected \",\" in grouping opts, expected label");
  check("sum(foo) by", "1:12", "unexpected end of input in grouping opts, expected \"(\"");
  check("sum(1)", "1:5", "expected type instant vector in aggregation expression, got scalar");
  check("sum(\"x\")", "1:5", "expected type instant vector in aggregation expression, got string");
  check("sum(foo[5m])", "1:5",
        "expected type instant vector in aggregation expression, got range vector");
  check("topk(foo)", "1:1",
        "wrong number of arguments for aggregate expression provided, expected 2, got 1");
  check("topk(\"x\", foo)", "1:6", "expected type scalar in aggregation parameter, got string");
  check("topk(1, 2, foo)", "1:1",
        "wrong number of arguments for aggregate expression provided, expected 2, got 3");
  check("topk(foo, foo)", "1:6",
        "expected type scalar in aggregation parameter, got instant vector");
  check("count_values(1, foo)", "1:14",
        "expected type string in aggregation parameter, got scalar");
  check("count_values(\"x\")", "1:1",
        "wrong number of arguments for aggregate expression provided, expected 2, got 1");
  check("quantile(foo)", "1:1",
        "wrong number of arguments for aggregate expression provided, expected 2, got 1");
  check("rate(foo)", "1:6",
        "expected type range vector in call to function \"rate\", got instant vector");
  check("rate()", "1:1", "expected 1 argument(s) in call to \"rate\", got 0");
  check("rate(foo[5m], 1)", "1:1", "expected 1 argument(s) in call to \"rate\", got 2");
  check("rate(1)", "1:6", "expected type range vector in call to function \"rate\", got scalar");
  check("abs(\"x\")", "1:5",
        "expected type instant vector in call to function \"abs\", got string");
  check("abs(foo[5m])", "1:5",
        "expected type instant vector in call to function \"abs\", got range vector");
  check("round(foo, 1, 2)", "1:1", "expected at most 2 argument(s) in call to \"round\", got 3");
  check("round()", "1:1", "expected at least 1 argument(s) in call to \"round\", got 0");
  check("label_replace(foo, \"a\", \"b\", \"c\")", "1:1",
        "expected 5 argument(s) in call to \"label_replace\", got 4");
  check("label_join(foo, \"a\")", "1:1",
        "expected at least 3 argument(s) in call to \"label_join\", got 2");
  check("label_join(foo, \"a\", \"b\", 1)", "1:27",
        "expected type string in call to function \"label_join\", got scalar");
  check("time(1)", "1:1", "expected 0 argument(s) in call to \"time\", got 1");
  check("vector(foo)", "1:8",
        "expected type scalar in call to function \"vector\", got instant vector");
  check("scalar(1)", "1:8",
        "expected type instant vector in call to function \"scalar\", got scalar");
  check("histogram_quantile(foo, bar)", "1:20",
        "expected type scalar in call to function \"histogram_quantile\", got instant vector");
  check("nope(foo)", "1:1", "unknown function with name \"nope\"");
  check("nope()", "1:1", "unknown function with name \"nope\"");
  check("rate(foo[5m],)", "1:13", "trailing commas not allowed in function call args");
  check("clamp(foo, 1)", "1:1", "expected 3 argument(s) in call to \"clamp\", got 2");
  check("day_of_month(foo, 1)", "1:1",
        "expected at most 1 argument(s) in call to \"day_of_month\", got 2");
  check("1 == 1", "1:3", "comparisons between scalars must use BOOL modifier");
  check("1 > 2", "1:3", "comparisons between scalars must use BOOL modifier");
  check("1 and 2", "1:1", "set operator \"and\" not allowed in binary scalar expression");
  check("foo and 1", "1:1", "set operator \"and\" not allowed in binary scalar expression");
  check("1 or foo", "1:1", "set operator \"or\" not allowed in binary scalar expression");
  check("foo unless \"x\"", "1:12",
        "binary expression must contain only scalar and instant vector types");
  check("foo + \"x\"", "1:7",
        "binary expression must contain only scalar and instant vector types");
  check("\"x\" + \"y\"", "1:1",
        "binary expression must contain only scalar and instant vector types");
  check("foo[5m] + 1", "1:1",
        "binary expression must contain only scalar and instant vector types");
  check("1 + foo[5m]", "1:5",
        "binary expression must contain only scalar and instant vector types");
  check("foo + bool bar", "1:5", "bool modifier can only be used on comparison operators");
  check("foo and bool bar", "1:5", "bool modifier can only be used on comparison operators");
  check("1 + bool 2", "1:3", "bool modifier can only be used on comparison operators");
  check("foo + on(a) group_left(a) bar", "1:5",
        "label \"a\" must not occur in ON and GROUP clause at once");
  check("foo and on(a) group_left bar", "1:1", "no grouping allowed for \"and\" operation");
  check("foo or ignoring(a) group_right(b) bar", "1:1", "no grouping allowed for \"or\" operation");
  check("foo + on(a) 1", "1:1", "vector matching only allowed between instant vectors");
  check("1 + ignoring(a) foo", "1:1", "vector matching only allowed between instant vectors");
  check("foo + group_left bar", "1:7", "unexpected <group_left>");
  check("foo + on bar", "1:10", "unexpected identifier \"bar\" in grouping opts, expected \"(\"");
  check("foo + on( bar", "1:14", "unclosed left parenthesis");
  check("foo + on(a", "1:11", "unclosed left parenthesis");
  check("foo == on(a) bool bar", "1:14", "unexpected <bool>");
  check("-\"x\"", "1:1",
        "unary expression only allowed on expressions of type scalar or instant vector, got "
        "\"string\"");
  check("-foo[5m]", "1:1",
        "unary expression only allowed on expressions of type scalar or instant vector, got "
        "\"range vector\"");
  check("-", "1:2", "unexpected end of input");
  check("!foo", "1:1", "unexpected character after '!': 'f'");
  check("foo ! bar", "1:5", "unexpected character after '!': ' '");
  check("foo = bar", "1:5", "unexpected \"=\"");
  check("foo =~ bar", "1:5", "unexpected character after '=': '~'");
  check("foo == == bar", "1:8", "unexpected <op:==>");
  check("foo & bar", "1:5", "unexpected character: '&'");
  check("foo | bar", "1:5", "unexpected character: '|'");
  check("foo $ bar", "1:5", "unexpected character: '$'");
  check("foo ? bar", "1:5", "unexpected character: '?'");
  check("1 2", "1:3", "unexpected number \"2\"");
  check("1a", "1:1", "bad number or duration syntax: \"1\"");
  check("1.2.3", "1:4", "unexpected number \".3\"");
  check("0xg", "1:1", "bad number or duration syntax: \"0x\"");
  check("1..2", "1:3", "unexpected number \".2\"");
  check(".", "1:1", "unexpected character: '.'");
  check("1_", "1:1", "bad number or duration syntax: \"1\"");
  check("foo:bar:baz{a=\"b\"} :", "1:20", "unexpected metric identifier \":\"");
  check("a b c", "1:3", "unexpected identifier \"b\"");
  check("foo{a=\"b\"}{c=\"d\"}", "1:11", "unexpected \"{\"");
  check("foo{a=\"b\"} bar", "1:12", "unexpected identifier \"bar\"");
  check("{\"foo\"} 1", "1:9", "unexpected number \"1\"");
  check("sum without foo", "1:13",
        "unexpected identifier \"foo\" in grouping opts, expected \"(\"");
  check("on(foo)", "1:1", "unexpected <on>");
  check("bool", "1:1", "unexpected <bool>");
  check("ignoring", "1:1", "unexpected <ignoring>");
  check("group_left(a)", "1:1", "unexpected <group_left>");
  check("sum(foo bar)", "1:9", "unexpected identifier \"bar\" in aggregation");
  check("sum((foo bar))", "1:10", "unexpected identifier \"bar\" in aggregation");
  check("rate(foo bar)", "1:10", "unexpected identifier \"bar\"");
  check("abs(foo bar)", "1:9", "unexpected identifier \"bar\"");
  check("sum(abs(foo bar))", "1:13", "unexpected identifier \"bar\" in aggregation");
  check("foo[5m] offset 1m offset 2m", "1:1", "offset may not be set multiple times");
  check("foo[5m:] offset 1m offset 2m", "1:1", "offset may not be set multiple times");
  check("foo @ 1 offset 5m @ 2", "1:1", "@ <timestamp> may not be set multiple times");
  check("1[5m:]", "1:1", "subquery is only allowed on instant vector, got scalar instead");
  check("\"x\"[5m:]", "1:1", "subquery is only allowed on instant vector, got string instead");
  check("foo[5m][5m:]", "1:1", "subquery is only allowed on instant vector, got matrix instead");
  check("max_over_time(foo[5m:1m])[5m]", "1:26", "ranges only allowed for vector selectors");
  check("😀", "1:1", "unexpected character: '😀'");
  check("foo{😀=\"x\"}", "1:5", "unexpected character inside braces: '😀'");
  check("foo{a=\"😀\"} 😀", "1:15", "unexpected character: '😀'");
  check("sum(😀)", "1:5", "unexpected character: '😀'");
  check("foo offset x", "1:12",
        "unexpected identifier \"x\" in offset, expected number or duration");
  check("foo[abc]", "1:5",
        "unexpected identifier \"abc\" in subquery or range selector, expected number or duration");
  check("foo[5m:x]", "1:8",
        "unexpected identifier \"x\" in subquery selector, expected number or duration or \"]\"");
  check("sum by (\"a\" (foo)", "1:13",
        "unexpected \"(\" in grouping opts, expected \",\" or \")\"");
  check("foo[[5m]]", "1:5", "unexpected left bracket '['");
  check("5m1h", "1:1", "bad number or duration syntax: \"5\"");
  check("a +\n  b $", "2:5", "unexpected character: '$'");
  check("sum by (\"\") (foo)", "1:9", "invalid label name for grouping: \"\"");
  check("foo[1000y]", "1:5", "duration out of range");
}

TEST(Parser, SaysThatAnEmptyQueryHasNoExpression) {
  for (const char* text : {"", " ", "# only a comment"}) {
    const auto expr = ParseExpr(text, {});
    ASSERT_FALSE(expr.ok());
    EXPECT_THAT(expr.error().message(), HasSubstr("parse error: no expression found in input"));
  }
}

// Printed, parsed again and printed again, a query stays the same.
TEST(Parser, PrintsTheCanonicalForm) {
  const auto check = [](std::string_view query, std::string_view printed) {
    const auto expr = ParseExpr(query, kAll);
    ASSERT_TRUE(expr.ok()) << query << ": " << expr.error().message();
    EXPECT_EQ(ToString(**expr), printed);
    const auto again = ParseExpr(printed, kAll);
    ASSERT_TRUE(again.ok()) << printed << ": " << again.error().message();
    EXPECT_EQ(ToString(**again), printed);
  };
  check("foo", "foo");
  check("  foo{ a = \"b\" , c!~'d.*' ,}", "foo{a=\"b\",c!~\"d.*\"}");
  check("{__name__=\"foo\"}", "{__name__=\"foo\"}");
  check("{\"my.metric\", \"label x\"='v'}", "{__name__=\"my.metric\",\"label x\"=\"v\"}");
  check("foo[5m]", "foo[5m]");
  check("foo[300]", "foo[5m]");
  check("foo[90s] @ 1.5 offset -5m", "foo[1m30s] @ 1.500 offset -5m");
  check("foo offset 1h @ start()", "foo @ start() offset 1h");
  check("foo @ 1m40s", "foo @ 100.000");
  check("rate(foo[5m])[1h:1m] @ end() offset 3m", "rate(foo[5m])[1h:1m] @ end() offset 3m");
  check("foo[1h:]", "foo[1h:]");
  check("SUM(foo) BY (a,b,)", "sum by (a, b) (foo)");
  check("sum without () (foo)", "sum without () (foo)");
  check("sum by () (foo)", "sum(foo)");
  check("topk(3, foo) by (on, sum)", "topk by (on, sum) (3, foo)");
  check("count_values by (\"a b\") (\"v\", foo)", "count_values by (\"a b\") (\"v\", foo)");
  check("a + b * c ^ d", "a + b * c ^ d");
  check("(a + b) * c", "(a + b) * c");
  check("a == bool b", "a == bool b");
  check("a AND ON(x) b OR c UNLESS d", "a and on (x) b or c unless d");
  check("a * on (x, y) group_left (z) b", "a * on (x, y) group_left (z) b");
  check("a * ignoring(x) group_right b", "a * ignoring (x) group_right () b");
  check("a / on() b", "a / on () b");
  check("-foo", "-foo");
  check("-1", "-1");
  check("--1", "1");
  check("+1", "1");
  check("-1^2", "-1 ^ 2");
  check("1h30m", "1h30m");
  check("0x1F + 1_000 + 1e3 + .5 + 2.", "31 + 1000 + 1000 + 0.5 + 2");
  check("010", "8");
  check("Inf + nan", "+Inf + NaN");
  check("1e21 + 1e-7", "1e+21 + 1e-07");
  check("\"a\\n\\x41\\u00e9\"", "\"a\\nA\303\251\"");
  check("`raw\\n`", "\"raw\\\\n\"");
  check("'it\\'s'", "\"it's\"");
  check("time()", "time()");
  check("round(foo, 5)", "round(foo, 5)");
  check("start() + range()", "start() + range()");
  check("sum", "sum");
  check("by + offset{a=\"b\"} + and", "by + offset{a=\"b\"} + and");
  check("foo # comment\n + bar", "foo + bar");
  check("job:foo:rate5m", "job:foo:rate5m");
  check("foo{sum=\"a\",by=\"b\",inf=\"c\"}", "foo{sum=\"a\",by=\"b\",inf=\"c\"}");
}

TEST(Parser, ObeysPrecedenceAndAssociativity) {
  const auto check = [](std::string_view query, std::string_view explicit_form) {
    const auto a = ParseExpr(query, {});
    const auto b = ParseExpr(explicit_form, {});
    ASSERT_TRUE(a.ok() && b.ok()) << query;
    const auto shape = [](const Expr& expr, const auto& self) -> std::string {
      const Expr& inner = Unwrap(expr);
      const auto* binary = std::get_if<Binary>(&inner.node);
      const auto* unary = std::get_if<Unary>(&inner.node);
      if (unary != nullptr) {
        return "(" + std::string(unary->op->text) + self(*unary->operand, self) + ")";
      }
      return binary == nullptr ? ToString(inner)
                               : "(" + self(*binary->left, self) + std::string(binary->op->text) +
                                     self(*binary->right, self) + ")";
    };
    EXPECT_EQ(shape(**a, shape), shape(**b, shape)) << query;
  };
  check("a - b - c", "(a - b) - c");
  check("a ^ b ^ c", "a ^ (b ^ c)");
  check("-a ^ b", "-(a ^ b)");
  check("-a * b", "(-a) * b");
  check("a or b and c", "a or (b and c)");
  check("a and b == c", "a and (b == c)");
  check("a == b + c", "a == (b + c)");
  check("a + b * c", "a + (b * c)");
  check("a * b % c / d", "((a * b) % c) / d");
  check("a atan2 b ^ c", "a atan2 (b ^ c)");
  check("a unless b and c", "(a unless b) and c");
  check("a ^ -b * c", "(a ^ (-b)) * c");
}

std::string Repeat(std::string_view text, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) {
    out += text;
  }
  return out;
}

TEST(Parser, RefusesTooDeepNesting) {
  const auto deep = [](const std::string& query) {
    const auto expr = ParseExpr(query, {});
    ASSERT_FALSE(expr.ok()) << query.substr(0, 20);
    EXPECT_THAT(expr.error().message(), HasSubstr("nested more than 400 levels deep"));
  };
  deep(Repeat("(", 20000) + "1" + Repeat(")", 20000));
  deep(Repeat("abs(", 20000) + "a" + Repeat(")", 20000));
  deep(Repeat("-", 20000) + "a");
  deep("a" + Repeat("[5m:]", 20000));
  deep("1" + Repeat("+1", 20000));
  deep("1" + Repeat("^1", 20000));
  deep(Repeat("max_over_time(", 1000) + "a" + Repeat("[5m:])", 1000));
  EXPECT_TRUE(ParseExpr(Repeat("(", 300) + "1" + Repeat(")", 300), {}).ok());
  EXPECT_TRUE(ParseExpr("1" + Repeat(" + 1", 300), {}).ok());
}

TEST(Parser, RefusesAnOverlongQuery) {
  EXPECT_FALSE(ParseExpr(std::string(kMaxQueryBytes + 1, ' '), {}).ok());
}

TEST(Parser, EnablesExperimentalFunctionsOnlyWhenAsked) {
  const std::string_view query = "mad_over_time(foo[5m])";
  EXPECT_TRUE(ParseExpr(query, kAll).ok());
  EXPECT_THAT(ParseExpr(query, {}).error().message(),
              HasSubstr("function \"mad_over_time\" is not enabled"));
  EXPECT_FALSE(ParseExpr("limitk(1, foo)", {}).ok());
}

TEST(ParseSelector, TakesOnlySelectors) {
  const auto matchers = ParseSelector("up{job=~\"a|b\"}");
  ASSERT_TRUE(matchers.ok());
  ASSERT_EQ(matchers->size(), 2U);
  for (const char* bad : {"", "up + 1", "up[5m]", "up offset 5m", "{}", "sum(up)", "(up)", "1"}) {
    EXPECT_FALSE(ParseSelector(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace promql
