// What the collectors read out of the kernel's files. All of these are pure; each is defined in the
// collector that uses it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporters/host/context.h"
#include "lib/base/result.h"
#include "lib/model/labels.h"
#include "lib/model/metric_family.h"

namespace exporters::host {

// "0-3,7" → 0 1 2 3 7. "" is no CPU.
inline constexpr uint32_t kMaxCpus = 65536;
base::Result<std::vector<uint32_t>> ParseCpuList(std::string_view text);

// The cpuN lines of /proc/stat, by N; a line may have fewer fields on old kernels.
base::Result<std::vector<std::pair<uint32_t, CpuTimes>>> ParseCpuTimes(std::string_view stat);
// `now` may be lower than `highest`, which then stays; unless idle fell by seconds, as when the CPU
// was unplugged and came back, and all starts anew.
void KeepRising(const CpuTimes& now, CpuTimes* highest);

// One block of /proc/cpuinfo: "model name" → "AMD EPYC".
using CpuInfo = std::map<std::string, std::string, std::less<>>;
std::vector<CpuInfo> ParseCpuInfo(std::string_view text);

struct StatTotals {
  std::optional<uint64_t> interrupts, context_switches, boot_time, forks, running, blocked;
  std::vector<uint64_t> softirqs;  // By vector, without the sum.
};
StatTotals ParseStatTotals(std::string_view stat);

struct MemoryField {
  std::string_view name;  // "Active(anon)".
  uint64_t value = 0;
  bool in_kilobytes = false;
};
base::Result<std::vector<MemoryField>> ParseMeminfo(std::string_view text);
// "Active(anon)" → "Active_anon".
std::string MemoryMetricPart(std::string_view field);

base::Result<std::array<double, 3>> ParseLoadavg(std::string_view text);

inline constexpr size_t kMaxMounts = 100000;
base::Result<std::vector<Mount>> ParseMountInfo(std::string_view text);

struct DiskStats {
  uint32_t major = 0, minor = 0;
  std::string_view device;
  std::array<uint64_t, 17> values{};
  size_t count = 0;  // 11, 15 (discards, Linux 4.18) or 17 (flushes, 5.5).
};
base::Result<std::vector<DiskStats>> ParseDiskStats(std::string_view text);
// The "E:KEY=VALUE" lines of a file of udev's database.
std::map<std::string, std::string, std::less<>> ParseUdevProperties(std::string_view text);

struct NetDevLine {
  std::string_view device;
  std::array<uint64_t, 16> values{};  // In the columns of the file.
};
base::Result<std::vector<NetDevLine>> ParseNetDev(std::string_view text);

// Microseconds stalled since boot.
struct Pressure {
  std::optional<uint64_t> some, full;
};
base::Result<Pressure> ParsePressure(std::string_view text);

// "name value" lines, as in /proc/vmstat.
std::vector<std::pair<std::string_view, uint64_t>> ParseNamedNumbers(std::string_view text);

// KEY=value lines of os-release(5), quotes and escapes undone.
OsRelease ParseOsRelease(std::string_view text);
// "22.04" of "22.04.3 LTS"; nothing when the text starts otherwise.
std::optional<double> LeadingVersion(std::string_view text);

// One number of /proc/net/netstat or snmp: "TcpExt", "ListenDrops", 0. MaxConn may be -1.
struct ProtocolField {
  std::string_view protocol;
  std::string_view name;
  int64_t value = 0;
};
// Pairs of lines, names then values.
base::Result<std::vector<ProtocolField>> ParseNetstat(std::string_view text);
// "Ip6InReceives 5" lines.
std::vector<ProtocolField> ParseSnmp6(std::string_view text);

// "TCP: inuse 8 orphan 0" lines.
std::vector<ProtocolField> ParseSockstat(std::string_view text);

struct SoftnetCpu {
  uint32_t cpu = 0;
  std::array<uint64_t, 15> values{};  // In the columns of the file.
  size_t count = 0;
};
base::Result<std::vector<SoftnetCpu>> ParseSoftnet(std::string_view text);

// Sums over the CPUs, by the names of the first line.
base::Result<std::vector<std::pair<std::string_view, uint64_t>>> ParseConntrackStat(
    std::string_view text);

// Entries of /proc/net/arp by device.
std::map<std::string, uint64_t, std::less<>> ParseArp(std::string_view text);

struct ScheduledCpu {
  std::string_view cpu;
  uint64_t running_ns = 0, waiting_ns = 0, timeslices = 0;
};
std::vector<ScheduledCpu> ParseSchedstat(std::string_view text);

struct UdpQueues {
  uint64_t tx = 0, rx = 0;
};
base::Result<UdpQueues> ParseUdpQueues(std::string_view text);

struct RaidArray {
  std::string name;
  std::string state;  // active, inactive, or what it does: recovering, resyncing, checking.
  uint64_t disks_active = 0, disks_total = 0, disks_failed = 0, disks_spare = 0, disks_down = 0;
  uint64_t blocks = 0, blocks_synced = 0;
};
base::Result<std::vector<RaidArray>> ParseMdstat(std::string_view text);

struct SensorFile {
  std::string_view type;      // "temp"
  std::string_view number;    // "1", may be empty.
  std::string_view property;  // "input", may be empty.
};
// "temp1_input" in its parts; nothing for a file that is no sensor's.
std::optional<SensorFile> ParseSensorFile(std::string_view name);
// Lower case; what a metric name cannot have becomes '_', none at the ends.
std::string CleanSensorName(std::string_view name);

struct KstatNumber {
  std::string_view name;
  double value = 0;
};
// The numbers of a file of /proc/spl/kstat.
std::vector<KstatNumber> ParseKstat(std::string_view text);

struct Interrupt {
  std::string_view type;  // "0", "NMI".
  std::string info, devices = {};
  std::vector<uint64_t> counts;  // By CPU.
};
base::Result<std::vector<Interrupt>> ParseInterrupts(std::string_view text);

// The families of a textfile collector's file. Errors: kInvalidArgument for a page that does not
// parse, or has time stamps.
struct TextFamily {
  std::string name;
  std::string help;
  model::MetricType type = model::MetricType::kUntyped;
  bool has_help = false, has_type = false;
  // Labels (sorted, without __name__) and the metric.
  std::vector<std::pair<model::Labels, model::Metric>> metrics;
};
base::Result<std::vector<TextFamily>> ParseTextfile(std::string_view text);

}  // namespace exporters::host
