// CPU time by mode, and what sysfs says about each CPU. See proc_stat(5): a line is
// "cpu0 user nice system idle iowait irq softirq steal guest guest_nice", in 1/100 s; user and nice
// include the guest times.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "exporters/host/context.h"
#include "exporters/host/parsers.h"
#include "exporters/host/text.h"
#include "lib/base/strings.h"

namespace exporters::host {
namespace {

using model::MetricDesc;
using model::MetricType;

constexpr MetricDesc kSeconds{.name = "node_cpu_seconds_total",
                              .help = "Time the CPU spent in each mode.",
                              .type = MetricType::kCounter,
                              .labels = {"cpu", "mode"}};
constexpr MetricDesc kGuestSeconds{.name = "node_cpu_guest_seconds_total",
                                   .help =
                                       "Time the CPU spent running guests, by their niceness. "
                                       "It is part of the user and nice modes too.",
                                   .type = MetricType::kCounter,
                                   .labels = {"cpu", "mode"}};
constexpr MetricDesc kOnline{.name = "node_cpu_online",
                             .help = "Whether the kernel schedules on the CPU.",
                             .labels = {"cpu"}};
constexpr MetricDesc kIsolated{.name = "node_cpu_isolated",
                               .help = "CPUs that the scheduler leaves alone (isolcpus).",
                               .labels = {"cpu"}};
constexpr MetricDesc kCoreThrottles{.name = "node_cpu_core_throttles_total",
                                    .help = "How often the core was slowed down to cool.",
                                    .type = MetricType::kCounter,
                                    .labels = {"core", "package"}};
constexpr MetricDesc kPackageThrottles{.name = "node_cpu_package_throttles_total",
                                       .help = "How often the package was slowed down to cool.",
                                       .type = MetricType::kCounter,
                                       .labels = {"package"}};
constexpr MetricDesc kInfo{.name = "node_cpu_info",
                           .help = "What /proc/cpuinfo says about the CPU. Always 1.",
                           .labels = {"cachesize", "core", "cpu", "family", "microcode", "model",
                                      "model_name", "package", "stepping", "vendor"}};
constexpr MetricDesc kFrequency{.name = "node_cpu_frequency_hertz",
                                .help = "Clock rate that /proc/cpuinfo shows.",
                                .labels = {"core", "cpu", "package"}};
constexpr MetricDesc kFlagInfo{.name = "node_cpu_flag_info",
                               .help = "Features of the first CPU. Always 1.",
                               .labels = {"flag"}};
constexpr MetricDesc kBugInfo{.name = "node_cpu_bug_info",
                              .help = "Known hardware bugs of the first CPU. Always 1.",
                              .labels = {"bug"}};

constexpr double kTicksPerSecond = 100;  // USER_HZ, part of the kernel's interface.
constexpr size_t kIdle = 3;
constexpr uint64_t kHotplugTicks = 300;
constexpr std::string_view kModes[] = {"user",   "nice", "system",  "idle",
                                       "iowait", "irq",  "softirq", "steal"};
constexpr size_t kGuest = std::size(kModes);

double Seconds(uint64_t ticks) { return static_cast<double>(ticks) / kTicksPerSecond; }

void EmitTimes(const Context& host, Scrape& scrape) {
  for (const auto& [cpu, times] : host.cpu_times) {
    const std::string name = std::to_string(cpu);
    for (size_t mode = 0; mode < std::size(kModes); ++mode) {
      scrape.Emit(kSeconds, Seconds(times[mode]), {name, kModes[mode]});
    }
    if (host.options.cpu_guest) {
      scrape.Emit(kGuestSeconds, Seconds(times[kGuest]), {name, "user"});
      scrape.Emit(kGuestSeconds, Seconds(times[kGuest + 1]), {name, "nice"});
    }
  }
}

std::vector<uint32_t> ReadCpuList(Context& host, std::string_view file) {
  const auto text = host.sys.ReadText(fmt::format("devices/system/cpu/{}", file));
  if (!text.ok()) {
    return {};
  }
  return ParseCpuList(*text).value_or({});
}

void CollectTopology(Context& host, Scrape& scrape) {
  const std::vector<uint32_t> present = ReadCpuList(host, "present");
  const std::vector<uint32_t> online = ReadCpuList(host, "online");
  for (const uint32_t cpu : present) {
    const bool is_online = std::binary_search(online.begin(), online.end(), cpu);
    scrape.Emit(kOnline, is_online ? 1 : 0, {std::to_string(cpu)});
  }
  for (const uint32_t cpu : ReadCpuList(host, "isolated")) {
    scrape.Emit(kIsolated, 1, {std::to_string(cpu)});
  }
}

// Hyper-threads share the counters of their core, cores those of their package: each is shown once.
void CollectThrottles(Context& host, Scrape& scrape) {
  std::set<int64_t> packages;
  std::set<std::pair<int64_t, int64_t>> cores;
  for (const auto& [cpu, times] : host.cpu_times) {
    const std::string path = fmt::format("devices/system/cpu/cpu{}/", cpu);
    const auto core_count = host.sys.ReadInt(path + "thermal_throttle/core_throttle_count");
    const auto package_count = host.sys.ReadInt(path + "thermal_throttle/package_throttle_count");
    if (!core_count && !package_count) {
      continue;
    }
    const auto package = host.sys.ReadInt(path + "topology/physical_package_id");
    const auto core = host.sys.ReadInt(path + "topology/core_id");
    if (!package || !core) {
      continue;
    }
    const std::string package_name = std::to_string(*package);
    if (core_count && cores.emplace(*package, *core).second) {
      scrape.Emit(kCoreThrottles, static_cast<double>(*core_count),
                  {std::to_string(*core), package_name});
    }
    if (package_count && packages.insert(*package).second) {
      scrape.Emit(kPackageThrottles, static_cast<double>(*package_count), {package_name});
    }
  }
}

std::string_view Get(const CpuInfo& info, std::string_view key) {
  const auto found = info.find(key);
  return found == info.end() ? std::string_view() : found->second;
}

void EmitWords(const MetricDesc& desc, std::string_view words, const Filter& filter,
               Scrape& scrape) {
  for (const std::string_view word : SplitFields(words)) {
    if (filter.Accepts(word)) {
      scrape.Emit(desc, 1, {word});
    }
  }
}

base::Result<void> CollectInfo(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::string text, host.proc.Read("cpuinfo"));
  const std::vector<CpuInfo> cpus = ParseCpuInfo(text);
  const bool has_cpufreq = host.sys.List("devices/system/cpu/cpufreq").value_or({}).size() > 1;
  for (const CpuInfo& cpu : cpus) {
    scrape.Emit(
        kInfo, 1,
        {Get(cpu, "cache size"), Get(cpu, "core id"), Get(cpu, "processor"), Get(cpu, "cpu family"),
         Get(cpu, "microcode"), Get(cpu, "model"), Get(cpu, "model name"), Get(cpu, "physical id"),
         Get(cpu, "stepping"), Get(cpu, "vendor_id")});
    const auto megahertz = base::ParseDouble(Get(cpu, "cpu MHz"));
    if (megahertz && !has_cpufreq) {
      scrape.Emit(kFrequency, *megahertz * 1e6,
                  {Get(cpu, "core id"), Get(cpu, "processor"), Get(cpu, "physical id")});
    }
  }
  if (!cpus.empty() && !host.options.cpu_flags_include.empty()) {
    EmitWords(kFlagInfo, Get(cpus[0], "flags"), host.filters.cpu_flags, scrape);
  }
  if (!cpus.empty() && !host.options.cpu_bugs_include.empty()) {
    EmitWords(kBugInfo, Get(cpus[0], "bugs"), host.filters.cpu_bugs, scrape);
  }
  return {};
}

bool WantsInfo(const HostOptions& options) {
  return options.cpu_info || !options.cpu_flags_include.empty() ||
         !options.cpu_bugs_include.empty();
}

base::Result<void> CollectCpu(Context& host, Scrape& scrape) {
  const base::Result<std::string>& stat = host.Stat();
  if (!stat.ok()) {
    return stat.error();
  }
  ASSIGN_OR_RETURN(const auto times, ParseCpuTimes(*stat));
  for (const auto& [cpu, now] : times) {
    const auto [at, added] = host.cpu_times.try_emplace(cpu, now);
    if (!added) {
      KeepRising(now, &at->second);
    }
  }
  EmitTimes(host, scrape);
  CollectTopology(host, scrape);
  CollectThrottles(host, scrape);
  return WantsInfo(host.options) ? CollectInfo(host, scrape) : base::Result<void>();
}

}  // namespace

base::Result<std::vector<uint32_t>> ParseCpuList(std::string_view text) {
  std::vector<uint32_t> cpus;
  if (base::TrimSpace(text).empty()) {
    return cpus;
  }
  for (const std::string_view part : base::Split(base::TrimSpace(text), ',')) {
    const size_t dash = part.find('-');
    const auto first = ParseNumber(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : ParseNumber(part.substr(dash + 1));
    if (!first || !last || *first > *last || *last >= kMaxCpus) {
      return base::Error(fmt::format("CPU list \"{}\": ranges like 0-3,7 expected", text),
                         base::ErrorKind::kInvalidArgument);
    }
    for (uint64_t cpu = *first; cpu <= *last && cpus.size() < kMaxCpus; ++cpu) {
      cpus.push_back(static_cast<uint32_t>(cpu));
    }
  }
  return cpus;
}

base::Result<std::vector<std::pair<uint32_t, CpuTimes>>> ParseCpuTimes(std::string_view stat) {
  std::vector<std::pair<uint32_t, CpuTimes>> cpus;
  while (!stat.empty()) {
    std::string_view line = NextLine(&stat);
    const std::string_view name = NextField(&line);
    if (name.substr(0, 3) != "cpu" || name == "cpu") {
      continue;
    }
    const auto number = ParseNumber(name.substr(3));
    CpuTimes times{};
    if (!number || *number >= kMaxCpus || ParseNumbers(line, &times) <= kIdle) {
      return base::Error(fmt::format("stat: a cpu line like \"cpu0 1 2 3 4 …\" expected, not "
                                     "\"{}{}\"",
                                     name, line.substr(0, 80)),
                         base::ErrorKind::kInvalidArgument);
    }
    cpus.emplace_back(static_cast<uint32_t>(*number), times);
  }
  if (cpus.empty()) {
    return base::Error("stat: no cpu lines", base::ErrorKind::kInvalidArgument);
  }
  return cpus;
}

void KeepRising(const CpuTimes& now, CpuTimes* highest) {
  if (now[kIdle] + kHotplugTicks <= (*highest)[kIdle]) {
    *highest = now;
    return;
  }
  for (size_t mode = 0; mode < now.size(); ++mode) {
    (*highest)[mode] = std::max((*highest)[mode], now[mode]);
  }
}

std::vector<CpuInfo> ParseCpuInfo(std::string_view text) {
  std::vector<CpuInfo> cpus;
  while (!text.empty() && cpus.size() < kMaxCpus) {
    const std::string_view line = NextLine(&text);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) {
      continue;
    }
    const std::string_view key = base::TrimSpace(line.substr(0, colon));
    if (key == "processor") {
      cpus.emplace_back();
    }
    if (!cpus.empty()) {
      cpus.back().insert_or_assign(std::string(key),
                                   std::string(base::TrimSpace(line.substr(colon + 1))));
    }
  }
  return cpus;
}

extern constexpr HostCollector kCpuCollector{
    .name = "cpu",
    .help = "CPU time by mode, CPUs online and isolated, thermal throttling.",
    .collect = CollectCpu};

}  // namespace exporters::host
