// --log.level and --log.format, the same in every binary.
#pragma once

#include <string>
#include <vector>

#include "exporters/toolkit/flags.h"
#include "lib/base/log.h"
#include "lib/base/result.h"

namespace exporters {

// The two flags, in the group of --help called `group`.
std::vector<Flag> LogFlags(const std::string& group);

// What they ask for. Error: a value that neither knows.
base::Result<base::Logger> MakeLogger(const ParsedFlags& flags);

}  // namespace exporters
