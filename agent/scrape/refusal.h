// Series that a target may not add, and which of their labels is to blame.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_set>

#include "lib/model/labels.h"

namespace scrape {

// Refused series whose labels are looked at; enough to tell a label with many values from others.
inline constexpr size_t kExaminedSeries = 1'000;

// Thread-compatible.
class Refusal {
 public:
  void Add(const model::Labels& labels);

  uint64_t count() const { return count_; }
  // The label with the most values; "" when nothing was refused.
  std::string Label() const;

 private:
  std::map<std::string, std::unordered_set<std::string>, std::less<>> values_;
  uint64_t count_ = 0;
};

}  // namespace scrape
