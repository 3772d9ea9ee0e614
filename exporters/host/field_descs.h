// Descs for the fields of a file whose names come from the kernel (node_vmstat_*, node_netstat_*).
// The kernel writes the same names in the same order each time, so the desc of the i-th name is
// found by comparing one string; only a name that is new there is matched against the filter.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "lib/model/metric_family.h"

namespace exporters::host {

// Thread-compatible.
class FieldDescs {
 public:
  // What `make` returned for the last new `name` at this position; nullptr is "not wanted".
  // Positions grow by one.
  template <typename MakeFunc>
  const model::DescPtr& Get(size_t position, std::string_view name, MakeFunc make) {
    if (position >= fields_.size()) {
      fields_.resize(position + 1);
    }
    Field& field = fields_[position];
    if (field.name != name || name.empty()) {
      field.name = name;
      field.desc = make();
    }
    return field.desc;
  }

 private:
  struct Field {
    std::string name;
    model::DescPtr desc;
  };
  std::vector<Field> fields_;
};

}  // namespace exporters::host
