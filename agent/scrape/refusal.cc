#include "agent/scrape/refusal.h"

#include <algorithm>

namespace scrape {

void Refusal::Add(const model::Labels& labels) {
  if (count_++ >= kExaminedSeries) {
    return;
  }
  for (const model::Label label : labels) {
    auto found = values_.find(label.name);
    if (found == values_.end()) {
      found = values_.try_emplace(std::string(label.name)).first;
    }
    found->second.emplace(label.value);
  }
}

std::string Refusal::Label() const {
  const auto most = std::max_element(
      values_.begin(), values_.end(),
      [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
  return most == values_.end() ? "" : most->first;
}

}  // namespace scrape
