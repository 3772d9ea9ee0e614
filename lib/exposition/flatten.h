// From a family to its series. The only place that knows _bucket, _sum, _count, le and quantile:
// the writer and the agent's embedded exporters share it, so an exporter gives the same series in
// process as over HTTP.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lib/model/labels.h"
#include "lib/model/metric_family.h"

namespace exposition {

// How the values of le and quantile are spelled. Prometheus 3 stores the OpenMetrics form whatever
// it scraped, so that is the form for storage.
enum class BoundFormat {
  kGo,           // "1", "1e+06", "+Inf": what Go exporters write in text 0.0.4.
  kOpenMetrics,  // "1.0", "1e+06", "+Inf".
};

// All views are valid during the call that receives them.
struct FlatSample {
  std::string_view name;  // Suffix included.
  // In the order of the desc, then le or quantile. Valid UTF-8 without NUL; a value may be empty.
  std::span<const model::Label> labels;
  double value = 0;
  std::optional<int64_t> timestamp_ms = std::nullopt;
  const model::Exemplar* exemplar = nullptr;
};

class SampleSink {
 public:
  virtual ~SampleSink() = default;
  virtual void Add(const FlatSample& sample) = 0;
};

// Calls `sink` once a sample, in the order in which they are written. Label values pass through
// ReadableText.
void Flatten(const model::MetricFamily& family, BoundFormat bounds, SampleSink& sink);

// The value of le or quantile for `bound`.
void AppendBound(double bound, BoundFormat format, std::string* out);

// `text`, or a copy in `storage` with U+FFFD for bytes that no reader would accept (invalid UTF-8,
// NUL): one bad database name must not cost the page.
std::string_view ReadableText(std::string_view text, std::string* storage);

}  // namespace exposition
