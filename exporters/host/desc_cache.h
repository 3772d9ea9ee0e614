// Descs of families whose names come from the kernel (node_memory_*, node_vmstat_*, …), made once.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "lib/model/metric_family.h"

namespace exporters::host {

// Thread-compatible.
class DescCache {
 public:
  // `make` is called when `key` is new.
  template <typename MakeFunc>
  const model::DescPtr& Get(std::string_view key, MakeFunc make) {
    const auto found = descs_.find(key);
    if (found != descs_.end()) {
      return found->second;
    }
    return descs_.emplace(std::string(key), model::DynamicDesc::Make(make())).first->second;
  }

 private:
  std::map<std::string, model::DescPtr, std::less<>> descs_;
};

}  // namespace exporters::host
