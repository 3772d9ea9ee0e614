// The flags and environment variables of tarsier-postgres, which are postgres_exporter's.
#pragma once

#include <vector>

#include "exporters/postgres/options.h"
#include "exporters/toolkit/flags.h"
#include "lib/base/result.h"

namespace exporters::postgres {

std::vector<Flag> PostgresFlags();

// Errors: kInvalidArgument, naming the flag or variable, never the value of a DSN.
base::Result<PostgresOptions> ParseOptions(const ParsedFlags& flags,
                                           const EnvironmentFunc& environment);

}  // namespace exporters::postgres
