// Which series carry which labels. Each label pair is stored once, with the sorted ids of its
// series (its postings); a series is a short array of pointers to its pairs.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/model/labels.h"
#include "lib/model/matcher.h"

namespace storage {

using SeriesId = uint32_t;

// One label pair. Name and value never change, so readers use them without a lock as long as they
// hold a LabelSet; the postings belong to the LabelIndex.
struct LabelPair {
  std::shared_ptr<const std::string> name;
  std::string value;
  std::vector<SeriesId> postings;
  std::atomic<uint32_t> users{1};  // LabelSets, and the index.
};

// The labels of one series as references into the index, sorted by name. Keeps the pairs alive.
// Immutable, thread-safe.
class LabelSet {
 public:
  explicit LabelSet(std::span<LabelPair* const> pairs);
  ~LabelSet();
  LabelSet(LabelSet&& other) noexcept
      : pairs_(std::move(other.pairs_)), size_(std::exchange(other.size_, 0)) {}
  LabelSet(const LabelSet&) = delete;
  LabelSet& operator=(const LabelSet&) = delete;
  LabelSet& operator=(LabelSet&&) = delete;

  std::span<LabelPair* const> pairs() const { return {pairs_.get(), size_}; }
  bool Equals(const model::Labels& labels) const;
  // "" when absent.
  std::string_view Get(std::string_view name) const;
  model::Labels Build() const;
  size_t MemoryBytes() const { return sizeof(*this) + size_ * sizeof(LabelPair*); }

 private:
  std::unique_ptr<LabelPair*[]> pairs_;
  size_t size_ = 0;
};

// Thread-compatible.
class LabelIndex {
 public:
  LabelIndex() = default;
  ~LabelIndex();
  LabelIndex(const LabelIndex&) = delete;
  LabelIndex& operator=(const LabelIndex&) = delete;

  // The set for a new series, whose id joins the postings.
  LabelSet Add(SeriesId id, const model::Labels& labels);

  struct Member {
    SeriesId id = 0;
    const LabelSet* labels = nullptr;
  };
  // Many at once, because each touched posting list is rewritten once. Sorts `members`.
  void Remove(std::vector<Member> members);

  struct Selection {
    // Sorted ids of series that may match.
    std::vector<SeriesId> ids;
    // What the caller must still test on each of them.
    std::vector<const model::Matcher*> rest;
    // No matcher narrowed the search: every series, and `ids` is empty.
    bool all = false;
  };
  // The matchers must outlive the result.
  Selection Select(std::span<const model::Matcher> matchers) const;

  // Keys are views into the pair and into `text`.
  using Values = std::map<std::string_view, LabelPair*>;
  struct Name {
    std::shared_ptr<const std::string> text;
    Values values;
  };
  using Names = std::map<std::string_view, Name>;
  const Names& names() const { return names_; }

  size_t MemoryBytes() const;

 private:
  LabelPair* Intern(const model::Label& label);

  void Erase(LabelPair* pair);

  Names names_;
};

}  // namespace storage
