// What a test script loads: all samples in memory, uncompressed.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "agent/storage/querier.h"
#include "lib/base/result.h"
#include "lib/model/labels.h"
#include "lib/model/native_histogram.h"
#include "lib/model/sample.h"

namespace promql {

// Thread-compatible. Must outlive its queriers.
class TestStore final : public storage::Queryable {
 public:
  struct Data {
    std::vector<model::Sample> samples;
    std::vector<model::HistogramSample> histograms;
  };
  using SeriesMap = std::map<model::Labels, Data>;

  // In time order. Errors: kInvalidArgument.
  base::Result<void> Append(const model::Labels& labels, model::Sample sample);
  // Sets the counter reset as a store does, from the histogram before.
  base::Result<void> Append(const model::Labels& labels, int64_t timestamp_ms,
                            model::NativeHistogram histogram);
  void Clear() { series_.clear(); }

  std::unique_ptr<storage::Querier> NewQuerier() const override;

 private:
  SeriesMap series_;
};

}  // namespace promql
