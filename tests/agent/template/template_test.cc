#include "agent/template/template.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/template/parser.h"
#include "lib/base/file.h"
#include "lib/yaml/yaml.h"

namespace tmpl {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

base::Result<std::vector<QuerySample>> FakeQuery(std::string_view expression) {
  if (expression == "bad(") {
    return base::Error("1:5: parse error: unclosed left parenthesis",
                       base::ErrorKind::kInvalidArgument);
  }
  if (expression == "many") {
    return std::vector<QuerySample>{{model::Labels{{"a", "2"}}, 20},
                                    {model::Labels{{"a", "1"}, {"__value__", "one"}}, 10}};
  }
  return std::vector<QuerySample>{};
}

std::string Expand(std::string_view text, double value = 1e6) {
  const auto parsed = ParseAlertTemplate("test", text);
  if (!parsed.ok()) {
    return parsed.error().message();
  }
  const AlertData data{.labels = model::Labels{{"__name__", "x"}, {"a", "1"}},
                       .value = value,
                       .external_labels = model::Labels{{"cluster", "c1"}},
                       .external_url = "http://agent:9095/prefix"};
  const Environment environment{
      .query = FakeQuery, .external_url = "http://agent:9095/prefix", .now_ms = 1'500};
  return ExpandAlertTemplate(*parsed, data, environment);
}

void Check(std::string_view text, const std::string& want) {
  EXPECT_EQ(Expand(text), want) << text;
}

// The expected texts of this file are what promtool 2.53 prints, unless a test says otherwise.
TEST(Template, InsertsFieldsAndVariables) {
  Check("{{ $value }}", "1e+06");
  Check("{{ .Value }} {{.Value}}", "1e+06 1e+06");
  Check("{{ $labels.a }}-{{ .Labels.a }}-{{ $labels.none }}", "1-1-");
  Check("{{ $labels }}", "map[__name__:x a:1]");
  Check("{{ $externalLabels.cluster }} {{ .ExternalLabels.cluster }}", "c1 c1");
  Check("{{ $externalURL }} {{ externalURL }} {{ pathPrefix }}",
        "http://agent:9095/prefix http://agent:9095/prefix /prefix");
  Check("no actions, { single } braces", "no actions, { single } braces");
  Check("{{ $.Labels.a }}", "1");
}

TEST(Template, ReadsGoLiterals) {
  Check("{{ 0x1F }} {{ 1e3 }} {{ 1_000 }} {{ 'a' }} {{ -3 }} {{ +3 }}", "31 1000 1000 97 -3 3");
  Check("{{ 1.5e-7 }} {{ 0b11 }} {{ 017 }} {{ .5 }}", "1.5e-07 3 15 0.5");
  Check(R"({{ "a\tb\"\u00e9\x41\101" }}|{{ `raw\n` }}|{{ '\n' }})", "a\tb\"éAA|raw\\n|10");
  Check("{{ true }} {{ false }}", "true false");
}

TEST(Template, TrimsAroundMarks) {
  Check("a  {{- 1 -}}  b {{/* c */}} {{- /* d */ -}} e", "a1b e");
  Check("a {{- /* d */}} b", "a b");
  Check("x\n{{- if true }}\n  y\n{{- end }}\nz", "x\n  y\nz");
  Check("{{3 -}}\n\n a", "3a");
  Check("{{- 3 }}", "3");
}

TEST(Template, BranchesOnTruth) {
  Check("{{ if $value }}yes{{ else }}no{{ end }}", "yes");
  Check("{{ if 0 }}a{{ else if \"\" }}b{{ else if 1 }}c{{ else }}d{{ end }}", "c");
  Check("{{ with $labels.a }}<{{ . }}>{{ end }}", "<1>");
  Check("{{ with $labels.none }}x{{ else }}empty {{ .Value }}{{ end }}", "empty 1e+06");
  Check("{{ with 0 }}a{{ else with \"b\" }}{{ . }}{{ end }}", "b");
  Check("{{ if and true $value }}1{{ end }}{{ if or 0 \"\" }}2{{ end }}{{ if not 0 }}3{{ end }}",
        "13");
  Check("{{ and true $value \"last\" }} {{ and 1 0 }} {{ or 0 \"x\" }}", "last 0 x");
  Check("{{ or true (query \"bad(\") }}", "true");
}

TEST(Template, RangesOverMapsAndSamples) {
  Check("{{ range $i, $e := (args 5 6 7) }}{{ $i }}={{ $e }},{{ else }}none{{ end }}",
        "arg0=5,arg1=6,arg2=7,");
  Check("{{ range $k, $v := $labels }}{{ $k }}:{{ $v }};{{ end }}", "__name__:x;a:1;");
  Check("{{ range query \"none\" }}x{{ else }}nothing{{ end }}", "nothing");
  Check("{{ range query \"many\" }}{{ .Labels.a }}={{ .Value }} {{ end }}", "2=20 1=10 ");
  Check("{{ range $i, $s := query \"many\" }}{{ $i }}{{ $s.Value }} {{ end }}", "020 110 ");
  Check("{{ range args 1 2 3 }}{{ if eq . 2 }}{{ continue }}{{ end }}{{ . }}{{ end }}", "13");
  Check("{{ range args 1 2 3 }}{{ if eq . 2 }}{{ break }}{{ end }}{{ . }}{{ end }}", "1");
  Check("{{ $n := 0 }}{{ range args 1 2 3 }}{{ $n = . }}{{ end }}{{ $n }}", "3");
}

TEST(Template, ScopesVariables) {
  Check("{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ $x }}{{ end }}{{ $x }}", "21");
  Check("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}", "2");
  Check("{{ with $y := \"v\" }}{{ $y }}{{ end }}", "v");
}

TEST(Template, CallsDefinedTemplates) {
  Check(
      "{{ define \"t\" }}[{{ .arg0 }}-{{ .arg1 }}]{{ end }}{{ template \"t\" (args 1 \"b\") }}"
      "{{ template \"t\" }}",
      "[1-b][<no value>-<no value>]");
  Check("{{ template \"later\" $value }}{{ define \"later\" }}<{{ . }}>{{ end }}", "<1e+06>");
  Check("{{ block \"b\" \"dot\" }}({{ . }}){{ end }}", "(dot)");
}

TEST(Template, ComparesValuesOfOneKind) {
  Check("{{ eq 1 1 }} {{ eq \"a\" \"b\" \"a\" }} {{ ne 1 2 }} {{ lt 1.5 2.5 }}",
        "true true true true");
  Check("{{ le \"a\" \"b\" }} {{ gt 3 2 }} {{ ge 2 2 }} {{ eq true false }}",
        "true true true false");
  Check("{{ gt $value 90.0 }}", "true");
  EXPECT_THAT(Expand("{{ gt $value 90 }}"),
              HasSubstr("error calling gt: incompatible types for comparison"));
  EXPECT_THAT(Expand("{{ eq $labels $labels }}"), HasSubstr("non-comparable type"));
}

TEST(Template, HasGosFunctions) {
  Check(
      "{{ print 1 2 \"a\" \"b\" 3 }}|{{ println \"a\" 1 }}|{{ print $value \"x\" $value $value }}",
      "1 2ab3|a 1\n|1e+06x1e+06 1e+06");
  Check("{{ html \"<a&\\\"\" }} {{ js \"it's <\" }} {{ urlquery \"a b&c\" \"d\" }}",
        "&lt;a&amp;&#34; it\\'s \\u003C a+b%26cd");
  Check("{{ len \"abc\" }} {{ len $labels }} {{ index $labels \"a\" }} {{ slice \"abcdef\" 1 3 }}",
        "3 2 1 bc");
  Check("{{ printf \"%.2f %s\" $value \"x\" }} {{ $value | printf \"%.1f\" }}",
        "1000000.00 x 1000000.0");
  Check("{{ (args 1).arg0 }} {{ (args 1).arg9 }} {{ args 1 \"a\" 2.5 }}",
        "1 <no value> map[arg0:1 arg1:a arg2:2.5]");
}

TEST(Template, HasPrometheusFunctions) {
  Check("{{ humanize $value }} {{ 1048576.0 | humanize }} {{ humanize1024 \"1048576\" }}",
        "1M 1.049M 1Mi");
  Check("{{ humanizeDuration 135.3563 }} {{ humanizePercentage 0.959 }}", "2m 15s 95.9%");
  Check("{{ humanizeTimestamp 1643114203 }}", "2022-01-25 12:36:43 +0000 UTC");
  Check("{{ (1643114203.5 | toTime) }}", "2022-01-25 12:36:43.5 +0000 UTC");
  Check("{{ title \"this part\" }} {{ title \"aa_bb ÉCOLE élan\" }}", "This Part Aa_bb ÉCOLE Élan");
  Check("{{ toUpper \"école\" }} {{ toLower \"ÉCOLE\" }}", "ÉCOLE école");
  Check("{{ match \"a+\" \"caat\" }} {{ match \"^a\" \"ba\" }}", "true false");
  Check("{{ reReplaceAll \"(.*)-(.*)\" \"$2/${1}x$$\" \"a-b\" }}", "b/ax$");
  Check("{{ reReplaceAll \"localhost:(.*)\" \"domain.tld:$1\" \"localhost:9090\" }}",
        "domain.tld:9090");
  Check("{{ reReplaceAll \"x*\" \"-\" \"abxc\" }} {{ reReplaceAll \"(?P<n>b)\" \"<$n>\" \"abc\" }}",
        "-a-b-c- a<b>c");
  Check("{{ stripPort \"[::1]:6006\" }} {{ stripPort \"h:1\" }} {{ stripPort \"plain\" }}",
        "::1 h plain");
  Check("{{ stripDomain \"db1.example.org:9100\" }} {{ stripDomain \"127.0.0.1:1\" }}",
        "db1:9100 127.0.0.1:1");
  Check("{{ graphLink \"up == 0\" }} {{ tableLink \"up\" }}",
        "/graph?g0.expr=up+%3D%3D+0&g0.tab=0 /graph?g0.expr=up&g0.tab=1");
  Check("{{ parseDuration \"2h10m15s\" }} {{ safeHtml \"<b>\" }}", "7815 <b>");
  Check("{{ query \"many\" | first | value }} {{ query \"many\" | first | label \"a\" }}", "20 2");
  Check("{{ query \"many\" | sortByLabel \"a\" | first | strvalue }}", "one");
}

TEST(Template, KnowsFunctionsOfPrometheus3) {  // Not in promtool 2.53.
  Check("{{ now }} {{ toDuration 90 }} {{ urlQueryEscape \"a b\" }}", "1.5 1m30s a+b");
  Check("{{ title \"it's a.b 3a\" }}", "It's A.b 3A");
  Check("{{ parseDuration \"-90s\" }}", "-90");
}

TEST(Template, PutsErrorsIntoTheText) {
  const auto check = [](std::string_view text, const std::string& reason) {
    const std::string got = Expand(text);
    EXPECT_THAT(got, StartsWith("<error expanding template: template: test:")) << text;
    EXPECT_THAT(got, HasSubstr(reason)) << text;
  };
  check("{{ .Foo }}", "can't evaluate field Foo");
  check("{{ $value.x }}", "can't evaluate field x in type float64");
  check("{{ query \"bad(\" }}", "unclosed left parenthesis");
  check("{{ query \"none\" | first }}", "first() called on vector with no elements");
  check("{{ humanize \"abc\" }}", "invalid syntax");
  check("{{ humanize $labels }}", "can't convert map[string]string to float");
  check("{{ title $value }}", "wrong type for value; expected string; got float64");
  check("{{ match \"(\" \"a\" }}", "error parsing regexp");
  check("{{ reReplaceAll \"(\" \"\" \"a\" }}", "error parsing regexp");
  check("{{ template \"nope\" }}", "template \"nope\" not defined");
  check("{{ eq 1 }}", "wrong number of args for eq: want at least 2 got 1");
  check("{{ toUpper \"a\" \"b\" }}", "wrong number of args for toUpper: want 1 got 2");
  check("{{ $value 1 }}", "can't give argument to non-function $value");
  check("{{ index $labels 1 }}", "should be string");
  check("{{ slice \"abc\" 2 9 }}", "index out of range");
  check("{{ range $value }}{{ end }}", "range can't iterate over");
  check("{{ call 1 }}", "non-function of type int");
  check("{{ nil }}", "nil is not a command");
  check("{{ parseDuration \"1x\" }}", "1x");
}

TEST(Template, NamesTheLineOfAnError) {
  EXPECT_THAT(Expand("a\nb\n{{ .Foo }}"), HasSubstr("template: test:3: executing <.Foo>"));
  EXPECT_THAT(Expand("a\n{{ if }}"), HasSubstr("template: test:2: "));
}

TEST(TemplateParser, RefusesWhatGoRefuses) {
  const auto check = [](std::string_view text, const std::string& reason) {
    const auto parsed = ParseAlertTemplate("t", text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_THAT(parsed.error().message(), HasSubstr(reason)) << text;
  };
  check("{{ nope }}", "function \"nope\" not defined");
  check("{{ $nope }}", "undefined variable \"$nope\"");
  check("{{ $x = 1 }}", "undefined variable \"$x\"");
  check("{{ if true }}", "unexpected EOF");
  check("{{ end }}", "unexpected {{end}}");
  check("{{ else }}", "unexpected {{else}}");
  check("{{ if true }}{{ else }}{{ else }}{{ end }}", "found {{else}}");
  check("{{ }}", "missing value for command");
  check("{{ 1 | }}", "missing value for command");
  check("{{ \"a }}", "unterminated quoted string");
  check("{{ `a }}", "unterminated raw quoted string");
  check("{{ 'ab' }}", "malformed character constant");
  check("{{ \"\\z\" }}", "invalid escape");
  check("{{ 1", "unclosed action");
  check("{{/* a }}", "unclosed comment");
  check("{{/* a */ 1 }}", "comment ends before closing delimiter");
  check("{{ 1x }}", "illegal number syntax");
  check("{{ 1e400 }}", "illegal number syntax");
  check("{{ 99999999999999999999 }}", "illegal number syntax");
  check("{{ (1 }}", "parenthesized pipeline");
  check("{{ 1 | 2 }}", "non executable command in pipeline stage 2");
  check("{{ \"a\"\"b\" }}", "in operand");
  check("{{ ; }}", "unexpected ';' in action");
  check("{{ define x }}{{ end }}", "in define clause");
  check("{{ define \"x\" }}{{ $labels }}{{ end }}", "undefined variable \"$labels\"");
  check("{{ break }}", "{{break}} outside {{range}}");
  check("{{ \x01 }}", "unexpected byte 0x01");
  check("{{ \"a\".b }}", "in operand");
}

// What promtool 2.53 made of some 1,500 templates: [template, text]; of errors only the beginning,
// since they name the place in other words.
TEST(Template, ExpandsAsPromtoolDoes) {
  const std::string path = std::string(TESTDATA_DIR) + "/alert_templates.json";
  const auto json = base::ReadFile(path);
  ASSERT_TRUE(json.ok());
  const auto cases = yaml::Parse(*json, path);  // JSON is YAML.
  ASSERT_TRUE(cases.ok()) << cases.error().message();
  ASSERT_GT(cases->items.size(), 1000U);
  const AlertData data{
      .labels =
          model::Labels{{"__name__", "m"}, {"instance", "db1.example.org:9100"}, {"job", "x-y"}},
      .value = 1234.5678,
      .external_labels = model::Labels{{"c", "prod"}},
      .external_url = "http://agent.example:9095/path"};
  const Environment environment{.query = FakeQuery, .external_url = data.external_url};
  for (const yaml::Node& entry : cases->items) {
    ASSERT_EQ(entry.items.size(), 2U);
    const std::string& text = entry.items[0].scalar;
    const std::string& want = entry.items[1].scalar;
    const auto parsed = ParseAlertTemplate("test", text);
    ASSERT_TRUE(parsed.ok()) << text << ": " << parsed.error().message();
    const std::string got = ExpandAlertTemplate(*parsed, data, environment);
    if (want.starts_with("<error")) {
      EXPECT_THAT(got, StartsWith(want)) << text;
    } else {
      EXPECT_EQ(got, want) << text;
    }
  }
}

TEST(TemplateLimits, BoundNestingAndSize) {
  std::string nested;
  for (int i = 0; i <= kMaxNesting; ++i) {
    nested += "{{ if true }}";
  }
  EXPECT_THAT(Expand(nested), HasSubstr("nested more than"));
  EXPECT_THAT(Expand("{{ " + std::string(kMaxNesting + 1, '(')), HasSubstr("nested more than"));
  EXPECT_THAT(Expand(std::string(kMaxTemplateBytes + 1, 'x')), HasSubstr("longer than"));
}

TEST(TemplateLimits, BoundOutputAndSteps) {
  EXPECT_THAT(Expand("{{ $x := \"0123456789\" }}{{ range 100 }}{{ $x = print $x $x }}{{ end }}"),
              HasSubstr("longer than"));
  EXPECT_THAT(Expand("{{ $x := args 1 2 }}{{ range 100 }}{{ $x = args $x $x }}{{ end }}{{ $x }}"),
              HasSubstr("longer than"));
  EXPECT_THAT(Expand("{{ range 1000 }}{{ range 1000 }}{{ end }}{{ range 1000 }}{{ 1 }}{{ end }}"
                     "{{ end }}"),
              HasSubstr("steps"));
  EXPECT_THAT(Expand("{{ range 1000000000 }}{{ end }}"), HasSubstr("steps"));
}

TEST(TemplateLimits, BoundRecursion) {
  EXPECT_THAT(Expand("{{ define \"r\" }}{{ template \"r\" }}{{ end }}{{ template \"r\" }}"),
              HasSubstr("templates call each other more than 20 deep"));
}

TEST(Functions, AreFoundByName) {
  for (const Function& function : Functions()) {
    EXPECT_EQ(FindFunction(function.name), &function);
    EXPECT_LE(function.min_args, function.max_args) << function.name;
  }
  EXPECT_EQ(FindFunction("tmpl"), nullptr);
}

}  // namespace
}  // namespace tmpl
