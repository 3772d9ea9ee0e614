// Parts of the language that are off unless a flag names them, as in Prometheus.
#pragma once

#include <span>
#include <string_view>

#include "agent/promql/engine.h"
#include "lib/base/result.h"

namespace promql {

struct Feature {
  std::string_view name;  // Of --enable-feature.
  std::string_view help;
  bool EngineOptions::*option;
};

std::span<const Feature> AllFeatures();

// `names` is separated by commas. Errors: kInvalidArgument naming what is unknown, and what there
// is.
base::Result<void> EnableFeatures(std::string_view names, EngineOptions* options);

}  // namespace promql
