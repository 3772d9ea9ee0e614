// What a commit leaves for the state file.
#pragma once

#include <vector>

#include "agent/storage/journal_record.h"
#include "agent/storage/label_index.h"

namespace storage {

struct JournalSeries {
  SeriesRef ref = 0;
  int64_t first_time_ms = 0;
  LabelSet labels;
};

struct JournalBatch {
  std::vector<JournalSample> samples;
  std::vector<JournalSeries> series;  // Those that the state file may not know yet.
};

// Thread-safe.
class Journal {
 public:
  virtual ~Journal() = default;
  // Called under the head's lock, in the order of the commits; must not wait for anything.
  virtual void Push(JournalBatch batch) = 0;
};

}  // namespace storage
