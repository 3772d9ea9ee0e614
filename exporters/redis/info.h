// INFO's text: "# Section" headings and "name:value" lines, ended by CRLF. Everything is found by
// name; what is unknown stays available and harms nothing, whichever fork of Redis wrote it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace exporters::redis {

// Lines beyond are ignored.
inline constexpr size_t kMaxInfoFields = 100'000;
// Pairs of one value beyond are ignored.
inline constexpr size_t kMaxInfoPairs = 64;

struct InfoField {
  std::string_view section;  // "Server"; "" before the first heading.
  std::string_view name;
  std::string_view value;
};

// Immutable; owns the text its views point into.
class Info {
 public:
  Info() : Info(std::string()) {}
  explicit Info(std::string text);

  const std::vector<InfoField>& fields() const { return fields_; }
  // The value of the first field of that name.
  std::optional<std::string_view> Find(std::string_view name) const;
  // The same, or "" when there is none.
  std::string_view Get(std::string_view name) const { return Find(name).value_or(""); }

 private:
  void BuildIndex();
  // The slot of the field of that name, or the free one where it would be.
  size_t SlotOf(std::string_view name) const;

  std::unique_ptr<const std::string> text_;
  std::vector<InfoField> fields_;
  std::vector<uint32_t> slots_;  // A hash table of positions in fields_, counted from 1; 0 is free.
};

// "keys=1,expires=0,avg_ttl=0": pairs found by name, because each fork adds its own, and not always
// at the end.
class InfoPairs {
 public:
  // Views into `value`.
  explicit InfoPairs(std::string_view value);

  struct Pair {
    std::string_view name;
    std::string_view value;
  };
  const std::vector<Pair>& pairs() const { return pairs_; }
  std::optional<std::string_view> Find(std::string_view name) const;
  std::optional<double> Number(std::string_view name) const;

 private:
  std::vector<Pair> pairs_;
};

// A finite number, a percentage ("99.8%" is 99.8), or a word: ok, true, yes, up are 1; err, fail,
// false, no, down are 0.
std::optional<double> ParseInfoValue(std::string_view text);

// A name that starts with `prefix`, without it; nothing when that leaves nothing.
std::optional<std::string_view> AfterPrefix(std::string_view name, std::string_view prefix);

}  // namespace exporters::redis
