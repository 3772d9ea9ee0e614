// Parameters of API requests, from the query or a posted form.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/storage/querier.h"
#include "lib/base/result.h"
#include "lib/http/message.h"
#include "lib/model/matcher.h"

namespace web {

// As far back and ahead as times go here; wider than any clock, and safe to subtract.
inline constexpr int64_t kMinTimeMs = -(int64_t{1} << 61);
inline constexpr int64_t kMaxTimeMs = int64_t{1} << 61;

inline constexpr size_t kMaxSelectors = 1000;  // match[] of one request.

// Seconds since the epoch, with or without a fraction, or RFC 3339.
base::Result<int64_t> ParseTimeMs(std::string_view text);
// Seconds with or without a fraction, or "5m"; not negative.
base::Result<std::chrono::milliseconds> ParseApiDuration(std::string_view text);

// Names of label values in paths: "U__" marks an escaped one, in which "__" is "_" and "_1f600_" is
// a code point. Any other name stands for itself.
std::string UnescapeLabelName(std::string_view name);

class Parameters {
 public:
  explicit Parameters(const http::Request& request) : form_(request.Form()) {}

  // The first of that name; "" counts as absent.
  std::optional<std::string> Get(std::string_view name) const;
  std::vector<std::string> All(std::string_view name) const;
  bool Has(std::string_view name) const { return Get(name).has_value(); }

  // Errors of these name the parameter: ready for ApiError(kBadData).
  base::Result<int64_t> Time(std::string_view name, int64_t fallback_ms) const;
  base::Result<std::optional<std::chrono::milliseconds>> Duration(std::string_view name) const;
  // 0 is no limit.
  base::Result<size_t> Limit(std::string_view name = "limit") const;
  // start and end, the widest range when absent.
  base::Result<storage::TimeRange> TimeRange() const;
  // One list of matchers for each match[].
  base::Result<std::vector<std::vector<model::Matcher>>> Selectors() const;

 private:
  std::vector<std::pair<std::string, std::string>> form_;
};

}  // namespace web
