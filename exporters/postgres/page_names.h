// What a page's families are called: the names that earlier versions of postgres_exporter had for
// them beside the current ones, a prefix of the user's choice, labels on everything.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporters/postgres/options.h"
#include "lib/model/metric_family.h"

namespace exporters::postgres {

struct OldName {
  std::string_view now;
  std::string_view before;
};
// Sorted by `now`.
std::span<const OldName> OldNames();

// Thread-compatible; keeps the descs it made.
class PageNames {
 public:
  // `options` must outlive this.
  explicit PageNames(const PostgresOptions& options) : options_(options) {}

  // Families stay sorted by name.
  void Apply(std::vector<model::MetricFamily>* families);

 private:
  void AddOldNames(std::vector<model::MetricFamily>* families);
  void Rename(model::MetricFamily* family);
  model::DescPtr Renamed(const model::MetricDesc& desc, std::string name,
                         std::span<const std::pair<std::string, std::string>> labels);

  const PostgresOptions& options_;
  std::map<std::string, model::DescPtr, std::less<>>
      descs_;  // By new name, and whether labels were added.
};

}  // namespace exporters::postgres
