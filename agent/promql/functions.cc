#include "agent/promql/functions.h"

#include <algorithm>

#include "agent/promql/functions/groups.h"

namespace promql {
namespace {

std::vector<const Function*> Collect() {
  std::vector<const Function*> all;
  for (const auto group :
       {AbsentFunctions(), HistogramFunctions(), InfoFunctions(), LabelFunctions(), MathFunctions(),
        OverTimeFunctions(), RateFunctions(), RegressionFunctions(), ScalarFunctions(),
        SortFunctions(), TimeFunctions()}) {
    for (const Function& function : group) {
      all.push_back(&function);
    }
  }
  std::sort(all.begin(), all.end(),
            [](const Function* a, const Function* b) { return a->name < b->name; });
  return all;
}

}  // namespace

const std::vector<const Function*>& AllFunctions() {
  static const std::vector<const Function*> kAll = Collect();
  return kAll;
}

const Function* FindFunction(std::string_view name) {
  const auto& all = AllFunctions();
  const auto at = std::lower_bound(
      all.begin(), all.end(), name,
      [](const Function* function, std::string_view wanted) { return function->name < wanted; });
  return at != all.end() && (*at)->name == name ? *at : nullptr;
}

}  // namespace promql
