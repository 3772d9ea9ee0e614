// The `doctor` sub-command: tries what a scrape does and says what is missing and what would help.
#pragma once

#include <string>

#include "exporters/pgbouncer/options.h"
#include "lib/base/clock.h"

namespace exporters::pgbouncer {

// Appends its findings to `report`; true when every command is answered.
bool Diagnose(const Options& options, base::MonotonicTime deadline, std::string* report);

}  // namespace exporters::pgbouncer
