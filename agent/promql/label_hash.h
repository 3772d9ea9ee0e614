// The hash by which Prometheus spreads series between 0 and 1.
#pragma once

#include <cstdint>
#include <string_view>

#include "lib/model/labels.h"

namespace promql {

// XXH64 with seed 0.
uint64_t XxHash64(std::string_view bytes);

// XXH64 over length, name, length, value of each label in order, as Prometheus' own binaries do it,
// so that limit_ratio chooses the same series there and here. Lengths below 255 are one byte,
// others 0xff and three bytes, lowest first.
uint64_t PrometheusHash(const model::Labels& labels);

}  // namespace promql
