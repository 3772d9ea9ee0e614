// Where samples come from: an HTTP endpoint, or an exporter in this process.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "lib/base/result.h"
#include "lib/model/labels.h"
#include "lib/model/metric_family.h"

namespace scrape {

// One sample of a page. All views are valid during the call that receives them.
struct PageSample {
  // Names the series within this source: equal bytes mean equal labels.
  std::string_view series;
  double value = 0;
  std::optional<int64_t> timestamp_ms;
};

// One line of metadata of a page; what it does not say is none.
struct PageMetadata {
  std::string_view metric;
  std::optional<model::MetricType> type = std::nullopt;
  std::optional<std::string_view> help = std::nullopt;
  std::optional<std::string_view> unit = std::nullopt;
};

// The labels of the sample at hand, built only for those who need them.
class LabelSource {
 public:
  virtual ~LabelSource() = default;
  virtual void BuildLabels(model::LabelsBuilder* builder) const = 0;
};

class SampleVisitor {
 public:
  virtual ~SampleVisitor() = default;
  // PageSample::series of what probably comes next, which spares reading it; may be empty.
  virtual std::string_view Expected() const = 0;
  // Whether Describe is to be called at all for this page.
  virtual bool WantsMetadata() const { return false; }
  virtual void Describe(const PageMetadata& /*metadata*/) {}
  // An error ends the page.
  virtual base::Result<void> Visit(const PageSample& sample, const LabelSource& labels) = 0;
};

// What one request brought.
class Page {
 public:
  virtual ~Page() = default;
  // Visits the samples in order. Errors: of the page's syntax, or the visitor's.
  virtual base::Result<void> Read(SampleVisitor& visitor) const = 0;
  virtual size_t bytes() const = 0;  // Uncompressed; 0 when nothing was sent.
};

// Thread-compatible.
class Source {
 public:
  virtual ~Source() = default;
  // Does the I/O, within `timeout`.
  virtual base::Result<std::unique_ptr<Page>> Fetch(std::chrono::milliseconds timeout) = 0;
};

}  // namespace scrape
