// How many standbys synchronous_standby_names makes a commit wait for.
#pragma once

#include <string_view>

namespace exporters::postgres {

// "ANY 2 (a, b, c)" is 2, "a, b" is 1, "" is 0. Pure.
int ParseRequiredStandbys(std::string_view names);

}  // namespace exporters::postgres
