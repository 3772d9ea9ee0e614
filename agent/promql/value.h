// What PromQL expressions evaluate to.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "lib/model/labels.h"
#include "lib/model/native_histogram.h"
#include "lib/model/sample.h"

namespace promql {

struct Scalar {
  int64_t timestamp_ms = 0;
  double value = 0;
};

struct String {
  int64_t timestamp_ms = 0;
  std::string value;
};

using HistogramPtr = std::shared_ptr<const model::NativeHistogram>;

struct VectorElement {
  model::Labels labels;
  int64_t timestamp_ms = 0;
  double value = 0;
  HistogramPtr histogram = nullptr;  // Where it is set, `value` means nothing.
};
using Vector = std::vector<VectorElement>;

struct MatrixSeries {
  model::Labels labels;
  std::vector<model::Sample> samples;
  std::vector<model::HistogramSample> histograms = {};  // At other times than the samples.
};
using Matrix = std::vector<MatrixSeries>;

using Value = std::variant<Scalar, String, Vector, Matrix>;

struct QueryResult {
  Value value;
  std::vector<std::string> warnings;
  std::vector<std::string> infos;
};

}  // namespace promql
