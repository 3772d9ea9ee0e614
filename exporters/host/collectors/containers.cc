// Containers and, if asked for, systemd services, from their control groups, under cAdvisor's
// names. Samples carry no time stamps, so that a container that is gone goes stale at once; only
// its OOM kills stay for a while.
#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exporters/host/context.h"
#include "exporters/host/parsers.h"
#include "exporters/host/text.h"
#include "lib/base/strings.h"

namespace exporters::host {
namespace {

using model::MetricType;
using Stat = CgroupStat;

constexpr std::chrono::seconds kListAgain{10};
constexpr std::chrono::seconds kKeepLimits{60};
constexpr std::chrono::minutes kKeepOomKills{15};
constexpr size_t kMaxOomRecords = 1000;
constexpr size_t kMaxDeviceNames = 4096;

// Labels beyond those that every family has, with their values of this row.
using Extra = std::vector<std::pair<std::string_view, std::string_view>>;

struct Row {
  Stat stat;
  std::string_view name;
  std::string_view help;
  MetricType type = MetricType::kGauge;
  std::string_view label = {};  // One more label …
  std::string_view value = {};  // … and its value.
  std::string_view second_label = {}, second_value = {};
};

constexpr auto kCounter = MetricType::kCounter;
constexpr auto kGauge = MetricType::kGauge;

constexpr Row kRows[] = {
    {Stat::kCpuUsage, "container_cpu_usage_seconds_total", "CPU time used.", kCounter, "cpu",
     "total"},
    {Stat::kCpuUser, "container_cpu_user_seconds_total", "CPU time used in user mode.", kCounter},
    {Stat::kCpuSystem, "container_cpu_system_seconds_total", "CPU time used in the kernel.",
     kCounter},
    {Stat::kCpuPeriods, "container_cpu_cfs_periods_total",
     "Periods in which the CPU quota was enforced.", kCounter},
    {Stat::kCpuThrottledPeriods, "container_cpu_cfs_throttled_periods_total",
     "Periods in which the CPU quota ran out.", kCounter},
    {Stat::kCpuThrottled, "container_cpu_cfs_throttled_seconds_total",
     "Time during which the CPU quota kept tasks from running.", kCounter},
    {Stat::kCpuBurstPeriods, "container_cpu_cfs_burst_periods_total",
     "Periods that used saved-up CPU quota.", kCounter},
    {Stat::kCpuBurst, "container_cpu_cfs_burst_seconds_total", "Saved-up CPU quota used.",
     kCounter},
    {Stat::kMemoryUsage, "container_memory_usage_bytes",
     "Memory in use, caches of files included."},
    {Stat::kMemoryCache, "container_memory_cache", "Caches of files, in bytes."},
    {Stat::kMemoryRss, "container_memory_rss", "Memory of the processes themselves, in bytes."},
    {Stat::kMemoryMapped, "container_memory_mapped_file", "Mapped files in memory, in bytes."},
    {Stat::kMemoryKernel, "container_memory_kernel_usage",
     "Memory of the kernel on behalf of the container, in bytes."},
    {Stat::kMemorySwap, "container_memory_swap", "Memory that is swapped out, in bytes."},
    {Stat::kMemoryPeak, "container_memory_max_usage_bytes",
     "The most memory that was ever in use."},
    {Stat::kMemoryActiveFile, "container_memory_total_active_file_bytes",
     "Caches of files that were used recently."},
    {Stat::kMemoryInactiveFile, "container_memory_total_inactive_file_bytes",
     "Caches of files that were not used recently: the first to be reclaimed."},
    {Stat::kMemoryDirty, "container_memory_file_dirty_bytes",
     "Caches of files that wait to be written."},
    {Stat::kMemoryWriteback, "container_memory_file_writeback_bytes",
     "Caches of files that are being written."},
    {Stat::kPagesScanned, "container_memory_pgscan_total", "Pages looked at to reclaim memory.",
     kCounter},
    {Stat::kPagesStolen, "container_memory_pgsteal_total", "Pages reclaimed.", kCounter},
    {Stat::kRefaultsFile, "container_memory_workingset_refault_file_total",
     "Pages of files that were read again soon after they had been reclaimed.", kCounter},
    {Stat::kRefaultsAnonymous, "container_memory_workingset_refault_anon_total",
     "Pages that were swapped in soon after they had been swapped out.", kCounter},
    {Stat::kMemoryFailures, "container_memory_failcnt", "How often the memory limit was reached.",
     kCounter},
    {Stat::kPageFaults, "container_memory_failures_total", "Page faults.", kCounter, "failure_type",
     "pgfault", "scope", "container"},
    {Stat::kMajorPageFaults, "container_memory_failures_total", "Page faults.", kCounter,
     "failure_type", "pgmajfault", "scope", "container"},
    {Stat::kPageFaults, "container_memory_failures_total", "Page faults.", kCounter, "failure_type",
     "pgfault", "scope", "hierarchy"},
    {Stat::kMajorPageFaults, "container_memory_failures_total", "Page faults.", kCounter,
     "failure_type", "pgmajfault", "scope", "hierarchy"},
    {Stat::kMemoryHighEvents, "container_memory_events_high_total",
     "How often processes were slowed down for using more than memory.high.", kCounter},
    {Stat::kMemoryMaxEvents, "container_memory_events_max_total",
     "How often the memory limit was about to be exceeded.", kCounter},
    {Stat::kThreads, "container_threads", "Threads that run."},
    {Stat::kCpuWaiting, "container_pressure_cpu_waiting_seconds_total",
     "Time during which some task waited for a CPU.", kCounter},
    {Stat::kCpuStalled, "container_pressure_cpu_stalled_seconds_total",
     "Time during which every task waited for a CPU.", kCounter},
    {Stat::kMemoryWaiting, "container_pressure_memory_waiting_seconds_total",
     "Time during which some task waited for memory.", kCounter},
    {Stat::kMemoryStalled, "container_pressure_memory_stalled_seconds_total",
     "Time during which every task waited for memory.", kCounter},
    {Stat::kIoWaiting, "container_pressure_io_waiting_seconds_total",
     "Time during which some task waited for a disk.", kCounter},
    {Stat::kIoStalled, "container_pressure_io_stalled_seconds_total",
     "Time during which every task waited for a disk.", kCounter},
    {Stat::kCpuQuota, "container_spec_cpu_quota", "CPU time allowed in a period, in microseconds."},
    {Stat::kCpuPeriod, "container_spec_cpu_period", "The period of the quota, in microseconds."},
    {Stat::kCpuShares, "container_spec_cpu_shares", "The share of the CPU when it is contended."},
    {Stat::kMemoryLimit, "container_spec_memory_limit_bytes", "The memory limit; 0 is none."},
    {Stat::kMemorySwapLimit, "container_spec_memory_swap_limit_bytes",
     "The limit of swap; 0 is none."},
    {Stat::kMemoryReservation, "container_spec_memory_reservation_limit_bytes",
     "Memory that is not reclaimed; 0 is none."},
    {Stat::kThreadsLimit, "container_threads_max", "How many threads may run; 0 is no limit."},
};

struct DeviceRow {
  std::string_view name;
  std::string_view help;
  uint64_t CgroupDevice::*value;
};
constexpr DeviceRow kDeviceRows[] = {
    {"container_fs_reads_bytes_total", "Bytes read from the device.", &CgroupDevice::read_bytes},
    {"container_fs_writes_bytes_total", "Bytes written to the device.",
     &CgroupDevice::written_bytes},
    {"container_fs_reads_total", "Reads from the device.", &CgroupDevice::reads},
    {"container_fs_writes_total", "Writes to the device.", &CgroupDevice::writes}};

struct NetworkRow {
  std::string_view name;
  std::string_view help;
  size_t column;  // Of /proc/net/dev.
};
constexpr NetworkRow kNetworkRows[] = {
    {"container_network_receive_bytes_total", "Bytes received.", 0},
    {"container_network_receive_packets_total", "Packets received.", 1},
    {"container_network_receive_errors_total", "Packets received with errors.", 2},
    {"container_network_receive_packets_dropped_total", "Packets received and dropped.", 3},
    {"container_network_transmit_bytes_total", "Bytes sent.", 8},
    {"container_network_transmit_packets_total", "Packets sent.", 9},
    {"container_network_transmit_errors_total", "Packets that could not be sent.", 10},
    {"container_network_transmit_packets_dropped_total", "Packets dropped before they were sent.",
     11}};
// Ends of containers' own cables, which are counted in the containers.
constexpr std::string_view kSkippedInterfaces[] = {"veth", "docker", "nerdctl"};

constexpr model::MetricDesc kDropped{.name = "container_scrape_dropped_containers",
                                     .help =
                                         "Containers that are left out because there are more than "
                                         "--collector.containers.max."};

// Emits families whose labels are those of all containers and a few more.
class Emitter {
 public:
  Emitter(Context& host, Scrape& scrape) : host_(host), scrape_(scrape) {}

  void Emit(std::string_view name, std::string_view help, MetricType type, double value,
            const std::vector<std::string>& labels, const Extra& extra = {}) {
    const bool kubernetes = host_.containers->kubernetes;
    key_.assign(kubernetes ? "k8s:" : "").append(name);
    const model::DescPtr& desc = host_.descs.Get(key_, [&] {
      model::DynamicDesc::Spec spec{
          .name = std::string(name), .help = std::string(help), .type = type};
      for (const auto& [label, unused] : extra) {
        spec.labels.emplace_back(label);
      }
      for (const std::string_view label : {"id", "image", "name", "unit"}) {
        spec.labels.emplace_back(label);
      }
      if (kubernetes) {
        for (const std::string_view label : {"container", "namespace", "pod"}) {
          spec.labels.emplace_back(label);
        }
      }
      return spec;
    });
    model::LabelValues values;
    for (const auto& [unused, label_value] : extra) {
      values.Add(label_value);
    }
    for (const std::string& label : labels) {
      values.Add(label);
    }
    scrape_.Emit(desc, value, std::move(values));
  }

 private:
  Context& host_;
  Scrape& scrape_;
  std::string key_;
};

std::vector<std::string> MakeLabels(Context& host, const Cgroup& group) {
  ContainerState& state = *host.containers;
  ContainerIdentity identity;
  if (!group.name.container_id.empty()) {
    identity = state.names.Get(host.root, group.name.container_id);
  } else if (group.name.kind == CgroupKind::kContainer) {
    identity.name = group.name.name;
  }
  std::vector<std::string> labels = {
      group.path, identity.image, identity.name,
      group.name.kind == CgroupKind::kService ? group.name.name : std::string()};
  if (state.kubernetes) {
    labels.insert(labels.end(), {identity.container, identity.pod_namespace, identity.pod});
  }
  return labels;
}

// The same for two processes if and only if they share their network.
std::optional<uint64_t> NetworkOf(const Context& host, const std::string& process) {
  struct stat status {};
  if (stat(host.proc.Path(process + "/net/dev").c_str(), &status) != 0) {
    return std::nullopt;
  }
  return status.st_ino;
}

// Field 22 of /proc/PID/stat counts ticks since boot.
std::optional<double> StartTime(Context& host, uint32_t process) {
  const auto text = host.proc.ReadRarely(fmt::format("{}/stat", process));
  const auto& stat = host.Stat();
  const auto boot = stat.ok() ? ParseStatTotals(*stat).boot_time : std::nullopt;
  if (!text.ok() || !boot) {
    return std::nullopt;
  }
  const auto fields = SplitFields(std::string_view(*text).substr(text->rfind(')') + 1));
  const auto ticks = fields.size() > 19 ? ParseNumber(fields[19]) : std::nullopt;
  if (!ticks) {
    return std::nullopt;
  }
  return static_cast<double>(*boot) +
         static_cast<double>(*ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

void RefreshProcesses(Context& host, ContainerEntry* entry) {
  entry->processes = host.containers->cgroups.ReadProcesses(entry->path);
  if (!entry->processes.empty() && !entry->start_time) {
    entry->start_time =
        StartTime(host, *std::min_element(entry->processes.begin(), entry->processes.end()));
  }
}

// Which entry counts for which network: the first by path; none for the machine's own.
void AssignNetworks(Context& host) {
  std::set<uint64_t> seen;
  if (const auto own = NetworkOf(host, "self")) {
    seen.insert(*own);
  }
  if (const auto first = NetworkOf(host, "1")) {
    seen.insert(*first);
  }
  for (auto& [path, entry] : host.containers->shown) {
    const auto network = entry.processes.empty()
                             ? std::nullopt
                             : NetworkOf(host, std::to_string(entry.processes.front()));
    entry.owns_network = network && seen.insert(*network).second;
  }
}

bool Wanted(const HostOptions& options, CgroupKind kind) {
  return kind == CgroupKind::kContainer ||
         (kind == CgroupKind::kService && options.container_services);
}

// Brings `shown` up to date with what is there.
base::Result<void> ListAgain(Context& host) {
  ContainerState& state = *host.containers;
  ASSIGN_OR_RETURN(const std::vector<Cgroup> groups, state.cgroups.List());
  std::map<std::string, ContainerEntry> before = std::exchange(state.shown, {});
  const bool had_kubernetes = state.kubernetes;
  state.kubernetes = std::any_of(groups.begin(), groups.end(),
                                 [](const Cgroup& group) { return group.name.kubernetes; });
  const bool any_new = std::any_of(groups.begin(), groups.end(), [&](const Cgroup& group) {
    return !group.name.container_id.empty() && before.count(group.path) == 0;
  });
  if (any_new) {
    state.names.Refresh(host.root, host.proc);
  }
  state.inner.clear();
  state.dropped = 0;
  for (const Cgroup& group : groups) {
    if (group.name.kind == CgroupKind::kInner) {
      state.inner.push_back(group.path);
    }
    if (!Wanted(host.options, group.name.kind)) {
      continue;
    }
    if (state.shown.size() >= host.options.max_containers) {
      ++state.dropped;
      continue;
    }
    auto known = before.extract(group.path);
    ContainerEntry entry = known.empty() ? ContainerEntry{.path = group.path, .labels = {}}
                                         : std::move(known.mapped());
    if (known.empty() || had_kubernetes != state.kubernetes) {
      entry.labels = MakeLabels(host, group);
    }
    RefreshProcesses(host, &entry);
    state.shown.emplace(group.path, std::move(entry));
  }
  for (const auto& [path, gone] : before) {
    state.cgroups.Forget(path);
  }
  AssignNetworks(host);
  return {};
}

std::string DeviceName(Context& host, const CgroupDevice& device) {
  auto& names = host.containers->device_names;
  const uint64_t key = uint64_t{device.major} << 32 | device.minor;
  const auto found = names.find(key);
  if (found != names.end()) {
    return found->second;
  }
  if (names.size() >= kMaxDeviceNames) {
    names.clear();
  }
  const auto name = host.sys.LinkName(fmt::format("dev/block/{}:{}", device.major, device.minor));
  return names.emplace(key, name ? "/dev/" + *name : std::string()).first->second;
}

void EmitDevices(Context& host, const ContainerEntry& entry, Emitter& emitter) {
  for (const CgroupDevice& device : host.containers->cgroups.ReadDevices(entry.path)) {
    const std::string name = DeviceName(host, device);
    for (const DeviceRow& row : kDeviceRows) {
      emitter.Emit(row.name, row.help, kCounter, static_cast<double>(device.*row.value),
                   entry.labels, {{"device", name}});
    }
    const std::string major = std::to_string(device.major);
    const std::string minor = std::to_string(device.minor);
    const std::pair<std::string_view, uint64_t> operations[] = {
        {"Read", device.read_bytes},
        {"Write", device.written_bytes},
        {"Discard", device.discarded_bytes}};
    for (const auto& [operation, bytes] : operations) {
      emitter.Emit(
          "container_blkio_device_usage_total", "Bytes moved, by kind of operation.", kCounter,
          static_cast<double>(bytes), entry.labels,
          {{"device", name}, {"major", major}, {"minor", minor}, {"operation", operation}});
    }
  }
}

bool Skipped(std::string_view interface) {
  return interface == "lo" ||
         std::any_of(std::begin(kSkippedInterfaces), std::end(kSkippedInterfaces),
                     [interface](std::string_view prefix) {
                       return interface.substr(0, prefix.size()) == prefix;
                     });
}

// The file is opened for each read: a kept one would keep the network of a dead container.
void EmitNetwork(Context& host, const ContainerEntry& entry, Emitter& emitter) {
  if (!entry.owns_network || entry.processes.empty()) {
    return;
  }
  const auto text = host.proc.ReadRarely(fmt::format("{}/net/dev", entry.processes.front()));
  const auto lines = text.ok() ? ParseNetDev(*text) : text.error();
  if (!lines.ok()) {
    return;
  }
  for (const NetDevLine& line : *lines) {
    if (Skipped(line.device)) {
      continue;
    }
    for (const NetworkRow& row : kNetworkRows) {
      emitter.Emit(row.name, row.help, kCounter, static_cast<double>(line.values[row.column]),
                   entry.labels, {{"interface", line.device}});
    }
  }
}

std::optional<double> WorkingSet(const CgroupStats& figures) {
  const auto used = figures.Get(Stat::kMemoryUsage);
  const auto inactive = figures.Get(Stat::kMemoryInactiveFile);
  return used && inactive ? std::optional(std::max(0.0, *used - *inactive)) : std::nullopt;
}

void ReportLimits(Context& host, const ContainerEntry& entry, const CgroupStats& figures) {
  const auto report = [&](std::string_view limit, std::optional<double> used,
                          std::optional<double> most) {
    if (used && most && *most > 0) {
      host.limit_uses.push_back({limit, entry.path, *used, *most});
    }
  };
  report("container_memory", WorkingSet(figures), entry.limits.Get(Stat::kMemoryLimit));
  report("container_threads", figures.Get(Stat::kThreads), entry.limits.Get(Stat::kThreadsLimit));
}

void EmitFigures(const ContainerEntry& entry, const CgroupStats& figures, Emitter& emitter) {
  for (const Row& row : kRows) {
    const auto limit = entry.limits.Get(row.stat);
    const auto value = limit ? limit : figures.Get(row.stat);
    // A quota of 0 is none; the period means nothing without one.
    if (!value || (row.stat == Stat::kCpuQuota && *value == 0)) {
      continue;
    }
    Extra extra;
    if (!row.label.empty()) {
      extra.emplace_back(row.label, row.value);
    }
    if (!row.second_label.empty()) {
      extra.emplace_back(row.second_label, row.second_value);
    }
    emitter.Emit(row.name, row.help, row.type, *value, entry.labels, extra);
  }
  if (const auto working_set = WorkingSet(figures)) {
    emitter.Emit("container_memory_working_set_bytes",
                 "Memory that cannot be reclaimed easily: all but the caches of files that were "
                 "not used recently.",
                 kGauge, *working_set, entry.labels);
  }
}

void EmitProcesses(const Context& host, const ContainerEntry& entry, Emitter& emitter) {
  emitter.Emit("container_processes", "Processes that run.", kGauge,
               static_cast<double>(entry.processes.size()), entry.labels);
  if (entry.start_time) {
    emitter.Emit("container_start_time_seconds", "When the oldest process started, as a Unix time.",
                 kGauge, *entry.start_time, entry.labels);
  }
  emitter.Emit("container_last_seen", "When the container was last seen, as a Unix time.", kGauge,
               static_cast<double>(std::chrono::system_clock::to_time_t(host.clock.Now())),
               entry.labels);
}

void RememberOomKills(Context& host, const std::string& path, double kills,
                      const std::vector<std::string>& labels, base::MonotonicTime now) {
  auto& records = host.containers->oom_kills;
  if (records.size() < kMaxOomRecords || records.count(path) > 0) {
    records.insert_or_assign(
        path, OomRecord{.labels = labels, .kills = kills, .forget_at = now + kKeepOomKills});
  }
}

// The kills of a container that died between two scrapes are in the count of the group above it.
void RememberInnerOomKills(Context& host, base::MonotonicTime now) {
  for (const std::string& path : host.containers->inner) {
    const auto kills = host.containers->cgroups.ReadOomKills(path);
    if (kills && *kills > 0) {
      std::vector<std::string> labels(host.containers->kubernetes ? 7 : 4);
      labels.front() = path;
      RememberOomKills(host, path, *kills, labels, now);
    }
  }
}

void EmitOomKills(Context& host, base::MonotonicTime now, Emitter& emitter) {
  auto& records = host.containers->oom_kills;
  std::erase_if(records, [now](const auto& record) { return record.second.forget_at <= now; });
  for (auto& [path, record] : records) {
    record.labels.resize(host.containers->kubernetes ? 7 : 4);
    emitter.Emit("container_oom_events_total",
                 "Processes that were killed for want of memory; kept for a quarter of an hour "
                 "after the container is gone.",
                 kCounter, record.kills, record.labels);
  }
}

void CollectContainer(Context& host, ContainerEntry& entry, base::MonotonicTime now,
                      Emitter& emitter) {
  CgroupStats figures;
  host.containers->cgroups.ReadFigures(entry.path, &figures);
  if (now >= entry.limits_expire) {
    entry.limits = {};
    host.containers->cgroups.ReadLimits(entry.path, &entry.limits);
    entry.limits_expire = now + kKeepLimits;
  }
  if (!figures.Get(Stat::kCpuUsage) && !figures.Get(Stat::kMemoryUsage)) {
    return;  // Gone since the groups were listed.
  }
  ReportLimits(host, entry, figures);
  EmitFigures(entry, figures, emitter);
  EmitDevices(host, entry, emitter);
  EmitNetwork(host, entry, emitter);
  EmitProcesses(host, entry, emitter);
  if (const auto kills = figures.Get(Stat::kOomKills)) {
    RememberOomKills(host, entry.path, *kills, entry.labels, now);
  }
}

base::Result<void> CollectContainers(Context& host, Scrape& scrape) {
  ContainerState& state = *host.containers;
  const base::MonotonicTime now = host.clock.Monotonic();
  if (now >= state.list_again) {
    RETURN_IF_ERROR(ListAgain(host));
    state.list_again = now + kListAgain;
  }
  Emitter emitter(host, scrape);
  for (auto& [path, entry] : state.shown) {
    CollectContainer(host, entry, now, emitter);
  }
  RememberInnerOomKills(host, now);
  EmitOomKills(host, now, emitter);
  scrape.Emit(kDropped, static_cast<double>(state.dropped));
  return {};
}

}  // namespace

extern constexpr HostCollector kContainersCollector{
    .name = "containers",
    .help = "Containers, from their control groups, under cAdvisor's names.",
    .collect = CollectContainers};

}  // namespace exporters::host
