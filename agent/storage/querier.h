// The read side of the store.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/model/labels.h"
#include "lib/model/matcher.h"
#include "lib/model/native_histogram.h"
#include "lib/model/sample.h"

namespace storage {

// Samples of one series in time order, stale markers included.
class SampleCursor {
 public:
  virtual ~SampleCursor() = default;
  // False at the end.
  virtual bool Next(model::Sample* sample) = 0;
};

// Native histograms of one series in time order, stale markers included.
class HistogramCursor {
 public:
  virtual ~HistogramCursor() = default;
  // False at the end.
  virtual bool Next(model::HistogramSample* sample) = 0;
};

// One series of a Select. Valid as long as the Querier that made it.
class Series {
 public:
  virtual ~Series() = default;
  virtual const model::Labels& labels() const = 0;
  // Samples with start_ms <= t <= end_ms of the Select.
  virtual std::unique_ptr<SampleCursor> Samples() const = 0;
  // The same of its native histograms; null when it has none, as nearly all series.
  virtual std::unique_ptr<HistogramCursor> Histograms() const { return nullptr; }
};

struct TimeRange {
  int64_t start_ms = 0;  // Both inclusive.
  int64_t end_ms = 0;
};

// A consistent view of the store. Thread-compatible; several may be open at once.
class Querier {
 public:
  virtual ~Querier() = default;

  // Sorted by labels. All matchers must match; none selects everything.
  virtual base::Result<std::vector<std::unique_ptr<Series>>> Select(
      std::span<const model::Matcher> matchers, TimeRange range) = 0;
  // The labels of the series that match and may have samples in the range, in no order. A
  // store that can reads no samples for it.
  virtual base::Result<std::vector<model::Labels>> SelectLabels(
      std::span<const model::Matcher> matchers, TimeRange range) {
    ASSIGN_OR_RETURN(const auto selected, Select(matchers, range));
    std::vector<model::Labels> labels;
    labels.reserve(selected.size());
    for (const auto& series : selected) {
      labels.push_back(series->labels());
    }
    return labels;
  }
  // Sorted, of the series that match.
  virtual base::Result<std::vector<std::string>> LabelNames(
      std::span<const model::Matcher> matchers, TimeRange range) = 0;
  virtual base::Result<std::vector<std::string>> LabelValues(
      std::string_view name, std::span<const model::Matcher> matchers, TimeRange range) = 0;
};

// Thread-safe.
class Queryable {
 public:
  virtual ~Queryable() = default;
  virtual std::unique_ptr<Querier> NewQuerier() const = 0;
};

}  // namespace storage
