#include "exporters/host/context.h"

#include <algorithm>
#include <utility>

#include <linux/netlink.h>
#include <sys/resource.h>

namespace exporters::host {
namespace {

struct FilterRow {
  Filter Filters::*filter;
  std::string_view flag;
  NameFilter names;
};

// Of the descriptors that this process may have, half are for clients and other files. A kept file
// of a control group costs the kernel 4 kB.
size_t MaxKeptCgroupFiles() {
  constexpr size_t kMost = 3000;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return 0;
  }
  return std::min<size_t>(kMost, limit.rlim_cur / 2);
}

}  // namespace

base::Result<Filters> Filters::Make(const HostOptions& options) {
  const FilterRow rows[] = {
      {&Filters::arp_devices, "collector.arp.device", options.arp_devices},
      {&Filters::cpu_flags, "collector.cpu.info.flags", {.include = options.cpu_flags_include}},
      {&Filters::cpu_bugs, "collector.cpu.info.bugs", {.include = options.cpu_bugs_include}},
      {&Filters::disks, "collector.diskstats.device", options.disks},
      {&Filters::mount_points, "collector.filesystem.mount-points", options.mount_points},
      {&Filters::filesystem_types, "collector.filesystem.fs-types", options.filesystem_types},
      {&Filters::hwmon_chips, "collector.hwmon.chip", options.hwmon_chips},
      {&Filters::hwmon_sensors, "collector.hwmon.sensor", options.hwmon_sensors},
      {&Filters::netclass_devices, "collector.netclass.device", options.netclass_devices},
      {&Filters::netdev_devices, "collector.netdev.device", options.netdev_devices},
      {&Filters::netstat_fields, "collector.netstat.fields", {.include = options.netstat_fields}},
      {&Filters::power_supplies, "collector.powersupply.ignored-supplies", options.power_supplies},
      {&Filters::vmstat_fields, "collector.vmstat.fields", {.include = options.vmstat_fields}},
  };
  Filters filters;
  for (const FilterRow& row : rows) {
    ASSIGN_OR_RETURN(filters.*row.filter, Filter::Make(row.flag, row.names));
  }
  return filters;
}

Context::Context(const HostOptions& host_options, Filters compiled, const base::Logger& log,
                 const base::Clock& time)
    : options(host_options),
      filters(std::move(compiled)),
      logger(log),
      clock(time),
      proc(host_options.procfs),
      sys(host_options.sysfs),
      root(host_options.rootfs),
      udev(host_options.udev_data),
      mounts(time),
      containers(std::make_unique<ContainerState>(host_options.sysfs + "/fs/cgroup",
                                                  MaxKeptCgroupFiles())),
      process_groups(host_options.process_grouping, host_options.max_process_groups),
      sock_diag(NETLINK_SOCK_DIAG) {}

void Context::BeginScrape() {
  stat_.reset();
  links_.reset();
  limit_uses.clear();
}

const base::Result<std::string>& Context::Stat() {
  if (!stat_) {
    stat_.emplace(proc.ReadOnce("stat"));
  }
  return *stat_;
}

const base::Result<std::vector<Link>>& Context::Links() {
  if (!links_) {
    links_.emplace(link_socket_.Dump());
  }
  return *links_;
}

}  // namespace exporters::host
