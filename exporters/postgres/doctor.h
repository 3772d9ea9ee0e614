// `tarsier-postgres doctor`: what the exporter may see, and the SQL that lets it see more.
#pragma once

#include <string>

#include "exporters/postgres/options.h"

namespace exporters::postgres {

// Connects and appends one line a finding to `report`. True when nothing is missing.
bool Examine(const PostgresOptions& options, std::string* report);

}  // namespace exporters::postgres
