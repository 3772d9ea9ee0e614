// All collectors of this exporter.
#pragma once

#include <span>

#include "exporters/pgbouncer/context.h"

namespace exporters::pgbouncer {

std::span<const PgBouncerCollector* const> AllCollectors();

}  // namespace exporters::pgbouncer
