#include "exporters/toolkit/scrape.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace exporters {
namespace {

// Most families have a few metrics, for which comparing all pairs is faster than a set.
constexpr size_t kFewMetrics = 12;

bool FewAndDistinct(const std::vector<model::Metric>& metrics) {
  if (metrics.size() > kFewMetrics) {
    return false;
  }
  for (size_t i = 1; i < metrics.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (metrics[i].labels == metrics[j].labels) {
        return false;
      }
    }
  }
  return true;
}

size_t DropDuplicates(std::vector<model::Metric>* metrics) {
  if (FewAndDistinct(*metrics)) {
    return 0;
  }
  std::unordered_set<std::string_view> seen;
  seen.reserve(metrics->size());
  std::vector<bool> repeated(metrics->size());
  size_t count = 0;
  for (size_t i = 0; i < metrics->size(); ++i) {
    if (!seen.insert((*metrics)[i].labels.encoded()).second) {
      repeated[i] = true;
      ++count;
    }
  }
  if (count > 0) {
    size_t i = 0;
    std::erase_if(*metrics, [&](const model::Metric&) { return repeated[i++]; });
  }
  return count;
}

}  // namespace

model::MetricFamily& Scrape::Family(const model::MetricDesc& desc) {
  const auto [at, added] = index_.try_emplace(&desc, families_.size());
  if (added) {
    families_.push_back({.desc = &desc});
  }
  return families_[at->second];
}

void Scrape::Emit(const model::MetricDesc& desc, double value, model::LabelValues labels) {
  Family(desc).Add(value, std::move(labels));
}

void Scrape::Emit(const model::DescPtr& desc, double value, model::LabelValues labels) {
  model::MetricFamily& family = Family(desc->desc());
  family.owner = desc;
  family.Add(value, std::move(labels));
}

void Scrape::Emit(const model::MetricDesc& desc, model::Metric metric) {
  Family(desc).metrics.push_back(std::move(metric));
}

void Scrape::Emit(model::MetricFamily family) {
  model::MetricFamily& into = Family(*family.desc);
  into.owner = std::move(family.owner);
  std::move(family.metrics.begin(), family.metrics.end(), std::back_inserter(into.metrics));
}

bool Scrape::Contains(std::string_view name) const {
  return std::any_of(families_.begin(), families_.end(), [name](const model::MetricFamily& family) {
    return family.desc->name == name;
  });
}

std::vector<model::MetricFamily> Scrape::TakeFamilies(size_t* duplicates) {
  std::vector<model::MetricFamily> families = std::exchange(families_, {});
  index_.clear();
  // Families are large to move: their places are sorted, and each is moved once.
  std::vector<size_t> order(families.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&families](size_t a, size_t b) {
    return families[a].desc->name < families[b].desc->name;
  });
  std::vector<model::MetricFamily> merged;
  merged.reserve(families.size());
  for (const size_t i : order) {
    model::MetricFamily& family = families[i];
    // Two descs of one name can be merged only when their labels mean the same.
    if (!merged.empty() && merged.back().desc->name == family.desc->name &&
        std::equal(merged.back().desc->labels.begin(), merged.back().desc->labels.end(),
                   family.desc->labels.begin(), family.desc->labels.end())) {
      std::move(family.metrics.begin(), family.metrics.end(),
                std::back_inserter(merged.back().metrics));
    } else if (!family.metrics.empty()) {
      merged.push_back(std::move(family));
    }
  }
  size_t dropped = 0;
  for (model::MetricFamily& family : merged) {
    dropped += DropDuplicates(&family.metrics);
  }
  if (duplicates != nullptr) {
    *duplicates = dropped;
  }
  return merged;
}

}  // namespace exporters
