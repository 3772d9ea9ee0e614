// Targets as discovery finds them: addresses that share labels.
#pragma once

#include <string>
#include <vector>

#include "lib/model/labels.h"

namespace discovery {

struct TargetGroup {
  std::vector<std::string> targets;  // Values of `__address__`.
  model::Labels labels;

  bool operator==(const TargetGroup&) const = default;
};

}  // namespace discovery
