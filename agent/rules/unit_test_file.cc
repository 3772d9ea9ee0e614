#include "agent/rules/unit_test_file.h"

#include <cstdio>
#include <limits>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "lib/base/strings.h"
#include "lib/yaml/reader.h"
#include "lib/yaml/yaml.h"

namespace rules {
namespace {

using base::Result;
using yaml::Node;
using yaml::Reader;

Result<void> ReadTexts(const Reader& reader, const Node& node, ExpectedTexts& target) {
  RETURN_IF_ERROR(reader.Expect(node, Node::Kind::kMap));
  for (const auto& [name, value] : node.members) {
    RETURN_IF_ERROR(reader.Read(value, target[name]));
  }
  return {};
}

// YAML's own names of special values, besides what Go parses.
Result<void> ReadValue(const Reader& reader, const Node& node, double& target) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  static constexpr std::pair<std::string_view, double> kSpecial[] = {
      {".inf", kInfinity},
      {"+.inf", kInfinity},
      {"-.inf", -kInfinity},
      {".nan", std::numeric_limits<double>::quiet_NaN()}};
  std::string text;
  RETURN_IF_ERROR(reader.Read(node, text));
  const std::string word = base::ToLower(text);
  for (const auto& [name, value] : kSpecial) {
    if (name == word) {
      target = value;
      return {};
    }
  }
  const auto number = base::ParseDouble(text);
  if (!number) {
    return reader.ErrorAt(node, fmt::format("a number is expected, not \"{}\"", text));
  }
  target = *number;
  return {};
}

// "2022-01-25T12:36:43Z", with a fraction that is dropped or an offset ("+02:00").
std::optional<base::WallTime> ParseRfc3339(const std::string& text) {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int length = 0;
  if (std::sscanf(text.c_str(), "%4d-%2u-%2uT%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute,
                  &second, &length) != 6) {
    return std::nullopt;
  }
  std::string_view zone = std::string_view(text).substr(static_cast<size_t>(length));
  if (zone.starts_with('.')) {
    zone.remove_prefix(std::min(zone.find_first_not_of("0123456789", 1), zone.size()));
  }
  std::chrono::minutes offset{0};
  if (zone != "Z" && zone != "z") {
    const auto hours = zone.size() == 6 ? base::ParseInt(zone.substr(1, 2)) : std::nullopt;
    const auto minutes = zone.size() == 6 ? base::ParseInt(zone.substr(4, 2)) : std::nullopt;
    if (!hours || !minutes || zone[3] != ':' || (zone[0] != '+' && zone[0] != '-')) {
      return std::nullopt;
    }
    offset = std::chrono::minutes((zone[0] == '-' ? -1 : 1) * (*hours * 60 + *minutes));
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok() || hour > 23 || minute > 59 || second > 59 || hour < 0 || minute < 0 ||
      second < 0) {
    return std::nullopt;
  }
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second) - offset;
}

Result<void> ReadStart(const Reader& reader, const Node& node, base::WallTime& target) {
  constexpr int64_t kLatest = 253'402'300'799;  // The end of the year 9999.
  std::string text;
  RETURN_IF_ERROR(reader.Read(node, text));
  if (const auto seconds = base::ParseInt(text);
      seconds && *seconds <= kLatest && *seconds >= -kLatest) {
    target = base::FromMillis(*seconds * 1000);
    return {};
  }
  const auto time = ParseRfc3339(text);
  if (!time) {
    return reader.ErrorAt(
        node, fmt::format("\"{}\" is neither whole seconds since 1970 nor an RFC 3339 time", text));
  }
  target = *time;
  return {};
}

constexpr yaml::Field<ExpectedAlert> kExpectedAlertFields[] = {
    {"exp_labels", [](const Reader& reader, const Node& node,
                      ExpectedAlert& alert) { return ReadTexts(reader, node, alert.labels); }},
    {"exp_annotations",
     [](const Reader& reader, const Node& node, ExpectedAlert& alert) {
       return ReadTexts(reader, node, alert.annotations);
     }},
};

constexpr yaml::Field<AlertCheck> kAlertCheckFields[] = {
    {"eval_time", yaml::Into<&AlertCheck::eval_time>},
    {"alertname", yaml::Into<&AlertCheck::alertname>},
    {"exp_alerts",
     [](const Reader& reader, const Node& node, AlertCheck& check) {
       return reader.ReadList(node, &check.alerts,
                              [](const Reader& r, const Node& item, ExpectedAlert& alert) {
                                return r.ReadMap<ExpectedAlert>(item, kExpectedAlertFields, &alert);
                              });
     }},
};

constexpr yaml::Field<ExpectedSample> kExpectedSampleFields[] = {
    {"labels", yaml::Into<&ExpectedSample::labels>},
    {"value", [](const Reader& reader, const Node& node,
                 ExpectedSample& sample) { return ReadValue(reader, node, sample.value); }},
    {"histogram", yaml::Into<&ExpectedSample::histogram>},
};

constexpr yaml::Field<ExpressionCheck> kExpressionCheckFields[] = {
    {"expr", yaml::Into<&ExpressionCheck::expression>},
    {"eval_time", yaml::Into<&ExpressionCheck::eval_time>},
    {"exp_samples",
     [](const Reader& reader, const Node& node, ExpressionCheck& check) {
       return reader.ReadList(
           node, &check.samples, [](const Reader& r, const Node& item, ExpectedSample& sample) {
             return r.ReadMap<ExpectedSample>(item, kExpectedSampleFields, &sample);
           });
     }},
};

constexpr yaml::Field<InputSeries> kInputSeriesFields[] = {
    {"series", yaml::Into<&InputSeries::series>},
    {"values", yaml::Into<&InputSeries::values>},
};

constexpr yaml::Field<UnitTest> kTestFields[] = {
    {"name", yaml::Into<&UnitTest::name>},
    {"interval", yaml::Into<&UnitTest::interval>},
    {"start_timestamp", [](const Reader& reader, const Node& node,
                           UnitTest& test) { return ReadStart(reader, node, test.start); }},
    {"input_series",
     [](const Reader& reader, const Node& node, UnitTest& test) {
       return reader.ReadList(node, &test.inputs,
                              [](const Reader& r, const Node& item, InputSeries& series) {
                                return r.ReadMap<InputSeries>(item, kInputSeriesFields, &series);
                              });
     }},
    {"alert_rule_test",
     [](const Reader& reader, const Node& node, UnitTest& test) {
       return reader.ReadList(node, &test.alerts,
                              [](const Reader& r, const Node& item, AlertCheck& check) {
                                return r.ReadMap<AlertCheck>(item, kAlertCheckFields, &check);
                              });
     }},
    {"promql_expr_test",
     [](const Reader& reader, const Node& node, UnitTest& test) {
       return reader.ReadList(
           node, &test.expressions, [](const Reader& r, const Node& item, ExpressionCheck& check) {
             return r.ReadMap<ExpressionCheck>(item, kExpressionCheckFields, &check);
           });
     }},
    {"external_labels", yaml::Into<&UnitTest::external_labels>},
    {"external_url", yaml::Into<&UnitTest::external_url>},
};

constexpr yaml::Field<UnitTestFile> kFileFields[] = {
    {"rule_files", yaml::Into<&UnitTestFile::rule_files>},
    {"evaluation_interval", yaml::Into<&UnitTestFile::evaluation_interval>},
    {"group_eval_order", yaml::Into<&UnitTestFile::group_eval_order>},
    {"fuzzy_compare", yaml::Into<&UnitTestFile::fuzzy_compare>},
    {"tests",
     [](const Reader& reader, const Node& node, UnitTestFile& file) {
       return reader.ReadList(node, &file.tests,
                              [](const Reader& r, const Node& item, UnitTest& test) {
                                return r.ReadMap<UnitTest>(item, kTestFields, &test);
                              });
     }},
};

}  // namespace

Result<UnitTestFile> ParseUnitTestFile(std::string_view yaml, const std::string& file) {
  ASSIGN_OR_RETURN(const Node root, yaml::Parse(yaml, file));
  const Reader reader(file);
  UnitTestFile tests;
  RETURN_IF_ERROR(reader.ReadMap<UnitTestFile>(root, kFileFields, &tests));
  for (std::string& pattern : tests.rule_files) {
    pattern = reader.Resolve(pattern);
  }
  if (tests.evaluation_interval.count() == 0) {
    tests.evaluation_interval = UnitTestFile().evaluation_interval;
  }
  std::set<std::string> names;
  for (const std::string& group : tests.group_eval_order) {
    if (!names.insert(group).second) {
      return base::Error(
          fmt::format("{}: group_eval_order: group \"{}\" is named twice", file, group),
          base::ErrorKind::kInvalidArgument);
    }
  }
  for (UnitTest& test : tests.tests) {
    if (test.interval.count() == 0) {
      test.interval = tests.evaluation_interval;
    }
  }
  return tests;
}

}  // namespace rules
