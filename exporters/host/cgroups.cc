#include "exporters/host/cgroups.h"

#include <algorithm>
#include <cctype>
#include <memory>
#include <span>
#include <utility>

#include <dirent.h>
#include <fmt/format.h>
#include <unistd.h>

#include "exporters/host/text.h"
#include "lib/base/strings.h"

namespace exporters::host {
namespace {

using Stat = CgroupStat;

constexpr double kMicro = 1e-6;
constexpr double kNano = 1e-9;
constexpr double kTick = -1;  // Of a second, as the kernel counts for users.

// A line "key value"; the whole file where `key` is "".
struct Key {
  std::string_view key;
  Stat stat;
  double scale = 1;
};

struct StatFile {
  std::string_view controller;  // Of version 1.
  std::string_view file;
  std::span<const Key> keys;
};

constexpr Key kCpuStat2[] = {
    {"usage_usec", Stat::kCpuUsage, kMicro},      {"user_usec", Stat::kCpuUser, kMicro},
    {"system_usec", Stat::kCpuSystem, kMicro},    {"nr_periods", Stat::kCpuPeriods},
    {"nr_throttled", Stat::kCpuThrottledPeriods}, {"throttled_usec", Stat::kCpuThrottled, kMicro},
    {"nr_bursts", Stat::kCpuBurstPeriods},        {"burst_usec", Stat::kCpuBurst, kMicro}};
constexpr Key kMemoryCurrent[] = {{"", Stat::kMemoryUsage}};
constexpr Key kMemorySwapCurrent[] = {{"", Stat::kMemorySwap}};
// In the kernel's order.
constexpr Key kMemoryStat2[] = {{"anon", Stat::kMemoryRss},
                                {"file", Stat::kMemoryCache},
                                {"kernel", Stat::kMemoryKernel},
                                {"file_mapped", Stat::kMemoryMapped},
                                {"file_dirty", Stat::kMemoryDirty},
                                {"file_writeback", Stat::kMemoryWriteback},
                                {"inactive_file", Stat::kMemoryInactiveFile},
                                {"active_file", Stat::kMemoryActiveFile},
                                {"workingset_refault_anon", Stat::kRefaultsAnonymous},
                                {"workingset_refault_file", Stat::kRefaultsFile},
                                {"pgscan", Stat::kPagesScanned},
                                {"pgsteal", Stat::kPagesStolen},
                                {"pgfault", Stat::kPageFaults},
                                {"pgmajfault", Stat::kMajorPageFaults}};
constexpr Key kMemoryEvents[] = {{"high", Stat::kMemoryHighEvents},
                                 {"max", Stat::kMemoryMaxEvents},
                                 {"oom_kill", Stat::kOomKills}};
constexpr Key kPidsCurrent[] = {{"", Stat::kThreads}};
constexpr StatFile kFigures2[] = {{"", "cpu.stat", kCpuStat2},
                                  {"", "memory.current", kMemoryCurrent},
                                  {"", "memory.swap.current", kMemorySwapCurrent},
                                  {"", "memory.stat", kMemoryStat2},
                                  {"", "memory.events", kMemoryEvents},
                                  {"", "pids.current", kPidsCurrent}};

constexpr Key kCpuacctUsage[] = {{"", Stat::kCpuUsage, kNano}};
constexpr Key kCpuacctStat[] = {{"user", Stat::kCpuUser, kTick},
                                {"system", Stat::kCpuSystem, kTick}};
constexpr Key kCpuStat1[] = {{"nr_periods", Stat::kCpuPeriods},
                             {"nr_throttled", Stat::kCpuThrottledPeriods},
                             {"throttled_time", Stat::kCpuThrottled, kNano},
                             {"nr_bursts", Stat::kCpuBurstPeriods},
                             {"burst_time", Stat::kCpuBurst, kNano}};
constexpr Key kMemoryUsageInBytes[] = {{"", Stat::kMemoryUsage}};
constexpr Key kMemoryStat1[] = {{"total_cache", Stat::kMemoryCache},
                                {"total_rss", Stat::kMemoryRss},
                                {"total_mapped_file", Stat::kMemoryMapped},
                                {"total_dirty", Stat::kMemoryDirty},
                                {"total_writeback", Stat::kMemoryWriteback},
                                {"total_swap", Stat::kMemorySwap},
                                {"total_pgfault", Stat::kPageFaults},
                                {"total_pgmajfault", Stat::kMajorPageFaults},
                                {"total_inactive_file", Stat::kMemoryInactiveFile},
                                {"total_active_file", Stat::kMemoryActiveFile}};
constexpr Key kFailcnt[] = {{"", Stat::kMemoryFailures}};
constexpr Key kOomControl[] = {{"oom_kill", Stat::kOomKills}};
constexpr Key kKernelUsage[] = {{"", Stat::kMemoryKernel}};
constexpr StatFile kFigures1[] = {{"cpuacct", "cpuacct.usage", kCpuacctUsage},
                                  {"cpuacct", "cpuacct.stat", kCpuacctStat},
                                  {"cpu", "cpu.stat", kCpuStat1},
                                  {"memory", "memory.usage_in_bytes", kMemoryUsageInBytes},
                                  {"memory", "memory.stat", kMemoryStat1},
                                  {"memory", "memory.failcnt", kFailcnt},
                                  {"memory", "memory.oom_control", kOomControl},
                                  {"memory", "memory.kmem.usage_in_bytes", kKernelUsage},
                                  {"pids", "pids.current", kPidsCurrent}};

constexpr Key kPeak[] = {{"", Stat::kMemoryPeak}};
constexpr Key kLimit[] = {{"", Stat::kMemoryLimit}};
constexpr Key kSwapLimit[] = {{"", Stat::kMemorySwapLimit}};
constexpr Key kReservation[] = {{"", Stat::kMemoryReservation}};
constexpr Key kPidsMax[] = {{"", Stat::kThreadsLimit}};
constexpr Key kShares[] = {{"", Stat::kCpuShares}};
constexpr Key kQuota[] = {{"", Stat::kCpuQuota}};
constexpr Key kPeriod[] = {{"", Stat::kCpuPeriod}};
constexpr StatFile kLimits2[] = {{"", "memory.peak", kPeak},
                                 {"", "memory.max", kLimit},
                                 {"", "memory.swap.max", kSwapLimit},
                                 {"", "memory.min", kReservation},
                                 {"", "pids.max", kPidsMax}};
constexpr StatFile kLimits1[] = {{"memory", "memory.max_usage_in_bytes", kPeak},
                                 {"memory", "memory.limit_in_bytes", kLimit},
                                 {"memory", "memory.memsw.limit_in_bytes", kSwapLimit},
                                 {"memory", "memory.soft_limit_in_bytes", kReservation},
                                 {"pids", "pids.max", kPidsMax},
                                 {"cpu", "cpu.shares", kShares},
                                 {"cpu", "cpu.cfs_quota_us", kQuota},
                                 {"cpu", "cpu.cfs_period_us", kPeriod}};
// Version 1 has no word for "no limit", but the largest number of pages.
constexpr double kNoLimit1 = 9e18;

struct PressureFile {
  std::string_view file;
  Stat some;
  Stat full;
};
constexpr PressureFile kPressures[] = {
    {"cpu.pressure", Stat::kCpuWaiting, Stat::kCpuStalled},
    {"memory.pressure", Stat::kMemoryWaiting, Stat::kMemoryStalled},
    {"io.pressure", Stat::kIoWaiting, Stat::kIoStalled}};

double Scaled(uint64_t value, double scale) {
  return scale == kTick ? static_cast<double>(value) / static_cast<double>(sysconf(_SC_CLK_TCK))
                        : static_cast<double>(value) * scale;
}

void ParseKeys(std::string_view text, std::span<const Key> keys, CgroupStats* stats) {
  if (keys.front().key.empty()) {
    const std::string_view field = base::TrimSpace(text);
    if (const auto value = ParseNumber(field)) {
      stats->Set(keys.front().stat, Scaled(*value, keys.front().scale));
    } else if (field == "max" || field == "-1") {
      stats->Set(keys.front().stat, 0);
    }
    return;
  }
  while (!text.empty()) {
    std::string_view line = NextLine(&text);
    const std::string_view name = NextField(&line);
    const Key* const end = keys.data() + keys.size();
    const Key* const key =
        std::find_if(keys.data(), end, [name](const Key& row) { return row.key == name; });
    if (key == end) {
      continue;
    }
    if (const auto value = ParseNumber(NextField(&line))) {
      stats->Set(key->stat, Scaled(*value, key->scale));
    }
  }
}

// "some avg10=0.00 avg60=0.00 avg300=0.00 total=123", microseconds.
void ParsePressureTotals(std::string_view text, const PressureFile& file, CgroupStats* stats) {
  while (!text.empty()) {
    const std::string_view line = NextLine(&text);
    const size_t total = line.find("total=");
    if (total == std::string_view::npos) {
      continue;
    }
    if (const auto value = ParseNumber(line.substr(total + 6))) {
      stats->Set(line.substr(0, 4) == "some" ? file.some : file.full,
                 static_cast<double>(*value) * kMicro);
    }
  }
}

// A weight of 1 to 10000 as the shares of version 1, 2 to 262144.
double SharesOfWeight(double weight) { return 2 + (weight - 1) * 262142 / 9999; }

bool IsContainerId(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// Takes `suffix` off the end of `text`; false when it is not there.
bool StripSuffix(std::string_view suffix, std::string_view* text) {
  if (text->size() < suffix.size() || text->substr(text->size() - suffix.size()) != suffix) {
    return false;
  }
  text->remove_suffix(suffix.size());
  return true;
}

// systemd writes '-' in a name as \x2d.
std::string UnescapeUnit(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = text.substr(i, 2) == "\\x" && text.size() - i >= 4
                          ? ParseNumber(text.substr(i + 2, 2), 16)
                          : std::nullopt;
    plain += byte ? static_cast<char>(*byte) : text[i];
    i += byte ? size_t{3} : size_t{0};
  }
  return plain;
}

constexpr std::string_view kIdPrefixes[] = {"docker-",  "libpod-",  "cri-containerd-",
                                            "crio-",    "nerdctl-", "containerd-",
                                            "libcrun-", "buildah-"};
constexpr std::string_view kHelperPrefixes[] = {"libpod-conmon-", "crio-conmon-", "conmon",
                                                "libpod-payload"};
// Prefix and suffix around the name of a container or machine that has no ID.
constexpr std::pair<std::string_view, std::string_view> kNamed[] = {
    {"lxc.payload.", ""}, {"machine-", ".scope"}, {"systemd-nspawn@", ".service"}};
constexpr std::string_view kIgnoredSuffixes[] = {".mount", ".swap",   ".socket", ".scope",
                                                 ".timer", ".device", ".path",   ".automount"};

std::string_view LastPart(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

CgroupName ClassifyCgroup(std::string_view path) {
  const std::string_view part = LastPart(path);
  const std::string_view parent = LastPart(path.substr(0, path.size() - part.size() - 1));
  for (const std::string_view prefix : kHelperPrefixes) {
    if (StartsWith(part, prefix)) {
      return {.kind = CgroupKind::kIgnored};
    }
  }
  std::string_view id = part;
  StripSuffix(".scope", &id);
  for (const std::string_view prefix : kIdPrefixes) {
    if (StartsWith(id, prefix)) {
      id.remove_prefix(prefix.size());
      break;
    }
  }
  if (IsContainerId(id)) {
    return {.kind = CgroupKind::kContainer,
            .container_id = std::string(id),
            .kubernetes = path.find("kubepods") != std::string_view::npos};
  }
  for (const auto& [prefix, suffix] : kNamed) {
    std::string_view name = part;
    if (StartsWith(name, prefix) && StripSuffix(suffix, &name) && name.size() > prefix.size()) {
      return {.kind = CgroupKind::kContainer, .name = UnescapeUnit(name.substr(prefix.size()))};
    }
  }
  if (parent == "lxc") {
    return {.kind = CgroupKind::kContainer, .name = std::string(part)};
  }
  if (std::string_view name = part; StripSuffix(".service", &name)) {
    // A user's own systemd has slices, and perhaps containers, below it.
    return StartsWith(part, "user@")
               ? CgroupName{}
               : CgroupName{.kind = CgroupKind::kService, .name = UnescapeUnit(part)};
  }
  for (const std::string_view suffix : kIgnoredSuffixes) {
    if (std::string_view name = part; StripSuffix(suffix, &name)) {
      return {.kind = CgroupKind::kIgnored};
    }
  }
  return {};
}

std::vector<CgroupDevice> ParseIoStat(std::string_view text) {
  constexpr std::pair<std::string_view, uint64_t CgroupDevice::*> kFields[] = {
      {"rbytes", &CgroupDevice::read_bytes},
      {"wbytes", &CgroupDevice::written_bytes},
      {"rios", &CgroupDevice::reads},
      {"wios", &CgroupDevice::writes},
      {"dbytes", &CgroupDevice::discarded_bytes},
      {"dios", &CgroupDevice::discards}};
  std::vector<CgroupDevice> devices;
  while (!text.empty()) {
    std::string_view line = NextLine(&text);
    const std::string_view number = NextField(&line);
    const size_t colon = number.find(':');
    const auto major = ParseNumber(number.substr(0, colon));
    const auto minor =
        colon == std::string_view::npos ? std::nullopt : ParseNumber(number.substr(colon + 1));
    if (!major || !minor) {
      continue;
    }
    CgroupDevice device{.major = static_cast<uint32_t>(*major),
                        .minor = static_cast<uint32_t>(*minor)};
    bool any = false;
    for (std::string_view field = NextField(&line); !field.empty(); field = NextField(&line)) {
      const size_t equals = field.find('=');
      const auto value =
          equals == std::string_view::npos ? std::nullopt : ParseNumber(field.substr(equals + 1));
      for (const auto& [name, member] : kFields) {
        if (value && field.substr(0, equals) == name) {
          device.*member = *value;
          any = true;
        }
      }
    }
    if (any) {  // A device that was only configured has no figures.
      devices.push_back(device);
    }
  }
  return devices;
}

void ParseBlkio(std::string_view text, bool bytes, std::vector<CgroupDevice>* devices) {
  while (!text.empty()) {
    std::string_view line = NextLine(&text);
    const std::string_view number = NextField(&line);
    const std::string_view operation = NextField(&line);
    const auto value = ParseNumber(NextField(&line));
    const size_t colon = number.find(':');
    const auto major = ParseNumber(number.substr(0, colon));
    const auto minor =
        colon == std::string_view::npos ? std::nullopt : ParseNumber(number.substr(colon + 1));
    if (!major || !minor || !value) {
      continue;  // "Total 123" ends the file.
    }
    auto device = std::find_if(devices->begin(), devices->end(), [&](const CgroupDevice& known) {
      return known.major == *major && known.minor == *minor;
    });
    if (device == devices->end()) {
      device = devices->insert(
          device, {.major = static_cast<uint32_t>(*major), .minor = static_cast<uint32_t>(*minor)});
    }
    if (operation == "Read") {
      (bytes ? device->read_bytes : device->reads) = *value;
    } else if (operation == "Write") {
      (bytes ? device->written_bytes : device->writes) = *value;
    } else if (operation == "Discard") {
      (bytes ? device->discarded_bytes : device->discards) = *value;
    }
  }
}

Cgroups::Cgroups(std::string folder, size_t max_kept) : files_(std::move(folder), max_kept) {}

Cgroups::Version Cgroups::Detect() {
  const auto exists = [this](const std::string& name) {
    return access(files_.Path(name).c_str(), F_OK) == 0;
  };
  if (exists("cgroup.controllers")) {
    return Version::kTwo;
  }
  const auto first_of = [&exists](std::initializer_list<const char*> names) {
    for (const char* const name : names) {
      if (exists(name)) {
        return std::string(name);
      }
    }
    return std::string();
  };
  cpu_ = first_of({"cpu", "cpu,cpuacct", "cpuacct,cpu"});
  cpuacct_ = first_of({"cpuacct", "cpu,cpuacct", "cpuacct,cpu"});
  memory_ = first_of({"memory"});
  blkio_ = first_of({"blkio"});
  pids_ = first_of({"pids"});
  unified_ = first_of({"unified"});
  walked_ = first_of({"memory", "pids", "cpuacct", "cpu,cpuacct", "systemd"});
  return walked_.empty() ? Version::kNone : Version::kOne;
}

// "" when the controller is not there.
std::string Cgroups::FilePath(std::string_view controller, const std::string& path,
                              std::string_view file) const {
  if (version_ == Version::kTwo) {
    return fmt::format("{}/{}", std::string_view(path).substr(1), file);
  }
  const std::pair<std::string_view, const std::string*> folders[] = {
      {"cpu", &cpu_},     {"cpuacct", &cpuacct_}, {"memory", &memory_},
      {"blkio", &blkio_}, {"pids", &pids_},       {"unified", &unified_}};
  for (const auto& [name, folder] : folders) {
    if (name == controller && !folder->empty()) {
      return fmt::format("{}{}/{}", *folder, path, file);
    }
  }
  return {};
}

base::Result<std::vector<Cgroup>> Cgroups::List() {
  if (version_ == Version::kNone && (version_ = Detect()) == Version::kNone) {
    return base::Error(fmt::format("{}: no control groups", files_.root()),
                       base::ErrorKind::kNotFound);
  }
  const std::string root = files_.Path(version_ == Version::kTwo ? "" : walked_);
  struct Pending {
    std::string path;
    size_t depth = 0;
  };
  std::vector<Pending> pending = {{}};
  std::vector<Cgroup> groups;
  size_t visited = 0;
  while (!pending.empty() && visited++ < kMaxVisited) {
    const Pending at = std::move(pending.back());
    pending.pop_back();
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir((root + at.path).c_str()), closedir);
    if (folder == nullptr) {
      continue;  // Gone meanwhile.
    }
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no one else has this stream.
    while (const dirent* const entry = readdir(folder.get())) {
      if (entry->d_type != DT_DIR || entry->d_name[0] == '.') {
        continue;
      }
      Cgroup group{.path = fmt::format("{}/{}", at.path, entry->d_name), .name = {}};
      group.name = ClassifyCgroup(group.path);
      if (group.name.kind == CgroupKind::kIgnored) {
        continue;
      }
      // What is below a container or a service is counted with it.
      if (group.name.kind == CgroupKind::kInner && at.depth < kMaxDepth) {
        pending.push_back({group.path, at.depth + 1});
      }
      groups.push_back(std::move(group));
    }
  }
  std::sort(groups.begin(), groups.end(),
            [](const Cgroup& a, const Cgroup& b) { return a.path < b.path; });
  return groups;
}

void Cgroups::ReadFigures(const std::string& path, CgroupStats* stats) {
  const bool two = version_ == Version::kTwo;
  for (const StatFile& row : two ? std::span<const StatFile>(kFigures2) : kFigures1) {
    const std::string file = FilePath(row.controller, path, row.file);
    if (const auto text = file.empty() ? std::string() : files_.ReadOnce(file); text.ok()) {
      ParseKeys(*text, row.keys, stats);
    }
  }
  for (const PressureFile& row : kPressures) {
    const std::string file = FilePath("unified", path, row.file);
    if (const auto text = file.empty() ? std::string() : files_.ReadOnce(file); text.ok()) {
      ParsePressureTotals(*text, row, stats);
    }
  }
}

void Cgroups::ReadLimits(const std::string& path, CgroupStats* stats) {
  const bool two = version_ == Version::kTwo;
  for (const StatFile& row : two ? std::span<const StatFile>(kLimits2) : kLimits1) {
    const std::string file = FilePath(row.controller, path, row.file);
    if (const auto text = file.empty() ? std::string() : files_.ReadRarely(file); text.ok()) {
      ParseKeys(*text, row.keys, stats);
    }
  }
  for (const Stat stat : {Stat::kMemoryLimit, Stat::kMemorySwapLimit, Stat::kMemoryReservation}) {
    if (stats->Get(stat).value_or(0) > kNoLimit1) {
      stats->Set(stat, 0);
    }
  }
  if (!two) {
    return;
  }
  if (const auto text = files_.ReadRarely(FilePath("", path, "cpu.max")); text.ok()) {
    std::string_view rest = base::TrimSpace(*text);
    const auto quota = ParseNumber(NextField(&rest));  // Or "max".
    stats->Set(Stat::kCpuQuota, static_cast<double>(quota.value_or(0)));
    if (const auto period = ParseNumber(NextField(&rest))) {
      stats->Set(Stat::kCpuPeriod, static_cast<double>(*period));
    }
  }
  if (const auto text = files_.ReadRarely(FilePath("", path, "cpu.weight")); text.ok()) {
    if (const auto weight = ParseNumber(base::TrimSpace(*text))) {
      stats->Set(Stat::kCpuShares, SharesOfWeight(static_cast<double>(*weight)));
    }
  }
}

std::vector<CgroupDevice> Cgroups::ReadDevices(const std::string& path) {
  if (version_ == Version::kTwo) {
    return ParseIoStat(files_.ReadOnce(FilePath("", path, "io.stat")).value_or(""));
  }
  std::vector<CgroupDevice> devices;
  if (!blkio_.empty()) {
    const auto read = [&](std::string_view file) {
      return files_.ReadOnce(FilePath("blkio", path, file)).value_or("");
    };
    ParseBlkio(read("blkio.throttle.io_service_bytes_recursive"), true, &devices);
    ParseBlkio(read("blkio.throttle.io_serviced_recursive"), false, &devices);
  }
  return devices;
}

std::vector<uint32_t> Cgroups::ReadProcesses(const std::string& path) {
  const std::string root = version_ == Version::kTwo ? std::string() : walked_;
  // Version 2 has processes only in the leaves.
  for (const std::string_view below : {"", "/container", "/init.scope", "/payload", "/init"}) {
    const std::string file = fmt::format("{}{}{}/cgroup.procs", root, path, below);
    const auto text = files_.ReadRarely(version_ == Version::kTwo ? file.substr(1) : file);
    std::vector<uint32_t> processes;
    for (std::string_view rest = text.ok() ? std::string_view(*text) : std::string_view();
         !rest.empty();) {
      const auto process = ParseNumber(NextLine(&rest));
      if (process && *process > 0) {  // 0 is a process of an outer PID namespace.
        processes.push_back(static_cast<uint32_t>(*process));
      }
    }
    if (!processes.empty()) {
      return processes;
    }
  }
  return {};
}

std::optional<double> Cgroups::ReadOomKills(const std::string& path) {
  const bool two = version_ == Version::kTwo;
  const std::string file = FilePath("memory", path, two ? "memory.events" : "memory.oom_control");
  const auto text = file.empty() ? std::string() : files_.ReadOnce(file);
  if (!text.ok()) {
    return std::nullopt;
  }
  CgroupStats stats;
  ParseKeys(*text, two ? std::span<const Key>(kMemoryEvents) : kOomControl, &stats);
  return stats.Get(Stat::kOomKills);
}

void Cgroups::Forget(const std::string& path) {
  const bool two = version_ == Version::kTwo;
  for (const StatFile& row : two ? std::span<const StatFile>(kFigures2) : kFigures1) {
    files_.Forget(FilePath(row.controller, path, row.file));
  }
  for (const PressureFile& row : kPressures) {
    files_.Forget(FilePath("unified", path, row.file));
  }
  for (const std::string_view file : {"io.stat", "blkio.throttle.io_service_bytes_recursive",
                                      "blkio.throttle.io_serviced_recursive"}) {
    files_.Forget(FilePath("blkio", path, file));
  }
}

}  // namespace exporters::host
