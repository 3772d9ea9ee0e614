// The rules are those of Prometheus' page on exposition formats and of the OpenMetrics 1.0
// specification.
#include "lib/exposition/strict.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include "lib/exposition/number.h"
#include "lib/exposition/writer.h"

namespace exposition {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using model::MetricType;

constexpr std::string_view kPlain[] = {""};
constexpr std::string_view kCounterSuffixes[] = {"_total", "_created"};
constexpr std::string_view kHistogramSuffixes[] = {"_bucket", "_sum", "_count"};
constexpr std::string_view kOpenHistogramSuffixes[] = {"_bucket", "_sum", "_count", "_created"};
constexpr std::string_view kGaugeHistogramSuffixes[] = {"_bucket", "_gsum", "_gcount"};
constexpr std::string_view kSummarySuffixes[] = {"", "_sum", "_count"};
constexpr std::string_view kOpenSummarySuffixes[] = {"", "_sum", "_count", "_created"};
constexpr std::string_view kInfoSuffixes[] = {"_info"};

// What follows the family's name in the names of its samples.
std::span<const std::string_view> SuffixesOf(MetricType type, Format format) {
  const bool open = format == Format::kOpenMetrics;
  switch (type) {
    case MetricType::kCounter:
      return open ? std::span<const std::string_view>(kCounterSuffixes) : kPlain;
    case MetricType::kHistogram:
      return open ? std::span<const std::string_view>(kOpenHistogramSuffixes) : kHistogramSuffixes;
    case MetricType::kGaugeHistogram:
      return kGaugeHistogramSuffixes;
    case MetricType::kSummary:
      return open ? std::span<const std::string_view>(kOpenSummarySuffixes) : kSummarySuffixes;
    case MetricType::kInfo:
      return kInfoSuffixes;
    default:
      return kPlain;
  }
}

Error Broken(std::string message) { return Error(std::move(message), ErrorKind::kInvalidArgument); }

std::optional<std::string_view> SuffixOf(std::string_view name, std::string_view family,
                                         std::span<const std::string_view> suffixes) {
  if (!name.starts_with(family)) {
    return std::nullopt;
  }
  const auto found = std::find(suffixes.begin(), suffixes.end(), name.substr(family.size()));
  return found == suffixes.end() ? std::nullopt : std::optional(*found);
}

bool IsCount(double value) { return !std::isnan(value) && value >= 0; }

bool IsCountSuffix(std::string_view suffix) { return suffix == "_count" || suffix == "_gcount"; }

bool IsSumSuffix(std::string_view suffix) { return suffix == "_sum" || suffix == "_gsum"; }

bool IsHistogram(MetricType type) {
  return type == MetricType::kHistogram || type == MetricType::kGaugeHistogram;
}

size_t CountChars(std::string_view utf8) {
  return static_cast<size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;  // Not a continuation byte.
  }));
}

}  // namespace

Result<void> StrictChecker::Check(Entry entry, const Parser& parser) {
  switch (entry) {
    case Entry::kEnd:
      return FinishFamily();
    case Entry::kComment:
      return {};
    case Entry::kSeries:
      return CheckSample(parser);
    default:
      return CheckMetadata(entry, parser);
  }
}

Result<void> StrictChecker::CheckMetadata(Entry entry, const Parser& parser) {
  if (!family_.has_value() || family_->name != parser.name()) {
    RETURN_IF_ERROR(OpenFamily(parser.name()));
  }
  if (family_->has_samples) {
    return Broken("HELP, TYPE or UNIT of " + family_->name + " after its first sample");
  }
  bool& seen = entry == Entry::kType   ? family_->has_type
               : entry == Entry::kHelp ? family_->has_help
                                       : family_->has_unit;
  if (std::exchange(seen, true)) {
    return Broken("a second HELP, TYPE or UNIT of " + family_->name);
  }
  if (entry == Entry::kType) {
    family_->type = parser.type();
    RETURN_IF_ERROR(ClaimNames());
  }
  return CheckUnit(parser);
}

Result<void> StrictChecker::CheckUnit(const Parser& parser) const {
  const bool unitless =
      family_->type == MetricType::kInfo || family_->type == MetricType::kStateSet;
  if (family_->has_unit && unitless && !parser.unit().empty()) {
    return Broken("info and stateset have no unit: " + family_->name);
  }
  return {};
}

Result<void> StrictChecker::OpenFamily(std::string_view name) {
  RETURN_IF_ERROR(FinishFamily());
  family_ = Family{.name = std::string(name)};
  if (!names_.insert(family_->name).second) {
    return Broken(family_->name + " was seen before: a family is one block, its names its own");
  }
  return {};
}

Result<void> StrictChecker::ClaimNames() {
  for (const std::string_view suffix : SuffixesOf(family_->type, format_)) {
    std::string name = family_->name + std::string(suffix);
    if (!suffix.empty() && !names_.insert(name).second) {
      return Broken(name + " of " + family_->name + " is the name of another family");
    }
  }
  return {};
}

Result<void> StrictChecker::CheckSample(const Parser& parser) {
  if (format_ == Format::kOpenMetrics && parser.series().ends_with(",}")) {
    return Broken("a comma after the last label");
  }
  model::LabelsBuilder builder;
  parser.BuildLabels(&builder);
  SampleView sample{
      .labels = builder.Build(), .value = parser.value(), .timestamp_ms = parser.timestamp_ms()};
  const std::string_view name = sample.labels.MetricName();
  std::optional<std::string_view> suffix;
  if (family_.has_value()) {
    suffix = SuffixOf(name, family_->name, SuffixesOf(family_->type, format_));
  }
  if (!suffix.has_value()) {
    RETURN_IF_ERROR(OpenFamily(name));
    suffix = "";
  }
  family_->has_samples = true;
  sample.suffix = *suffix;
  sample.bound = sample.labels.Get(BoundLabel());
  RETURN_IF_ERROR(EnterGroup(sample));
  if (!group_->series.insert(sample.labels).second) {
    return Broken("the series " + sample.labels.ToString() + " is there twice");
  }
  RETURN_IF_ERROR(CheckExemplar(parser, sample));
  return CheckValue(sample);
}

std::string_view StrictChecker::BoundLabel() const {
  switch (family_->type) {
    case MetricType::kHistogram:
    case MetricType::kGaugeHistogram:
      return "le";
    case MetricType::kSummary:
      return "quantile";
    case MetricType::kStateSet:
      return family_->name;
    default:
      return {};
  }
}

Result<void> StrictChecker::EnterGroup(const SampleView& sample) {
  model::LabelsBuilder builder(sample.labels);
  builder.Remove(model::kMetricNameLabel);
  builder.Remove(BoundLabel());
  model::Labels key = builder.Build();
  if (group_.has_value() && group_->key == key) {
    return AdvanceGroup(sample);
  }
  RETURN_IF_ERROR(FinishHistogram());
  if (!groups_.insert(key).second) {
    return Broken("the samples of " + family_->name + key.ToString() + " are apart or twice there");
  }
  group_ = Group{.key = std::move(key), .timestamp_ms = sample.timestamp_ms};
  return {};
}

// OpenMetrics allows a metric more than once, at rising times.
Result<void> StrictChecker::AdvanceGroup(const SampleView& sample) {
  if (sample.timestamp_ms == group_->timestamp_ms || format_ == Format::kText) {
    return {};
  }
  if (sample.timestamp_ms.has_value() != group_->timestamp_ms.has_value()) {
    return Broken("some samples of " + family_->name + " have a time stamp and some have none");
  }
  if (*sample.timestamp_ms < *group_->timestamp_ms) {
    return Broken("the time stamps of " + family_->name + " go back");
  }
  RETURN_IF_ERROR(FinishHistogram());
  group_ = Group{.key = group_->key, .timestamp_ms = sample.timestamp_ms};
  return {};
}

Result<void> StrictChecker::CheckExemplar(const Parser& parser, const SampleView& sample) const {
  if (!parser.exemplar().has_value()) {
    return {};
  }
  if (sample.suffix != "_total" && sample.suffix != "_bucket") {
    return Broken("only counters and buckets have exemplars, not " + family_->name);
  }
  size_t chars = 0;
  for (const auto& [name, value] : parser.exemplar()->labels) {
    chars += CountChars(name) + CountChars(value);
  }
  if (chars > kMaxExemplarLabelChars) {
    return Broken("the labels of an exemplar are " + std::to_string(chars) +
                  " characters long, at most " + std::to_string(kMaxExemplarLabelChars) +
                  " are allowed");
  }
  return {};
}

Result<void> StrictChecker::CheckValue(const SampleView& sample) {
  const auto check = [&sample](bool right, const char* rule) -> Result<void> {
    if (!right) {
      return Broken(std::string(rule) + ": " + sample.labels.ToString());
    }
    return {};
  };
  const double value = sample.value;
  switch (family_->type) {
    case MetricType::kCounter:
      return check(IsCount(value), "a counter is a number from 0 up");
    case MetricType::kInfo:
      return check(value == 1, "an info sample is 1");
    case MetricType::kStateSet:
      RETURN_IF_ERROR(check(!sample.bound.empty(), "a state has a label with its family's name"));
      return check(value == 0 || value == 1, "a state is 0 or 1");
    case MetricType::kSummary:
      return CheckSummary(sample);
    case MetricType::kHistogram:
    case MetricType::kGaugeHistogram:
      return CheckHistogram(sample);
    default:
      return {};
  }
}

Result<void> StrictChecker::CheckSummary(const SampleView& sample) const {
  if (sample.suffix.empty()) {
    const std::optional<double> quantile = ParseValue(sample.bound);
    if (!quantile.has_value() || !(*quantile >= 0 && *quantile <= 1)) {
      return Broken("a quantile is a number from 0 to 1: " + sample.labels.ToString());
    }
  } else if (!sample.bound.empty()) {
    return Broken("only the quantiles have the label quantile: " + sample.labels.ToString());
  } else if (sample.suffix == "_count" && !IsCount(sample.value)) {
    return Broken("a count is a number from 0 up: " + sample.labels.ToString());
  }
  return {};
}

Result<void> StrictChecker::CheckHistogram(const SampleView& sample) {
  if (sample.suffix == "_bucket") {
    return CheckBucket(sample);
  }
  if (!sample.bound.empty()) {
    return Broken("only buckets have the label le: " + sample.labels.ToString());
  }
  if (IsCountSuffix(sample.suffix)) {
    if (!IsCount(sample.value)) {
      return Broken("a count is a number from 0 up: " + sample.labels.ToString());
    }
    group_->count = sample.value;
  }
  if (IsSumSuffix(sample.suffix)) {
    group_->sum = sample.value;
  }
  return {};
}

Result<void> StrictChecker::CheckBucket(const SampleView& sample) {
  const std::optional<double> bound = ParseValue(sample.bound);
  if (!bound.has_value() || std::isnan(*bound)) {
    return Broken("the le of a bucket is a number: " + sample.labels.ToString());
  }
  if (group_->last_bound.has_value() && *bound <= *group_->last_bound) {
    return Broken("buckets stand in the order of their le: " + sample.labels.ToString());
  }
  if (!IsCount(sample.value) || sample.value < group_->last_bucket) {
    return Broken("a bucket counts what the one before it counts: " + sample.labels.ToString());
  }
  group_->has_negative_bounds = group_->has_negative_bounds || *bound < 0;
  group_->last_bound = bound;
  group_->last_bucket = sample.value;
  return {};
}

// At the end of one histogram: its buckets reach +Inf and agree with its count.
Result<void> StrictChecker::FinishHistogram() {
  if (!group_.has_value() || !IsHistogram(family_->type)) {
    return {};
  }
  const std::string name = family_->name + group_->key.ToString();
  if (group_->last_bound != std::numeric_limits<double>::infinity()) {
    return Broken("the histogram " + name + " has no bucket with le=\"+Inf\"");
  }
  if (group_->count.has_value() && *group_->count != group_->last_bucket) {
    return Broken("the count of " + name + " is not that of its bucket with le=\"+Inf\"");
  }
  return format_ == Format::kOpenMetrics ? CheckSum(name) : Result<void>();
}

// OpenMetrics: a sum comes with a count, and what it says fits the bounds. Observations below 0
// make the sum of a histogram no counter, so there it must be left out.
Result<void> StrictChecker::CheckSum(const std::string& histogram) const {
  if (group_->sum.has_value() != group_->count.has_value()) {
    return Broken("the histogram " + histogram + " has only one of sum and count");
  }
  const double sum = group_->sum.value_or(0);
  if (sum < 0 && !group_->has_negative_bounds) {
    return Broken("the sum of " + histogram + " is negative, its bounds are not");
  }
  if (group_->sum.has_value() && group_->has_negative_bounds &&
      family_->type == MetricType::kHistogram) {
    return Broken("the histogram " + histogram + " has negative bounds and a sum");
  }
  return {};
}

Result<void> StrictChecker::FinishFamily() {
  RETURN_IF_ERROR(FinishHistogram());
  group_.reset();
  groups_.clear();
  return {};
}

}  // namespace exposition
