// The table of aggregations: sum, topk, count_values and so on. Only these rows know their names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "agent/promql/ast.h"
#include "agent/promql/histogram_math.h"
#include "lib/base/result.h"
#include "lib/model/labels.h"

namespace promql {

class Notes;

// One element of a group at one step.
struct GroupElement {
  double value = 0;
  size_t series = 0;  // Index into the input.
  const model::Labels* labels = nullptr;
};

// The group at one step becomes one value. `values` is never empty.
using ReduceEval = double (*)(std::span<const double> values, double parameter);
// The group at one step keeps some of its elements: erases the others, and orders the rest.
using ChooseEval = void (*)(double parameter, std::vector<GroupElement>* elements);
// One result per distinct value, named by a label.
struct CountValues {};

// What becomes of native histograms in a group.
enum class HistogramUse : uint8_t {
  kIgnored,  // An info says so.
  kTaken,    // Like any other element.
  kFolded,   // Into one; next to floats nothing is left of the group, and a warning says so.
};

struct Aggregation {
  std::string_view name;
  std::string_view help;
  ValueType parameter = ValueType::kNone;
  bool experimental = false;
  std::variant<ReduceEval, ChooseEval, CountValues> eval;
  HistogramUse histograms = HistogramUse::kIgnored;
  HistogramFold fold = nullptr;  // With kFolded.
  // Looks at the parameter once per step before the groups are evaluated; may raise notes, fail the
  // query through them, or replace the parameter. Null: anything goes.
  void (*check_parameter)(double* parameter, Position at, Notes* notes) = nullptr;
};

std::span<const Aggregation> AllAggregations();
// `name` in lower case; null when there is none.
const Aggregation* FindAggregation(std::string_view name);

}  // namespace promql
