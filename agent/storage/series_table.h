// Finds a series by its labels: open addressing over pointers, half the memory of a node-based map.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "agent/storage/mem_series.h"
#include "lib/model/labels.h"

namespace storage {

// Thread-compatible. Does not own the series.
class SeriesTable {
 public:
  // Null when there is none.
  MemSeries* Find(const model::Labels& labels) const;
  // The series must not be in the table.
  void Insert(MemSeries* series);
  // The series must be in the table.
  void Erase(const MemSeries* series);

  size_t MemoryBytes() const { return slots_.capacity() * sizeof(slots_[0]); }

 private:
  size_t Home(uint64_t hash) const { return static_cast<size_t>(hash) & (slots_.size() - 1); }
  size_t Next(size_t slot) const { return (slot + 1) & (slots_.size() - 1); }
  void Place(MemSeries* series);
  void Grow();

  std::vector<MemSeries*> slots_;  // Null is free; the size is a power of two.
  size_t used_ = 0;
};

}  // namespace storage
