// Runs scripts in the language of Prometheus' own PromQL tests: load, clear, eval. Our tests are
// written in it, and `tarsier-agent test promql` runs users' scripts.
//
//   load 1m
//     http_requests_total{path="/"} 0+60x10
//   eval instant at 10m rate(http_requests_total[5m])
//     {path="/"} 1
//
// Every instant eval is also evaluated with its time fixed by @, at other times, and as the middle
// step of a range query; all must agree.
#pragma once

#include <cstddef>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace promql {

struct TestReport {
  struct Failure {
    size_t line = 0;  // Of the eval.
    std::string message;
  };
  // Counted in eval statements.
  size_t passed = 0;
  size_t unsupported = 0;  // Those that need native histograms.
  std::vector<Failure> failures;
};

// Errors: kInvalidArgument with the line when the script itself is malformed.
base::Result<TestReport> RunTest(std::string_view script);
base::Result<TestReport> RunTestFile(const std::string& path);

// One line a file, failures, and a last line "N passed, N failed, N unsupported". The exit code: 0,
// or 1 when something failed or could not be read.
int TestPromqlCommand(std::span<const std::string> paths, std::ostream& out);

}  // namespace promql
