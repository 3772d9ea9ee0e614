// The table of all collectors.
#pragma once

#include <span>

#include "exporters/postgres/collector.h"

namespace exporters::postgres {

std::span<const PostgresCollector* const> AllCollectors();

}  // namespace exporters::postgres
