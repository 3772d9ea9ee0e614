#include "exporters/redis/info.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <utility>

#include "lib/base/strings.h"

namespace exporters::redis {
namespace {

// Takes the first line off `text`, without its line end.
std::string_view TakeLine(std::string_view* text) {
  const size_t end = text->find('\n');
  std::string_view line = text->substr(0, end);
  text->remove_prefix(end == std::string_view::npos ? text->size() : end + 1);
  if (!line.empty() && line.back() == '\r') {
    line.remove_suffix(1);
  }
  return line;
}

struct Word {
  std::string_view text;
  double value;
};

constexpr Word kWords[] = {{"ok", 1},   {"true", 1},  {"yes", 1}, {"up", 1},  {"err", 0},
                           {"fail", 0}, {"false", 0}, {"no", 0},  {"down", 0}};

}  // namespace

Info::Info(std::string text) : text_(std::make_unique<const std::string>(std::move(text))) {
  std::string_view rest = *text_;
  std::string_view section;
  while (!rest.empty() && fields_.size() < kMaxInfoFields) {
    const std::string_view line = TakeLine(&rest);
    if (line.substr(0, 1) == "#") {
      section = base::TrimSpace(line.substr(1));
      continue;
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) {
      continue;
    }
    fields_.push_back(
        {.section = section, .name = line.substr(0, colon), .value = line.substr(colon + 1)});
  }
  BuildIndex();
}

// At most half full, so that a probe is short. One allocation where a map would make hundreds.
void Info::BuildIndex() {
  slots_.resize(std::bit_ceil(2 * fields_.size() + 1));
  for (size_t i = 0; i < fields_.size(); ++i) {
    uint32_t& slot = slots_[SlotOf(fields_[i].name)];
    slot = slot == 0 ? static_cast<uint32_t>(i + 1) : slot;
  }
}

size_t Info::SlotOf(std::string_view name) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = std::hash<std::string_view>()(name) & mask;
  while (slots_[slot] != 0 && fields_[slots_[slot] - 1].name != name) {
    slot = (slot + 1) & mask;
  }
  return slot;
}

std::optional<std::string_view> Info::Find(std::string_view name) const {
  const uint32_t position = slots_[SlotOf(name)];
  return position == 0 ? std::nullopt : std::optional(fields_[position - 1].value);
}

InfoPairs::InfoPairs(std::string_view value) {
  while (!value.empty() && pairs_.size() < kMaxInfoPairs) {
    const std::string_view pair = value.substr(0, value.find(','));
    value.remove_prefix(std::min(value.size(), pair.size() + 1));
    if (const size_t equals = pair.find('='); equals != std::string_view::npos && equals > 0) {
      pairs_.push_back({.name = pair.substr(0, equals), .value = pair.substr(equals + 1)});
    }
  }
}

std::optional<std::string_view> InfoPairs::Find(std::string_view name) const {
  for (const Pair& pair : pairs_) {
    if (pair.name == name) {
      return pair.value;
    }
  }
  return std::nullopt;
}

std::optional<double> InfoPairs::Number(std::string_view name) const {
  const std::optional<std::string_view> text = Find(name);
  return text.has_value() ? ParseInfoValue(*text) : std::nullopt;
}

std::optional<double> ParseInfoValue(std::string_view text) {
  for (const Word& word : kWords) {
    if (text == word.text) {
      return word.value;
    }
  }
  if (!text.empty() && text.back() == '%') {
    text.remove_suffix(1);
  }
  const std::optional<double> number = base::ParseDouble(text);
  return number.has_value() && std::isfinite(*number) ? number : std::nullopt;
}

std::optional<std::string_view> AfterPrefix(std::string_view name, std::string_view prefix) {
  if (name.size() <= prefix.size() || name.substr(0, prefix.size()) != prefix) {
    return std::nullopt;
  }
  return name.substr(prefix.size());
}

}  // namespace exporters::redis
