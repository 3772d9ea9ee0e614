// The table of functions. Parser, engine, /api/v1/functions, completion and docs read the same
// rows; nothing else compares function names. To add one: a row in functions/<group>.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "agent/promql/ast.h"
#include "agent/promql/step_matrix.h"
#include "lib/base/result.h"
#include "lib/model/sample.h"

namespace promql {

class CallContext;  // call_context.h
class Notes;

// What a range function sees of one series at one step: the samples with start_ms < t <= end_ms.
struct Window {
  // Never both empty, no stale markers.
  std::span<const model::Sample> samples;
  std::span<const model::HistogramSample> histograms;
  int64_t start_ms = 0;
  int64_t end_ms = 0;
  int64_t range_ms = 0;
  Extension extension = Extension::kNone;  // Not kNone: the samples reach beyond both ends.
  int64_t eval_ms = 0;                     // The step's time; differs from end_ms by offset and @.
  std::span<const double> scalars;         // The scalar arguments, in order.
  const model::Labels* labels = nullptr;
  const Call* call = nullptr;
  Notes* notes = nullptr;
};

// The value at this step, or none.
using RangeEval = std::optional<Point> (*)(const Window& window);
// Element by element of an instant vector; `scalars` are the other arguments at this step.
using ElementEval = std::optional<double> (*)(double value, std::span<const double> scalars);
// Native histogram by native histogram of an instant vector; floats have no value.
using HistogramEval = double (*)(const model::NativeHistogram& histogram);
// Whatever needs more than one series, labels or strings.
using GeneralEval = base::Result<StepValue> (*)(CallContext& call);

// What the engine must know about a function beyond its types.
enum Trait : uint16_t {
  kNoTraits = 0,
  // The result keeps the metric name.
  kKeepsName = 1 << 0,
  // Depends on the evaluation time even when its arguments are fixed by @.
  kUsesEvalTime = 1 << 1,
  // Without arguments, the argument is vector(time()).
  kDefaultsToTime = 1 << 2,
  // Expects a counter: a metric not named like one raises an info.
  kWantsCounter = 1 << 3,
  // Looks at the start, end or step of the whole query.
  kUsesQueryTimes = 1 << 4,
  // A range function that takes native histograms; others see floats only, and an info is raised
  // where there were both.
  kTakesHistograms = 1 << 5,
  // The second argument is no vector but the matchers of a selector without a name.
  kTakesLabelSelector = 1 << 6,
  // Range functions that know what to do with an anchored or smoothed range.
  kTakesAnchored = 1 << 7,
  kTakesSmoothed = 1 << 8,
};

// The types of the arguments. A call with more arguments repeats the last type.
class ArgTypes {
 public:
  static constexpr size_t kMax = 5;

  constexpr ArgTypes(
      std::initializer_list<ValueType> types) {  // NOLINT(google-explicit-constructor)
    for (const ValueType type : types) {
      types_[count_++] = type;
    }
  }
  constexpr size_t size() const { return count_; }
  constexpr ValueType At(size_t i) const { return types_[i < count_ ? i : count_ - 1]; }

 private:
  std::array<ValueType, kMax> types_{};
  size_t count_ = 0;
};

struct Function {
  // How many of the last argument there may be: kExactly one, kOptional none or one, kAnyNumber.
  enum Arity : int8_t { kExactly = 0, kOptional = 1, kAnyNumber = -1 };

  std::string_view name;
  std::string_view help;
  ArgTypes args;
  int variadic = kExactly;  // n > 0: the last argument may stand 0 to n times.
  ValueType result = ValueType::kVector;
  uint16_t traits = kNoTraits;
  bool experimental = false;
  std::variant<RangeEval, ElementEval, HistogramEval, GeneralEval> eval;

  bool Has(Trait trait) const { return (traits & trait) != 0; }
  size_t min_args() const { return variadic == kExactly ? args.size() : args.size() - 1; }
};

// Sorted by name.
const std::vector<const Function*>& AllFunctions();
// Null when there is none.
const Function* FindFunction(std::string_view name);

}  // namespace promql
