// The order of an instant query's result. Range queries are sorted by labels whatever these say.
#include <algorithm>
#include <cmath>
#include <string>

#include "agent/promql/call_context.h"
#include "agent/promql/functions/groups.h"
#include "lib/base/strings.h"

namespace promql {
namespace {

using base::Result;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The longest prefix of digits, or of anything else.
std::string_view TakeChunk(std::string_view* text) {
  size_t length = 1;
  while (length < text->size() && IsDigit((*text)[length]) == IsDigit(text->front())) {
    ++length;
  }
  const std::string_view chunk = text->substr(0, length);
  text->remove_prefix(length);
  return chunk;
}

// Numbers inside of texts compare as numbers: "cpu9" before "cpu10".
int CompareNaturally(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    const std::string_view x = TakeChunk(&a);
    const std::string_view y = TakeChunk(&b);
    const auto number_x = base::ParseUint(x);
    const auto number_y = base::ParseUint(y);
    if (number_x && number_y) {
      if (*number_x != *number_y) {
        return *number_x < *number_y ? -1 : 1;
      }
    } else if (const int order = x.compare(y); order != 0) {
      return order;
    }
  }
  return static_cast<int>(!a.empty()) - static_cast<int>(!b.empty());
}

template <bool kDescending>
Result<StepValue> SortByValue(CallContext& call) {
  ASSIGN_OR_RETURN(StepMatrix matrix, call.Vector(0));
  KeepFloats(&matrix);
  if (call.steps().count == 1) {
    std::stable_sort(matrix.begin(), matrix.end(), [](const StepSeries& a, const StepSeries& b) {
      const double x = a.values.front();
      const double y = b.values.front();
      if (std::isnan(x) || std::isnan(y)) {
        return !std::isnan(x);  // NaN last either way.
      }
      return kDescending ? x > y : x < y;
    });
  }
  return StepValue(std::move(matrix));
}

template <bool kDescending>
Result<StepValue> SortByLabel(CallContext& call) {
  std::vector<std::string> names;
  for (size_t i = 1; i < call.args(); ++i) {
    ASSIGN_OR_RETURN(std::string name, call.Text(i));
    names.push_back(std::move(name));
  }
  ASSIGN_OR_RETURN(StepMatrix matrix, call.Vector(0));
  if (call.steps().count > 1) {
    return StepValue(std::move(matrix));
  }
  const auto before = [&names](const StepSeries& a, const StepSeries& b) {
    for (const std::string& name : names) {
      const int order = CompareNaturally(a.labels.Get(name), b.labels.Get(name));
      if (order != 0) {
        return order < 0;
      }
    }
    return a.labels < b.labels;
  };
  std::stable_sort(matrix.begin(), matrix.end(),
                   [&before](const StepSeries& a, const StepSeries& b) {
                     return kDescending ? before(b, a) : before(a, b);
                   });
  return StepValue(std::move(matrix));
}

constexpr Function kFunctions[] = {
    {.name = "sort",
     .help = "Sorted by value, smallest first.",
     .args = {kVector},
     .traits = kKeepsName,
     .eval = SortByValue<false>},
    {.name = "sort_by_label",
     .help = "Sorted by the values of labels, in natural order.",
     .args = {kVector, kString},
     .variadic = Function::kAnyNumber,
     .traits = kKeepsName,
     .experimental = true,
     .eval = SortByLabel<false>},
    {.name = "sort_by_label_desc",
     .help = "Sorted by the values of labels, in reverse natural order.",
     .args = {kVector, kString},
     .variadic = Function::kAnyNumber,
     .traits = kKeepsName,
     .experimental = true,
     .eval = SortByLabel<true>},
    {.name = "sort_desc",
     .help = "Sorted by value, greatest first.",
     .args = {kVector},
     .traits = kKeepsName,
     .eval = SortByValue<true>},
};

}  // namespace

std::span<const Function> SortFunctions() { return kFunctions; }

}  // namespace promql
