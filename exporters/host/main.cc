// tarsier-host: takes the flags of the official node_exporter.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <sys/resource.h>

#include "exporters/host/host_exporter.h"
#include "exporters/toolkit/exporter_main.h"

namespace exporters::host {
namespace {

constexpr std::string_view kPaths = "Paths";
constexpr std::string_view kOptions = "Collector options";

// Collectors that node_exporter has and this one has not yet. Switching one off is fine; switching
// one on is refused by name.
constexpr std::string_view kMissingCollectors[] = {
    "bcache",      "bcachefs",      "dmmultipath", "drbd",       "drm",           "ethtool",
    "ksmd",        "lnstat",        "logind",      "mountstats", "network_route", "nfsd",
    "ntp",         "nvmesubsystem", "pcidevice",   "perf",       "qdisc",         "runit",
    "supervisord", "sysctl",        "systemd",     "wifi",       "xfrm"};

std::vector<Flag> MakeFlags() {
  const HostOptions defaults;
  const std::string paths(kPaths);
  const std::string options(kOptions);
  std::vector<Flag> flags = {
      {.name = "path.procfs",
       .default_value = defaults.procfs,
       .group = paths,
       .help = "Where procfs is mounted.",
       .value_name = "DIRECTORY"},
      {.name = "path.sysfs",
       .default_value = defaults.sysfs,
       .group = paths,
       .help = "Where sysfs is mounted.",
       .value_name = "DIRECTORY"},
      {.name = "path.rootfs",
       .default_value = defaults.rootfs,
       .group = paths,
       .help = "Where the machine's root is mounted. In a container, mount it read-only with "
               "rslave propagation and name it here, else the container's disks are shown.",
       .value_name = "DIRECTORY"},
      {.name = "path.udev.data",
       .default_value = defaults.udev_data,
       .group = paths,
       .help = "Where udev's database is.",
       .value_name = "DIRECTORY"},

      {.name = "collector.arp.device-include",
       .group = options,
       .help = "Only network devices whose name matches have their ARP entries counted.",
       .value_name = "REGEX"},
      {.name = "collector.arp.device-exclude",
       .group = options,
       .help = "Network devices whose name matches are left out of arp.",
       .value_name = "REGEX"},
      {.name = "collector.containers.services",
       .type = FlagType::kBool,
       .group = options,
       .help = "Show systemd services like containers, with their name in the label unit."},
      {.name = "collector.containers.max",
       .type = FlagType::kInt,
       .default_value = "1000",
       .group = options,
       .help = "How many containers and services are shown; more are counted only."},
      {.name = "collector.process_groups.by",
       .default_value = "name",
       .group = options,
       .help = "What makes processes a group: their name, the systemd unit or container they are "
               "in, or their control group.",
       .value_name = "name|unit|cgroup"},
      {.name = "collector.process_groups.max",
       .type = FlagType::kInt,
       .default_value = "100",
       .group = options,
       .help = "How many groups are shown, of those that use most memory or CPU; the rest is "
               "summed up as \"other\"."},
      {.name = "collector.cpu.guest",
       .type = FlagType::kBool,
       .default_value = "true",
       .group = options,
       .help = "Time spent in guests, as node_cpu_guest_seconds_total."},
      {.name = "collector.cpu.info",
       .type = FlagType::kBool,
       .group = options,
       .help = "CPU models, as node_cpu_info."},
      {.name = "collector.cpu.info.flags-include",
       .group = options,
       .help = "CPU features to show as node_cpu_flag_info.",
       .value_name = "REGEX"},
      {.name = "collector.cpu.info.bugs-include",
       .group = options,
       .help = "CPU bugs to show as node_cpu_bug_info.",
       .value_name = "REGEX"},
      {.name = "collector.diskstats.device-include",
       .group = options,
       .help = "Only block devices whose name matches; instead of the exclusion below.",
       .value_name = "REGEX"},
      {.name = "collector.diskstats.device-exclude",
       .default_value = defaults.disks.exclude,
       .group = options,
       .help = "Block devices that are left out.",
       .value_name = "REGEX"},
      {.name = "collector.filesystem.mount-points-include",
       .group = options,
       .help = "Only these mount points; instead of the exclusion below.",
       .value_name = "REGEX"},
      {.name = "collector.filesystem.mount-points-exclude",
       .default_value = defaults.mount_points.exclude,
       .group = options,
       .help = "Mount points that are left out.",
       .value_name = "REGEX"},
      {.name = "collector.filesystem.fs-types-include",
       .group = options,
       .help = "Only file systems of these types; instead of the exclusion below.",
       .value_name = "REGEX"},
      {.name = "collector.filesystem.fs-types-exclude",
       .default_value = defaults.filesystem_types.exclude,
       .group = options,
       .help = "File systems of these types are left out.",
       .value_name = "REGEX"},
      {.name = "collector.filesystem.mount-timeout",
       .type = FlagType::kDuration,
       .default_value = "5s",
       .group = options,
       .help = "How long a network mount may take to answer before it is reported as stuck."},
      {.name = "collector.filesystem.stat-workers",
       .type = FlagType::kInt,
       .default_value = "4",
       .group = options,
       .help = "Accepted for compatibility; one helper process is enough.",
       .hidden = true},
      {.name = "collector.hwmon.chip-include",
       .group = options,
       .help = "Only hwmon chips whose label matches.",
       .value_name = "REGEX"},
      {.name = "collector.hwmon.chip-exclude",
       .group = options,
       .help = "Hwmon chips whose label matches are left out.",
       .value_name = "REGEX"},
      {.name = "collector.hwmon.sensor-include",
       .group = options,
       .help = "Only sensors whose \"chip;sensor\" matches.",
       .value_name = "REGEX"},
      {.name = "collector.hwmon.sensor-exclude",
       .group = options,
       .help = "Sensors whose \"chip;sensor\" matches are left out.",
       .value_name = "REGEX"},
      {.name = "collector.powersupply.ignored-supplies",
       .default_value = "^$",
       .group = options,
       .help = "Power supplies whose name matches are left out.",
       .value_name = "REGEX"},
      {.name = "collector.textfile.directory",
       .group = options,
       .help = "Where *.prom files with metrics are; may be a pattern such as /srv/*/metrics.",
       .repeatable = true,
       .value_name = "DIRECTORY"},
      {.name = "collector.netclass.ignored-devices",
       .default_value = "^$",
       .group = options,
       .help = "Network devices whose name matches are left out of netclass.",
       .value_name = "REGEX"},
      {.name = "collector.netclass.ignore-invalid-speed",
       .type = FlagType::kBool,
       .group = options,
       .help = "No node_network_speed_bytes for a device of unknown speed."},
      {.name = "collector.netstat.fields",
       .default_value = defaults.netstat_fields,
       .group = options,
       .help = "Which protocol counters are shown.",
       .value_name = "REGEX"},
      {.name = "collector.netdev.device-include",
       .group = options,
       .help = "Only network devices whose name matches.",
       .value_name = "REGEX"},
      {.name = "collector.netdev.device-exclude",
       .group = options,
       .help = "Network devices whose name matches are left out of netdev.",
       .value_name = "REGEX"},
      {.name = "collector.netdev.netlink",
       .type = FlagType::kBool,
       .default_value = "true",
       .group = options,
       .help = "Ask rtnetlink for traffic; else /proc/net/dev is read."},
      {.name = "collector.stat.softirq",
       .type = FlagType::kBool,
       .group = options,
       .help = "Softirqs by vector, as node_softirqs_total."},
      {.name = "collector.vmstat.fields",
       .default_value = defaults.vmstat_fields,
       .group = options,
       .help = "Which fields of /proc/vmstat are shown.",
       .value_name = "REGEX"},
      {.name = "collector.disable-defaults",
       .type = FlagType::kBool,
       .group = options,
       .help = "Only the collectors that are named on the command line."},
      {.name = "runtime.gomaxprocs",
       .type = FlagType::kInt,
       .default_value = "1",
       .help = "Accepted for compatibility; there is no Go here.",
       .hidden = true},
  };
  for (Flag& flag : CollectorFlags(HostCollectorRows())) {
    flags.push_back(std::move(flag));
  }
  for (const std::string_view name : kMissingCollectors) {
    flags.push_back({.name = fmt::format("collector.{}", name),
                     .type = FlagType::kBool,
                     .help = "Not part of this exporter.",
                     .hidden = true});
  }
  return flags;
}

NameFilter FilterFromFlags(const ParsedFlags& flags, std::string_view name) {
  const std::string include = fmt::format("collector.{}-include", name);
  const std::string exclude = fmt::format("collector.{}-exclude", name);
  // To include is to give up the default exclusion.
  const bool only_include = flags.IsSet(include) && !flags.IsSet(exclude);
  return {.include = flags.String(include),
          .exclude = only_include ? std::string() : flags.String(exclude)};
}

Selection SelectionFromFlags(const ParsedFlags& flags) {
  Selection selection{.disable_defaults = flags.Bool("collector.disable-defaults")};
  for (const CollectorRow& row : HostCollectorRows()) {
    const std::string flag = fmt::format("collector.{}", row.name);
    if (flags.IsSet(flag)) {
      selection.named.emplace(row.name, flags.Bool(flag));
    }
  }
  return selection;
}

base::Result<void> RefuseMissing(const ParsedFlags& flags) {
  for (const std::string_view name : kMissingCollectors) {
    if (flags.Bool(fmt::format("collector.{}", name))) {
      return base::Error(fmt::format("--collector.{}: this exporter has no such collector", name),
                         base::ErrorKind::kInvalidArgument);
    }
  }
  return {};
}

base::Result<void> CheckGrouping(const ParsedFlags& flags) {
  const std::string& by = flags.String("collector.process_groups.by");
  if (!ParseProcessGrouping(by)) {
    return base::Error(
        fmt::format("--collector.process_groups.by={}: name, unit or cgroup is expected", by),
        base::ErrorKind::kInvalidArgument);
  }
  return {};
}

HostOptions OptionsFromFlags(const ParsedFlags& flags) {
  return {.procfs = flags.String("path.procfs"),
          .sysfs = flags.String("path.sysfs"),
          .rootfs = flags.String("path.rootfs"),
          .udev_data = flags.String("path.udev.data"),
          .collectors = SelectionFromFlags(flags),
          .arp_devices = FilterFromFlags(flags, "arp.device"),
          .cpu_guest = flags.Bool("collector.cpu.guest"),
          .cpu_info = flags.Bool("collector.cpu.info"),
          .cpu_flags_include = flags.String("collector.cpu.info.flags-include"),
          .cpu_bugs_include = flags.String("collector.cpu.info.bugs-include"),
          .container_services = flags.Bool("collector.containers.services"),
          .max_containers =
              static_cast<size_t>(std::max<int64_t>(0, flags.Int("collector.containers.max"))),
          .process_grouping = ParseProcessGrouping(flags.String("collector.process_groups.by"))
                                  .value_or(ProcessGrouping::kName),
          .max_process_groups =
              static_cast<size_t>(std::max<int64_t>(0, flags.Int("collector.process_groups.max"))),
          .disks = FilterFromFlags(flags, "diskstats.device"),
          .mount_points = FilterFromFlags(flags, "filesystem.mount-points"),
          .filesystem_types = FilterFromFlags(flags, "filesystem.fs-types"),
          .mount_timeout = flags.Duration("collector.filesystem.mount-timeout"),
          .hwmon_chips = FilterFromFlags(flags, "hwmon.chip"),
          .hwmon_sensors = FilterFromFlags(flags, "hwmon.sensor"),
          .netclass_devices = {.exclude = flags.String("collector.netclass.ignored-devices")},
          .netclass_ignore_invalid_speed = flags.Bool("collector.netclass.ignore-invalid-speed"),
          .netdev_devices = FilterFromFlags(flags, "netdev.device"),
          .netdev_netlink = flags.Bool("collector.netdev.netlink"),
          .netstat_fields = flags.String("collector.netstat.fields"),
          .power_supplies = {.exclude = flags.String("collector.powersupply.ignored-supplies")},
          .stat_softirq = flags.Bool("collector.stat.softirq"),
          .textfile_directories = flags.List("collector.textfile.directory"),
          .vmstat_fields = flags.String("collector.vmstat.fields")};
}

// Files of control groups are kept open: as many as the machine allows at all, as Go programs do.
void RaiseFileLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);  // If not, fewer files are kept.
  }
}

int Main(int argc, const char* const* argv) {
  RaiseFileLimit();
  const base::RealClock clock;
  return ExporterMain(
      {.name = "tarsier-host",
       .description = "Metrics of this machine for Prometheus: CPU, memory, disks, file systems, "
                      "network and kernel, under the names of node_exporter.",
       .official_name = "node_exporter",
       .default_port = 9100,
       .flags = MakeFlags(),
       .examples = "  tarsier-host --no-collector.diskstats\n"
                   "  tarsier-host --path.procfs=/host/proc --path.sysfs=/host/sys "
                   "--path.rootfs=/host\n"
                   "  curl 'localhost:9100/metrics?collect[]=cpu&collect[]=meminfo'\n",
       .make = [&clock](const ParsedFlags& flags,
                        const base::Logger& logger) -> base::Result<ExporterInstance> {
         RETURN_IF_ERROR(RefuseMissing(flags));
         RETURN_IF_ERROR(CheckGrouping(flags));
         ASSIGN_OR_RETURN(auto exporter,
                          HostExporter::Make(OptionsFromFlags(flags), logger, clock));
         return ExporterInstance{.exporter = std::move(exporter)};
       }},
      argc, argv);
}

}  // namespace
}  // namespace exporters::host

int main(int argc, char** argv) { return exporters::host::Main(argc, argv); }
