// Local time of a place, from the system's zone files (TZif, RFC 9636). The C library only knows
// the zone of the whole process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace notify {

inline constexpr size_t kMaxZoneBytes = 256 << 10;

// Immutable, thread-safe, cheap to copy. UTC unless made otherwise.
class TimeZone {
 public:
  struct Offset {
    int64_t seconds = 0;  // East of UTC.
    std::string abbreviation = "UTC";
  };

  // "Europe/Berlin", "UTC", "Local". Errors: kNotFound, kInvalidArgument.
  static base::Result<TimeZone> Load(const std::string& name);
  // Pure. Errors: kInvalidArgument.
  static base::Result<TimeZone> Parse(std::string name, std::string_view bytes);

  Offset At(int64_t unix_seconds) const;
  const std::string& name() const { return name_; }

 private:
  struct Table;
  std::string name_ = "UTC";
  std::shared_ptr<const Table> table_;  // Null for UTC.
};

}  // namespace notify
