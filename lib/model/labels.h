// The identity of a series: sorted name="value" pairs, the metric name among them as __name__.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace model {

inline constexpr std::string_view kMetricNameLabel = "__name__";

struct Label {
  std::string_view name;
  std::string_view value;
  bool operator==(const Label&) const = default;
};

// Immutable. Names are unique and in byte order, no value is empty (an empty label is an absent
// one). One contiguous buffer: per label two 4-byte native lengths, the name, the value; so
// equality is memcmp.
class Labels {
 public:
  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = Label;
    using difference_type = std::ptrdiff_t;
    using pointer = const Label*;
    using reference = Label;

    Iterator() = default;
    explicit Iterator(const char* at) : at_(at) {}
    Label operator*() const;
    Iterator& operator++();
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const Iterator&) const = default;

   private:
    const char* at_ = nullptr;
  };

  Labels() = default;
  // Sorts; of a repeated name the last wins.
  Labels(std::initializer_list<std::pair<std::string_view, std::string_view>> labels);

  Iterator begin() const { return Iterator(encoded_.data()); }
  Iterator end() const { return Iterator(encoded_.data() + encoded_.size()); }
  bool empty() const { return encoded_.empty(); }
  size_t size() const;  // Counts; O(n).

  // The value, or "" when absent, which to every matcher is the same. The view points into this
  // object.
  std::string_view Get(std::string_view name) const;
  bool Has(std::string_view name) const { return !Get(name).empty(); }
  std::string_view MetricName() const { return Get(kMetricNameLabel); }

  // Stable within one process only.
  uint64_t Hash() const { return hash_; }
  // FNV-1a 64 over name 0xff value 0xff …, as Prometheus' client model defines fingerprints. Stable
  // for ever.
  uint64_t Fingerprint() const;

  // `name{a="b", c="d"}` with escapes, as PromQL prints it; "{}" when empty.
  std::string ToString() const;

  size_t MemoryBytes() const { return sizeof(*this) + encoded_.capacity(); }

  bool operator==(const Labels& other) const {
    return hash_ == other.hash_ && encoded_ == other.encoded_;
  }
  // Prometheus' order: label by label, name before value, a prefix first.
  std::strong_ordering operator<=>(const Labels& other) const;

 private:
  friend class LabelsBuilder;

  std::string encoded_;
  uint64_t hash_ = 0;
};

// The only mutable form. Thread-compatible.
class LabelsBuilder {
 public:
  LabelsBuilder() = default;
  explicit LabelsBuilder(const Labels& base);

  // An empty value removes the label.
  void Set(std::string_view name, std::string_view value);
  void Remove(std::string_view name);
  std::string_view Get(std::string_view name) const;
  void Clear() { labels_.clear(); }

  // In no order; views are valid until the next change.
  const std::vector<std::pair<std::string, std::string>>& labels() const { return labels_; }

  Labels Build() const;

 private:
  std::vector<std::pair<std::string, std::string>> labels_;
};

// [a-zA-Z_][a-zA-Z0-9_]*, the names every version accepts.
bool IsLegacyLabelName(std::string_view name);
// [a-zA-Z_:][a-zA-Z0-9_:]*
bool IsLegacyMetricName(std::string_view name);

}  // namespace model

template <>
struct std::hash<model::Labels> {
  size_t operator()(const model::Labels& labels) const noexcept { return labels.Hash(); }
};
