// All collectors of this exporter.
#pragma once

#include <span>

#include "exporters/redis/context.h"

namespace exporters::redis {

std::span<const RedisCollector* const> AllCollectors();

}  // namespace exporters::redis
