// Batches of samples as one record of the journal: what the open chunks in the state file lack.
//
//   version, number of samples, base time
//   per sample: series (difference, signed), time (after base, signed), value (its bits with the
//   bytes reversed, so that round numbers are short)
//   checksum
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "agent/storage/appender.h"
#include "agent/storage/label_index.h"
#include "lib/base/result.h"
#include "lib/model/labels.h"
#include "lib/model/sample.h"

namespace storage {

struct JournalSample {
  SeriesRef ref = 0;
  model::Sample sample;
};

std::vector<uint8_t> WriteJournalRecord(std::span<const JournalSample> samples);

// Errors: kInvalidArgument, the record is damaged.
base::Result<std::vector<JournalSample>> ParseJournalRecord(std::span<const uint8_t> record);

// The labels of a series, as they are stored.
std::vector<uint8_t> WriteLabels(const LabelSet& labels);
base::Result<model::Labels> ParseLabels(std::span<const uint8_t> bytes);

}  // namespace storage
