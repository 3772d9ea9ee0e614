// What the collectors of the host exporter see.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exporters/host/container_state.h"
#include "exporters/host/desc_cache.h"
#include "exporters/host/field_descs.h"
#include "exporters/host/files.h"
#include "exporters/host/filter.h"
#include "exporters/host/limits.h"
#include "exporters/host/links.h"
#include "exporters/host/mount_prober.h"
#include "exporters/host/netlink.h"
#include "exporters/host/options.h"
#include "exporters/host/processes.h"
#include "exporters/host/sockets.h"
#include "exporters/toolkit/collector_set.h"
#include "exporters/toolkit/scrape.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/result.h"

namespace exporters::host {

// The compiled filters of HostOptions.
struct Filters {
  static base::Result<Filters> Make(const HostOptions& options);

  Filter arp_devices;
  Filter cpu_flags;
  Filter cpu_bugs;
  Filter disks;
  Filter mount_points;
  Filter filesystem_types;
  Filter hwmon_chips;
  Filter hwmon_sensors;
  Filter netclass_devices;
  Filter netdev_devices;
  Filter netstat_fields;
  Filter power_supplies;
  Filter vmstat_fields;
};

// A value that is read again after a while: what hardly changes and costs many files.
template <typename T>
struct Remembered {
  std::optional<T> value;
  base::MonotonicTime expires{};

  // `read` is called when there is no value or it is older than `keep`.
  template <typename ReadFunc>
  const T& Get(base::MonotonicTime now, std::chrono::seconds keep, ReadFunc read) {
    if (!value || now >= expires) {
      value.emplace(read());
      expires = now + keep;
    }
    return *value;
  }
};

inline constexpr std::chrono::seconds kKeepHardware{60};

// Modes of /proc/stat in its order: user nice system idle iowait irq softirq steal guest
// guest_nice.
using CpuTimes = std::array<uint64_t, 10>;

// Attributes of a network device that rtnetlink does not have.
struct LinkExtras {
  uint64_t seen_changes = 0;  // Of the link, when these were read.
  std::optional<int64_t> address_assign_type, device_id, name_assign_type, speed_megabits;
  std::string duplex;
};

struct DiskInfo {
  std::map<std::string, std::string, std::less<>> udev;
  std::string rotational;
};

// The KEY=value lines of os-release(5).
using OsRelease = std::map<std::string, std::string, std::less<>>;

// A line of /proc/PID/mountinfo.
struct Mount {
  uint32_t major = 0, minor = 0;
  std::string mount_point;
  std::string options;
  std::string type;
  std::string device;
  std::string super_options;

  bool ReadOnly() const;
};

// The mounts that the filters let through, as long as the kernel says that none has changed.
struct WatchedMounts {
  base::UniqueFd mountinfo;  // poll(2) reports a change of the table as POLLPRI; see proc(5).
  std::vector<Mount> mounts;
  base::MonotonicTime expires{};
};

struct DmiInfo {
  model::DescPtr desc;  // With a label for each attribute that can be read; nullptr for none.
  model::LabelValues values;
};

// One file of a sensor: the name of the chip, the label of a sensor (without desc), or a value.
struct SensorReading {
  std::string chip;
  std::string chip_name = {};
  std::string sensor = {};
  std::string label = {};
  model::DescPtr desc = nullptr;
  double value = 0;
};

// Thread-compatible; kept between scrapes.
class Context {
 public:
  // `options`, `logger` and `clock` must outlive this.
  Context(const HostOptions& host_options, Filters compiled, const base::Logger& log,
          const base::Clock& time);

  // Forgets what is shared within one scrape.
  void BeginScrape();
  // /proc/stat, read once a scrape.
  const base::Result<std::string>& Stat();
  // The rtnetlink dump, read once a scrape.
  const base::Result<std::vector<Link>>& Links();

  const HostOptions& options;
  const Filters filters;
  const base::Logger& logger;
  const base::Clock& clock;
  Files proc;
  Files sys;
  Files root;
  Files udev;
  DescCache descs;
  FieldDescs meminfo_descs, vmstat_descs;
  std::map<std::string, FieldDescs, std::less<>> netstat_descs;  // By protocol.
  MountProber mounts;

  std::map<uint32_t, CpuTimes> cpu_times;  // The highest seen, by CPU.
  std::map<std::string, Remembered<DiskInfo>, std::less<>> disks;
  std::map<std::string, Remembered<LinkExtras>, std::less<>> link_extras;
  Remembered<base::Result<OsRelease>> os_release;
  WatchedMounts watched_mounts;
  Remembered<DmiInfo> dmi;
  Remembered<std::vector<SensorReading>> sensors;
  const std::unique_ptr<ContainerState> containers;
  ProcessGroups process_groups;
  NetlinkSocket sock_diag;
  std::vector<LimitUse> limit_uses;  // Of this scrape, for the collector limits.
  std::map<std::pair<std::string, std::string>, Trend> limit_trends;  // By limit and item.
  std::string textfile_problem;                                       // The last that was logged.

 private:
  std::optional<base::Result<std::string>> stat_;
  LinkSocket link_socket_;
  std::optional<base::Result<std::vector<Link>>> links_;
};

using HostCollector = Collector<Context>;

}  // namespace exporters::host
