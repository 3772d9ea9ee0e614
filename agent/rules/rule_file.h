// Rule files as Prometheus reads them: YAML to plain structs, unknown fields refused.
//
//   groups:
//     - name: postgresql
//       interval: 30s        # optional; also query_offset, limit, labels
//       rules:
//         - alert: PostgresqlDown
//           expr: pg_up == 0
//           for: 1m
//           keep_firing_for: 5m
//           labels: {severity: critical}
//           annotations: {summary: "{{ $labels.instance }} is down"}
//         - record: job:up:sum
//           expr: sum by (job) (up)
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/rules/expression.h"
#include "lib/base/result.h"

namespace rules {

inline constexpr size_t kMaxRuleFileBytes = 8 << 20;
inline constexpr size_t kMaxRulesPerFile = 20'000;
inline constexpr size_t kMaxRuleFileErrors = 100;  // More are not reported.

using TextPairs = std::vector<std::pair<std::string, std::string>>;  // In the order of the file.

struct RuleSpec {
  int line = 0;
  bool alerting = false;  // Else it records.
  std::string name;       // `alert` or `record`.
  std::string expression;
  std::chrono::milliseconds hold{0};  // `for`.
  std::chrono::milliseconds keep_firing_for{0};
  TextPairs labels;  // The group's among them, unless the rule has the same name.
  TextPairs annotations;

  // Same text, wherever it stands in the file.
  bool SameAs(const RuleSpec& other) const;
};

struct GroupSpec {
  std::string file;
  std::string name;
  int line = 0;
  std::optional<std::chrono::milliseconds> interval;
  std::optional<std::chrono::milliseconds> query_offset;
  size_t limit = 0;  // 0 is none.
  std::vector<RuleSpec> rules;

  bool SameAs(const GroupSpec& other) const;
};

// What fields that Prometheus does not know are.
enum class UnknownFields { kRefused, kIgnored };

struct RuleFile {
  std::vector<GroupSpec> groups;
  std::vector<base::Error> errors;  // "file:line: why"; any makes the file unusable.
};

// Pure. `file` is for messages and GroupSpec::file only. Every expression goes through `parse` and
// every template through the template parser.
RuleFile ParseRuleFile(std::string_view yaml, const std::string& file, const ParseFunc& parse,
                       UnknownFields unknown_fields = UnknownFields::kRefused);

// Reads every file that matches one of `patterns` ("alerts/*.yml"), once each, in order. A pattern
// without a match is no error, as in Prometheus; a plain path that does not exist is.
// Errors: kInvalidArgument with all messages, one a line; those of reading files.
base::Result<std::vector<GroupSpec>> LoadRuleFiles(
    std::span<const std::string> patterns, const ParseFunc& parse,
    UnknownFields unknown_fields = UnknownFields::kRefused);

}  // namespace rules
