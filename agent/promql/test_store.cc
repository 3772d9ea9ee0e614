#include "agent/promql/test_store.h"

#include <algorithm>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace promql {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

template <typename Sample>
std::span<const Sample> Within(const std::vector<Sample>& samples, storage::TimeRange range) {
  const auto begin = std::lower_bound(
      samples.begin(), samples.end(), range.start_ms,
      [](const Sample& sample, int64_t time_ms) { return sample.timestamp_ms < time_ms; });
  const auto end = std::upper_bound(
      begin, samples.end(), range.end_ms,
      [](int64_t time_ms, const Sample& sample) { return time_ms < sample.timestamp_ms; });
  return {begin, end};
}

template <typename Cursor, typename Sample>
class SpanCursor final : public Cursor {
 public:
  explicit SpanCursor(std::span<const Sample> samples) : samples_(samples) {}
  bool Next(Sample* sample) override {
    if (samples_.empty()) {
      return false;
    }
    *sample = samples_.front();
    samples_ = samples_.subspan(1);
    return true;
  }

 private:
  std::span<const Sample> samples_;
};

class StoredSeries final : public storage::Series {
 public:
  StoredSeries(const TestStore::SeriesMap::value_type& series, storage::TimeRange range)
      : series_(series), range_(range) {}

  const model::Labels& labels() const override { return series_.first; }
  std::unique_ptr<storage::SampleCursor> Samples() const override {
    return std::make_unique<SpanCursor<storage::SampleCursor, model::Sample>>(
        Within(series_.second.samples, range_));
  }
  std::unique_ptr<storage::HistogramCursor> Histograms() const override {
    return std::make_unique<SpanCursor<storage::HistogramCursor, model::HistogramSample>>(
        Within(series_.second.histograms, range_));
  }

 private:
  const TestStore::SeriesMap::value_type& series_;
  const storage::TimeRange range_;
};

class StoreQuerier final : public storage::Querier {
 public:
  explicit StoreQuerier(const TestStore::SeriesMap& series) : series_(series) {}

  Result<std::vector<std::unique_ptr<storage::Series>>> Select(
      std::span<const model::Matcher> matchers, storage::TimeRange range) override {
    std::vector<std::unique_ptr<storage::Series>> found;
    for (const auto& series : series_) {
      if (IsMatch(series, matchers, range)) {
        found.push_back(std::make_unique<StoredSeries>(series, range));
      }
    }
    return found;
  }

  Result<std::vector<std::string>> LabelNames(std::span<const model::Matcher> matchers,
                                              storage::TimeRange range) override {
    return Collect(matchers, range, [](const model::Labels& labels, std::set<std::string>* names) {
      for (const model::Label label : labels) {
        names->emplace(label.name);
      }
    });
  }

  Result<std::vector<std::string>> LabelValues(std::string_view name,
                                               std::span<const model::Matcher> matchers,
                                               storage::TimeRange range) override {
    return Collect(matchers, range,
                   [name](const model::Labels& labels, std::set<std::string>* values) {
                     if (labels.Has(name)) {
                       values->emplace(labels.Get(name));
                     }
                   });
  }

 private:
  static bool IsMatch(const TestStore::SeriesMap::value_type& series,
                      std::span<const model::Matcher> matchers, storage::TimeRange range) {
    return std::all_of(
               matchers.begin(), matchers.end(),
               [&](const model::Matcher& matcher) { return matcher.Matches(series.first); }) &&
           !(Within(series.second.samples, range).empty() &&
             Within(series.second.histograms, range).empty());
  }

  template <typename Take>
  std::vector<std::string> Collect(std::span<const model::Matcher> matchers,
                                   storage::TimeRange range, const Take& take) const {
    std::set<std::string> values;
    for (const auto& series : series_) {
      if (IsMatch(series, matchers, range)) {
        take(series.first, &values);
      }
    }
    return {values.begin(), values.end()};
  }

  const TestStore::SeriesMap& series_;
};

template <typename Sample>
Result<void> CheckOrder(const std::vector<Sample>& samples, int64_t timestamp_ms,
                        const model::Labels& labels) {
  if (!samples.empty() && samples.back().timestamp_ms >= timestamp_ms) {
    return Error(
        fmt::format("{} has a sample at {} ms or later already", labels.ToString(), timestamp_ms),
        ErrorKind::kInvalidArgument);
  }
  return {};
}

}  // namespace

Result<void> TestStore::Append(const model::Labels& labels, model::Sample sample) {
  Data& data = series_[labels];
  RETURN_IF_ERROR(CheckOrder(data.samples, sample.timestamp_ms, labels));
  data.samples.push_back(sample);
  return {};
}

Result<void> TestStore::Append(const model::Labels& labels, int64_t timestamp_ms,
                               model::NativeHistogram histogram) {
  Data& data = series_[labels];
  RETURN_IF_ERROR(CheckOrder(data.histograms, timestamp_ms, labels));
  const bool follows = !data.histograms.empty() &&
                       (data.samples.empty() ||
                        data.samples.back().timestamp_ms < data.histograms.back().timestamp_ms);
  histogram.reset =
      model::ResetAfter(follows ? data.histograms.back().histogram.get() : nullptr, histogram);
  data.histograms.push_back(
      {timestamp_ms, std::make_shared<const model::NativeHistogram>(std::move(histogram))});
  return {};
}

std::unique_ptr<storage::Querier> TestStore::NewQuerier() const {
  return std::make_unique<StoreQuerier>(series_);
}

}  // namespace promql
