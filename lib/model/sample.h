// One value at one time.
#pragma once

#include <bit>
#include <cstdint>

namespace model {

struct Sample {
  int64_t timestamp_ms = 0;  // Since the Unix epoch.
  double value = 0;
};

// Prometheus tells its two NaNs apart by their bits. The stale marker ends a series; every other
// NaN is canonicalised when it is read, so that no target can forge the marker.
inline constexpr uint64_t kStaleNaNBits = 0x7ff0000000000002ULL;
inline constexpr uint64_t kNormalNaNBits = 0x7ff8000000000001ULL;
inline constexpr double kStaleNaN = std::bit_cast<double>(kStaleNaNBits);
inline constexpr double kNormalNaN = std::bit_cast<double>(kNormalNaNBits);

inline bool IsStale(double value) { return std::bit_cast<uint64_t>(value) == kStaleNaNBits; }

}  // namespace model
