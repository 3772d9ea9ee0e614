// Whether an expression is false or its data are missing, and what a rule does about it.
//
// An alert is traced back to its target by its labels `job` and `instance`, as far as it has them.
// Its data are missing when that target is down (`up` is 0), or when the first selector of the
// expression finds nothing of it. A target that is no longer scraped is not missed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/rules/expression.h"
#include "lib/base/result.h"
#include "lib/model/labels.h"

namespace rules {

// The annotation that chooses a policy; Prometheus loads and sends it like any other.
inline constexpr std::string_view kMissingDataAnnotation = "tarsier_missing_data";
// The annotation of notifications about alerts whose data are missing.
inline constexpr std::string_view kMissingReasonAnnotation = "tarsier_missing_data_reason";
// Targets that one rule remembers for `fire`.
inline constexpr size_t kMaxKnownTargets = 10'000;

enum class MissingData {
  kResolve,  // As Prometheus: what is missing is over.
  kHold,     // Alerts stay as they are until the data are back or the target is gone.
  kFire,     // The same, pending alerts go on to fire, and lost targets get an alert of their own.
};
// "resolve", "hold", "fire". Errors: kInvalidArgument.
base::Result<MissingData> ParseMissingData(std::string_view word);

using Target = std::pair<std::string, std::string>;  // job, instance

// What is to be asked about the data of one expression. Immutable.
struct DataQueries {
  Expression selector;  // The first of the expression.
  Expression up;
};
// None when the expression selects nothing, or its parts do not parse alone.
std::optional<DataQueries> MakeDataQueries(std::string_view expression, const ParseFunc& parse);

// The data at one moment. Asks the store when first needed, at most once for each query.
class DataSnapshot {
 public:
  // `queries` must outlive it.
  DataSnapshot(const DataQueries& queries, int64_t at_ms) : queries_(queries), at_ms_(at_ms) {}

  // Why the data of an alert with these labels are missing; empty when they are there, or cannot be
  // told.
  std::string WhyMissing(const model::Labels& alert);

  // Adds the targets that have data to `known`, forgets those that are no longer scraped, and
  // returns the known ones that are down or have none.
  std::vector<Target> LostTargets(std::set<Target>* known);

 private:
  void Load();
  bool IsScraped(const Target& target) const { return up_.count(target) > 0 || IsDown(target); }
  bool IsDown(const Target& target) const { return down_.count(target) > 0; }

  const DataQueries& queries_;
  int64_t at_ms_;
  bool loaded_ = false;
  bool failed_ = false;  // Nothing can be told.
  std::set<Target> up_;
  std::set<Target> down_;
  std::set<Target> with_data_;
  std::set<std::string> jobs_with_data_;
};

}  // namespace rules
