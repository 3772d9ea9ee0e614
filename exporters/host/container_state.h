// What the containers collector remembers between scrapes.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "exporters/host/cgroups.h"
#include "exporters/host/container_names.h"
#include "lib/base/clock.h"
#include "lib/model/metric_family.h"

namespace exporters::host {

// A container or service that is shown.
struct ContainerEntry {
  std::string path;
  std::vector<std::string>
      labels;  // id, image, name, unit, and Kubernetes' three where it is used.
  CgroupStats limits;
  std::vector<uint32_t> processes;
  std::optional<double> start_time;
  bool owns_network = false;  // The first of those that share a network namespace.
  base::MonotonicTime limits_expire{};
};

// OOM kills of a group, kept for a while after it is gone.
struct OomRecord {
  std::vector<std::string> labels;
  double kills = 0;
  base::MonotonicTime forget_at{};
};

struct ContainerState {
  ContainerState(std::string folder, size_t max_kept) : cgroups(std::move(folder), max_kept) {}

  Cgroups cgroups;
  ContainerNames names;
  std::map<std::string, ContainerEntry> shown;  // By path.
  std::vector<std::string> inner;               // Slices: only for OOM kills.
  size_t dropped = 0;                           // Beyond the limit.
  base::MonotonicTime list_again{};
  bool kubernetes = false;
  std::map<std::string, OomRecord> oom_kills;  // By path.
  std::map<uint64_t, std::string> device_names;
};

}  // namespace exporters::host
