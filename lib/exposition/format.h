// The two text formats in which metrics travel: Prometheus text 0.0.4 and OpenMetrics 1.0.
#pragma once

namespace exposition {

enum class Format { kText, kOpenMetrics };

}  // namespace exposition
