#include "agent/storage/series_table.h"

#include <algorithm>
#include <utility>

namespace storage {
namespace {

constexpr size_t kMinSlots = 64;

}  // namespace

MemSeries* SeriesTable::Find(const model::Labels& labels) const {
  if (slots_.empty()) {
    return nullptr;
  }
  const uint64_t hash = labels.Hash();
  for (size_t slot = Home(hash); slots_[slot] != nullptr; slot = Next(slot)) {
    if (slots_[slot]->hash() == hash && slots_[slot]->labels().Equals(labels)) {
      return slots_[slot];
    }
  }
  return nullptr;
}

void SeriesTable::Insert(MemSeries* series) {
  if ((used_ + 1) * 4 > slots_.size() * 3) {
    Grow();
  }
  Place(series);
  ++used_;
}

void SeriesTable::Erase(const MemSeries* series) {
  size_t hole = Home(series->hash());
  while (slots_[hole] != series) {
    hole = Next(hole);
  }
  // Move back what would become unreachable behind the hole.
  for (size_t slot = Next(hole); slots_[slot] != nullptr; slot = Next(slot)) {
    const size_t home = Home(slots_[slot]->hash());
    const size_t mask = slots_.size() - 1;
    if (((slot - home) & mask) >= ((slot - hole) & mask)) {
      slots_[hole] = slots_[slot];
      hole = slot;
    }
  }
  slots_[hole] = nullptr;
  --used_;
}

void SeriesTable::Place(MemSeries* series) {
  size_t slot = Home(series->hash());
  while (slots_[slot] != nullptr) {
    slot = Next(slot);
  }
  slots_[slot] = series;
}

void SeriesTable::Grow() {
  std::vector<MemSeries*> old(std::max(kMinSlots, slots_.size() * 2));
  old.swap(slots_);
  for (MemSeries* series : old) {
    if (series != nullptr) {
      Place(series);
    }
  }
}

}  // namespace storage
