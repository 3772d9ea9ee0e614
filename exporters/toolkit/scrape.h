// Receives what the collectors of one scrape emit.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/base/clock.h"
#include "lib/model/metric_family.h"

namespace exporters {

// Thread-compatible. Families are told apart by the address of their desc.
class Scrape {
 public:
  explicit Scrape(base::MonotonicTime deadline) : deadline_(deadline) {}

  base::MonotonicTime deadline() const { return deadline_; }

  // One value; `labels` in the order of desc.labels. A static desc must outlive the families.
  void Emit(const model::MetricDesc& desc, double value, model::LabelValues labels = {});
  void Emit(const model::DescPtr& desc, double value, model::LabelValues labels = {});
  // For histograms, summaries, time stamps.
  void Emit(const model::MetricDesc& desc, model::Metric metric);
  // A whole family, as a background collector keeps it.
  void Emit(model::MetricFamily family);

  // Whether a family of that name has been emitted.
  bool Contains(std::string_view name) const;

  // Merges families of one name, drops series that were emitted before (the first wins), sorts by
  // name and leaves the Scrape empty. `duplicates`, when given, is how many series were dropped.
  std::vector<model::MetricFamily> TakeFamilies(size_t* duplicates = nullptr);

 private:
  model::MetricFamily& Family(const model::MetricDesc& desc);

  base::MonotonicTime deadline_;
  std::vector<model::MetricFamily> families_;
  std::unordered_map<const model::MetricDesc*, size_t> index_;
};

}  // namespace exporters
