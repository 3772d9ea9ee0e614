#include "agent/promql/features.h"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "agent/promql/quote.h"
#include "lib/base/strings.h"

namespace promql {
namespace {

constexpr Feature kFeatures[] = {
    {"promql-binop-fill-modifiers", "fill, fill_left and fill_right of binary operators.",
     &EngineOptions::fill_modifiers},
    {"promql-delayed-name-removal", "Metric names are dropped at the end of a query.",
     &EngineOptions::delayed_name_removal},
    {"promql-experimental-functions", "Functions and aggregations that may still change.",
     &EngineOptions::experimental_functions},
    {"promql-extended-range-selectors", "Selectors that are anchored or smoothed.",
     &EngineOptions::extended_ranges},
};

}  // namespace

std::span<const Feature> AllFeatures() { return kFeatures; }

base::Result<void> EnableFeatures(std::string_view names, EngineOptions* options) {
  for (const std::string_view part : base::Split(names, ',')) {
    const std::string_view name = base::TrimSpace(part);
    const auto* found = std::find_if(std::begin(kFeatures), std::end(kFeatures),
                                     [name](const Feature& row) { return row.name == name; });
    if (found == std::end(kFeatures)) {
      std::vector<std::string> known;
      for (const Feature& feature : kFeatures) {
        known.emplace_back(feature.name);
      }
      return base::Error(
          fmt::format("no such feature: {}; there are {}", Quote(name), base::Join(known, ", ")),
          base::ErrorKind::kInvalidArgument);
    }
    options->*(found->option) = true;
  }
  return {};
}

}  // namespace promql
