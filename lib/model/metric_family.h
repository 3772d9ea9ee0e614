// What exporters produce: families of metrics, described once and filled with values.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace model {

enum class MetricType {
  kCounter,
  kGauge,
  kHistogram,
  kSummary,
  kUntyped,  // "unknown" in OpenMetrics.
  kInfo,
  kStateSet,
  kGaugeHistogram,
};

// The word of the text format 0.0.4 ("untyped"; info, stateset → "gauge"; gaugehistogram →
// "histogram").
std::string_view TextTypeName(MetricType type);
// The word of OpenMetrics ("unknown", "info", …).
std::string_view OpenMetricsTypeName(MetricType type);

// Label names of a family, fixed at compile time.
class LabelNames {
 public:
  static constexpr size_t kMax = 20;  // node_dmi_info has 19.

  constexpr LabelNames() = default;
  constexpr LabelNames(
      std::initializer_list<std::string_view> names) {  // NOLINT(google-explicit-constructor)
    for (const std::string_view name : names) {
      Add(name);
    }
  }

  // The view must outlive this object.
  constexpr void Add(std::string_view name) {
    assert(count_ < kMax);
    names_[count_++] = name;
  }

  constexpr size_t size() const { return count_; }
  constexpr const std::string_view* begin() const { return names_.data(); }
  constexpr const std::string_view* end() const { return names_.data() + count_; }
  constexpr std::string_view operator[](size_t i) const { return names_[i]; }

 private:
  std::array<std::string_view, kMax> names_{};
  size_t count_ = 0;
};

// Usually constexpr, at the top of the file that fills it. `name` is the name as it is exposed, a
// counter's _total included. HELP is a sentence.
struct MetricDesc {
  std::string_view name;
  std::string_view help;
  MetricType type = MetricType::kGauge;
  LabelNames labels;
  std::string_view unit = {};  // OpenMetrics UNIT; must be the suffix of the name.
};

// Label values of one metric, in the order of the desc's names; one buffer.
class LabelValues {
 public:
  LabelValues() = default;
  LabelValues(
      std::initializer_list<std::string_view> values);  // NOLINT(google-explicit-constructor)
  explicit LabelValues(std::span<const std::string> values);

  void Add(std::string_view value);

  class Iterator {
   public:
    explicit Iterator(const char* at) : at_(at) {}
    std::string_view operator*() const;
    Iterator& operator++();
    bool operator==(const Iterator&) const = default;

   private:
    const char* at_;
  };
  Iterator begin() const { return Iterator(encoded_.data()); }
  Iterator end() const { return Iterator(encoded_.data() + encoded_.size()); }
  size_t size() const;

  bool operator==(const LabelValues&) const = default;
  // For sets of seen label values: equal iff the values are.
  const std::string& encoded() const { return encoded_; }

 private:
  std::string encoded_;  // Per value a 4-byte native length, then its bytes.
};

struct Exemplar {
  std::vector<std::pair<std::string, std::string>> labels;
  double value = 0;
  std::optional<int64_t> timestamp_ms;
};

struct Histogram {
  struct Bucket {
    double upper_bound = 0;
    double cumulative_count = 0;
    std::optional<Exemplar> exemplar = std::nullopt;
  };
  std::vector<Bucket>
      buckets;  // By upper bound; the +Inf bucket may be left out, `count` stands for it.
  double count = 0;
  double sum = 0;
};

struct Summary {
  struct Quantile {
    double quantile = 0;  // 0 to 1.
    double value = 0;
  };
  std::vector<Quantile> quantiles;
  double count = 0;
  double sum = 0;
};

struct Metric {
  LabelValues labels;
  double value = 0;  // Unless the family is a histogram or summary.
  std::unique_ptr<Histogram> histogram = nullptr;
  std::unique_ptr<Summary> summary = nullptr;
  std::optional<int64_t> timestamp_ms = std::nullopt;
  std::optional<Exemplar> exemplar = std::nullopt;  // Counters only.
};

struct MetricFamily {
  const MetricDesc* desc = nullptr;  // Static, or kept by `owner`.
  std::shared_ptr<const void> owner = nullptr;
  std::vector<Metric> metrics;

  void Add(double value, LabelValues labels = {}) {
    assert(labels.size() == desc->labels.size());
    metrics.push_back({.labels = std::move(labels), .value = value});
  }
};

// A desc whose texts are known only at run time (pg_settings_*, node_memory_*). Build once, share
// for ever.
class DynamicDesc {
 public:
  struct Spec {
    std::string name;
    std::string help;
    MetricType type = MetricType::kGauge;
    std::vector<std::string> labels = {};
    std::string unit = {};
  };
  static std::shared_ptr<const DynamicDesc> Make(Spec spec);

  const MetricDesc& desc() const { return desc_; }

 private:
  explicit DynamicDesc(Spec spec);

  const Spec spec_;
  MetricDesc desc_;
};

using DescPtr = std::shared_ptr<const DynamicDesc>;

}  // namespace model
