// The `doctor` sub-command: tries what a scrape does and says what is missing and what would help.
#pragma once

#include <string>

#include "exporters/redis/options.h"
#include "lib/base/clock.h"

namespace exporters::redis {

// Appends its findings to `report`; true when every command is answered.
bool Diagnose(const Options& options, base::MonotonicTime deadline, std::string* report);

// The ACL rule with which a user can do all this exporter does, and nothing else.
std::string AclRule(const Options& options);

}  // namespace exporters::redis
