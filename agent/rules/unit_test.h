// `tarsier-agent test rules FILE…`: evaluates rules over input series, as promtool does, with our
// engine, store and rule groups.
#pragma once

#include <chrono>
#include <cstdint>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "agent/rules/rule_file.h"
#include "agent/rules/unit_test_file.h"
#include "lib/base/result.h"

namespace rules {

// Evaluations of all groups in one test; more are refused.
inline constexpr int64_t kMaxUnitTestTicks = 10'000'000;

struct UnitTestOptions {
  std::vector<std::string> run;        // Regexes (RE2, unanchored); empty runs all tests.
  bool diff = false;                   // Print what is missing and what is too much.
  bool debug = false;                  // Print every step.
  bool ignore_unknown_fields = false;  // In rule files.
  std::string junit_file;              // Empty: none is written.
};

// What one test found wrong, a text each as promtool prints it; none is a pass.
struct UnitTestReport {
  std::vector<std::string> failures;
  std::string trace;  // With `debug`.
};

// `groups` in the order in which they are evaluated.
UnitTestReport RunUnitTest(const UnitTest& test, const UnitTestFile& file,
                           const std::vector<GroupSpec>& groups, const UnitTestOptions& options);

// The groups of the rule files, in group_eval_order. `warnings` gets the patterns that match
// nothing.
base::Result<std::vector<GroupSpec>> LoadTestedGroups(const UnitTestFile& file,
                                                      const UnitTestOptions& options,
                                                      std::vector<std::string>* warnings);

// Exit code 0, or 1 when a test failed or a file cannot be read. Failures go to `err`.
int TestRulesCommand(std::span<const std::string> files, const UnitTestOptions& options,
                     std::ostream& out, std::ostream& err);

}  // namespace rules
