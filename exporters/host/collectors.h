// The table of the host exporter's collectors.
#pragma once

#include <span>

#include "exporters/host/context.h"

namespace exporters::host {

std::span<const HostCollector* const> Collectors();

}  // namespace exporters::host
