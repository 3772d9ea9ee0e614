#include "lib/exposition/flatten.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "lib/base/strings.h"

namespace exposition {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// True only if every byte is ASCII and none is NUL; eight bytes at a time.
bool IsPlainAscii(std::string_view text) {
  constexpr uint64_t kHighBits = 0x8080808080808080ULL;
  constexpr uint64_t kOnes = 0x0101010101010101ULL;
  uint64_t suspicious = 0;
  while (text.size() >= sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, text.data(), sizeof(word));
    suspicious |= word | (word - kOnes);  // A zero byte borrows; others below 0x81 do not.
    text.remove_prefix(sizeof(word));
  }
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    suspicious |= static_cast<uint64_t>(byte) | static_cast<uint64_t>(byte - 1U);
  }
  return (suspicious & kHighBits) == 0;
}

size_t SequenceBytes(unsigned char first) {
  if (first < 0x80) {
    return 1;
  }
  return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

class Flattener {
 public:
  Flattener(const model::MetricFamily& family, BoundFormat bounds, SampleSink& sink)
      : family_(family), bounds_(bounds), sink_(sink) {}

  void Run() {
    switch (family_.desc->type) {
      case model::MetricType::kHistogram:
        return RunHistograms("_sum", "_count");
      case model::MetricType::kGaugeHistogram:
        return RunHistograms("_gsum", "_gcount");
      case model::MetricType::kSummary:
        return RunSummaries();
      default:
        return RunValues();
    }
  }

 private:
  void RunValues() {
    for (const model::Metric& metric : family_.metrics) {
      SetLabels(metric);
      Add(family_.desc->name, metric.value, metric,
          metric.exemplar.has_value() ? &*metric.exemplar : nullptr);
    }
  }

  void RunHistograms(std::string_view sum_suffix, std::string_view count_suffix) {
    const std::string bucket_name = Suffixed("_bucket");
    const std::string sum_name = Suffixed(sum_suffix);
    const std::string count_name = Suffixed(count_suffix);
    for (const model::Metric& metric : family_.metrics) {
      if (metric.histogram == nullptr) {
        continue;
      }
      SetLabels(metric);
      AddBuckets(bucket_name, metric);
      Add(sum_name, metric.histogram->sum, metric);
      Add(count_name, metric.histogram->count, metric);
    }
  }

  void AddBuckets(std::string_view name, const model::Metric& metric) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    bool has_infinity = false;
    for (const model::Histogram::Bucket& bucket : metric.histogram->buckets) {
      PushBound("le", bucket.upper_bound);
      Add(name, bucket.cumulative_count, metric,
          bucket.exemplar.has_value() ? &*bucket.exemplar : nullptr);
      PopBound();
      has_infinity = has_infinity || bucket.upper_bound == kInfinity;
    }
    if (!has_infinity) {
      PushBound("le", kInfinity);
      Add(name, metric.histogram->count, metric);
      PopBound();
    }
  }

  void RunSummaries() {
    const std::string sum_name = Suffixed("_sum");
    const std::string count_name = Suffixed("_count");
    for (const model::Metric& metric : family_.metrics) {
      if (metric.summary == nullptr) {
        continue;
      }
      SetLabels(metric);
      for (const model::Summary::Quantile& quantile : metric.summary->quantiles) {
        PushBound("quantile", quantile.quantile);
        Add(family_.desc->name, quantile.value, metric);
        PopBound();
      }
      Add(sum_name, metric.summary->sum, metric);
      Add(count_name, metric.summary->count, metric);
    }
  }

  std::string Suffixed(std::string_view suffix) const {
    std::string name(family_.desc->name);
    name += suffix;
    return name;
  }

  void SetLabels(const model::Metric& metric) {
    const model::LabelNames& names = family_.desc->labels;
    label_count_ = 0;
    for (const std::string_view value : metric.labels) {
      labels_[label_count_] = {names[label_count_], Readable(value)};
      ++label_count_;
    }
  }

  std::string_view Readable(std::string_view value) {
    if (IsPlainAscii(value)) {
      return value;
    }
    repaired_.resize(model::LabelNames::kMax);  // Once: the views into it must stay.
    return ReadableText(value, &repaired_[label_count_]);
  }

  void PushBound(std::string_view label, double bound) {
    bound_.clear();
    AppendBound(bound, bounds_, &bound_);
    labels_[label_count_++] = {label, bound_};
  }
  void PopBound() { --label_count_; }

  void Add(std::string_view name, double value, const model::Metric& metric,
           const model::Exemplar* exemplar = nullptr) {
    sink_.Add({.name = name,
               .labels = std::span(labels_.data(), label_count_),
               .value = value,
               .timestamp_ms = metric.timestamp_ms,
               .exemplar = exemplar});
  }

  const model::MetricFamily& family_;
  const BoundFormat bounds_;
  SampleSink& sink_;
  std::array<model::Label, model::LabelNames::kMax + 1> labels_;  // One more for le or quantile.
  size_t label_count_ = 0;
  std::vector<std::string> repaired_;
  std::string bound_;
};

}  // namespace

void Flatten(const model::MetricFamily& family, BoundFormat bounds, SampleSink& sink) {
  Flattener(family, bounds, sink).Run();
}

void AppendBound(double bound, BoundFormat format, std::string* out) {
  if (!std::isfinite(bound)) {
    base::AppendDouble(bound, out);
    return;
  }
  // Go's strconv, format 'g', shortest digits: an exponent below 1e-4 and already from 1e6 on.
  const double magnitude = std::fabs(bound);
  const bool exponent = magnitude != 0 && (magnitude < 1e-4 || magnitude >= 1e6);
  char buffer[32];
  const char* const end =
      std::to_chars(buffer, buffer + sizeof(buffer), bound,
                    exponent ? std::chars_format::scientific : std::chars_format::fixed)
          .ptr;
  const std::string_view text(buffer, static_cast<size_t>(end - buffer));
  *out += text;
  if (format == BoundFormat::kOpenMetrics && text.find_first_of(".e") == std::string_view::npos) {
    *out += ".0";
  }
}

std::string_view ReadableText(std::string_view text, std::string* storage) {
  if (IsPlainAscii(text) ||
      (text.find('\0') == std::string_view::npos && base::IsValidUtf8(text))) {
    return text;
  }
  storage->clear();
  while (!text.empty()) {
    const std::string_view character =
        text.substr(0, SequenceBytes(static_cast<unsigned char>(text.front())));
    if (text.front() != '\0' && base::IsValidUtf8(character)) {
      *storage += character;
      text.remove_prefix(character.size());
    } else {
      *storage += kReplacement;
      text.remove_prefix(1);
    }
  }
  return *storage;
}

}  // namespace exposition
