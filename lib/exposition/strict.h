// What the formats' specifications demand beyond what Prometheus checks: families in one piece,
// names that belong to their TYPE, no series twice, histograms that add up.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "lib/base/result.h"
#include "lib/exposition/format.h"
#include "lib/exposition/parser.h"
#include "lib/model/labels.h"
#include "lib/model/metric_family.h"

namespace exposition {

// Fed with every entry of one page, in order. Thread-compatible.
class StrictChecker {
 public:
  explicit StrictChecker(Format format) : format_(format) {}

  base::Result<void> Check(Entry entry, const Parser& parser);

 private:
  // The family that the page is in.
  struct Family {
    std::string name;
    model::MetricType type = model::MetricType::kUntyped;
    bool has_type = false;
    bool has_help = false;
    bool has_unit = false;
    bool has_samples = false;
  };
  // The samples of one family that share their labels but for le, quantile and the state of a
  // state set: one histogram, one summary, one counter and its _created.
  struct Group {
    model::Labels key;
    std::optional<int64_t> timestamp_ms;
    std::unordered_set<model::Labels> series;
    std::optional<double> last_bound;  // Of the buckets so far, and what it holds.
    double last_bucket = 0;
    std::optional<double> count;
    std::optional<double> sum;
    bool has_negative_bounds = false;
  };
  struct SampleView {
    model::Labels labels;
    std::string_view suffix;
    std::string_view bound;  // The value of le, quantile or the state; "" if it has none.
    double value = 0;
    std::optional<int64_t> timestamp_ms;
  };

  base::Result<void> CheckMetadata(Entry entry, const Parser& parser);
  base::Result<void> CheckSample(const Parser& parser);
  base::Result<void> CheckUnit(const Parser& parser) const;
  base::Result<void> CheckExemplar(const Parser& parser, const SampleView& sample) const;
  base::Result<void> CheckValue(const SampleView& sample);
  base::Result<void> CheckSummary(const SampleView& sample) const;
  base::Result<void> CheckHistogram(const SampleView& sample);
  base::Result<void> CheckBucket(const SampleView& sample);
  base::Result<void> OpenFamily(std::string_view name);
  base::Result<void> ClaimNames();
  base::Result<void> EnterGroup(const SampleView& sample);
  base::Result<void> AdvanceGroup(const SampleView& sample);
  base::Result<void> FinishHistogram();
  base::Result<void> CheckSum(const std::string& histogram) const;
  base::Result<void> FinishFamily();
  std::string_view BoundLabel() const;

  const Format format_;
  std::optional<Family> family_;
  std::optional<Group> group_;
  std::unordered_set<model::Labels> groups_;  // Of this family.
  std::unordered_set<std::string> names_;     // Of every family and sample so far.
};

}  // namespace exposition
