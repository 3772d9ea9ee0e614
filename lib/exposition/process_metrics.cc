// Formats: proc(5). /proc/self/stat is "pid (comm) state ppid …", where comm may itself hold spaces
// and parentheses, so fields are counted from the last ')'.
#include "lib/exposition/process_metrics.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/strings.h"

namespace exposition {
namespace {

using model::MetricDesc;
using model::MetricType;

constexpr MetricDesc kCpuSeconds{.name = "process_cpu_seconds_total",
                                 .help = "CPU time this process has used, in user and kernel mode.",
                                 .type = MetricType::kCounter,
                                 .unit = "seconds"};
constexpr MetricDesc kMaxFds{.name = "process_max_fds",
                             .help = "File descriptors this process may have open."};
constexpr MetricDesc kOpenFds{.name = "process_open_fds",
                              .help = "File descriptors this process has open."};
constexpr MetricDesc kResidentBytes{.name = "process_resident_memory_bytes",
                                    .help = "Memory of this process that is in RAM.",
                                    .unit = "bytes"};
constexpr MetricDesc kStartTime{.name = "process_start_time_seconds",
                                .help = "When this process started, as a Unix time.",
                                .unit = "seconds"};
constexpr MetricDesc kVirtualBytes{.name = "process_virtual_memory_bytes",
                                   .help = "Address space of this process.",
                                   .unit = "bytes"};
constexpr MetricDesc kMaxVirtualBytes{.name = "process_virtual_memory_max_bytes",
                                      .help = "Address space this process may have.",
                                      .unit = "bytes"};

// The words of /proc/PID/stat that we use, counted from 0 after the ')'.
constexpr size_t kUserTicks = 11;
constexpr size_t kSystemTicks = 12;
constexpr size_t kStartTicks = 19;
constexpr size_t kVirtualSize = 20;
constexpr size_t kResidentPages = 21;

std::optional<double> NumberAt(const std::vector<std::string_view>& words, size_t index) {
  return index < words.size() ? base::ParseDouble(words[index]) : std::nullopt;
}

std::vector<std::string_view> WordsAfterComm(std::string_view stat) {
  const size_t comm_end = stat.rfind(") ");
  if (comm_end == std::string_view::npos) {
    return {};
  }
  return base::Split(base::TrimSpace(stat.substr(comm_end + 2)), ' ');
}

// The first word after `label` on the line that starts with it.
std::string_view WordAfter(std::string_view text, std::string_view label) {
  for (const std::string_view line : base::Split(text, '\n')) {
    if (line.substr(0, label.size()) == label) {
      const std::string_view rest = base::TrimSpace(line.substr(label.size()));
      return rest.substr(0, rest.find(' '));
    }
  }
  return {};
}

// A soft limit of /proc/PID/limits. Unlimited is the largest 64-bit number, as in Go's client.
std::optional<double> ParseLimit(std::string_view limits, std::string_view name) {
  const std::string_view word = WordAfter(limits, name);
  if (word == "unlimited") {
    return static_cast<double>(std::numeric_limits<uint64_t>::max());
  }
  return base::ParseDouble(word);
}

// What ParseLimit finds in /proc/self/limits, without having the kernel print sixteen lines of it.
std::optional<double> OwnLimit(__rlimit_resource_t resource) {
  rlimit limit{};
  return getrlimit(resource, &limit) == 0 ? std::optional(static_cast<double>(limit.rlim_cur))
                                          : std::nullopt;
}

// "btime" of /proc/stat, a file that grows with the number of processors and interrupts.
std::optional<double> BootTime() {
  timespec now{};
  timespec up{};
  if (clock_gettime(CLOCK_REALTIME, &now) != 0 || clock_gettime(CLOCK_BOOTTIME, &up) != 0) {
    return std::nullopt;
  }
  return static_cast<double>(now.tv_sec - up.tv_sec - (now.tv_nsec < up.tv_nsec ? 1 : 0));
}

// Linux 6.2 and later say how many descriptors are open as the size of the folder, which spares
// walking it; older ones say 0.
std::optional<double> CountEntries(const std::string& directory, bool in_procfs, bool own) {
  struct stat status {};
  if (in_procfs && stat(directory.c_str(), &status) == 0 && status.st_size > 0) {
    return static_cast<double>(status.st_size);
  }
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir(directory.c_str()), closedir);
  if (dir == nullptr) {
    return std::nullopt;
  }
  double count = own ? -1 : 0;  // Without the descriptor that reads the directory.
  // Each DIR is read by one thread, so readdir is safe.
  while (const dirent* entry = readdir(dir.get())) {  // NOLINT(concurrency-mt-unsafe)
    count += entry->d_name[0] == '.' ? 0 : 1;
  }
  return count;
}

std::string ReadOrEmpty(const std::string& path) {
  return base::ReadFile(path).value_or(std::string());
}

}  // namespace

std::vector<model::MetricFamily> CollectProcessMetrics(const std::string& proc,
                                                       const std::string& process) {
  const std::string folder = proc + "/" + process;
  const std::string stat = ReadOrEmpty(folder + "/stat");
  const bool in_procfs = proc == "/proc";
  const bool own = in_procfs && process == "self";
  const std::string limits = own ? std::string() : ReadOrEmpty(folder + "/limits");
  const std::string system_stat = own ? std::string() : ReadOrEmpty(proc + "/stat");
  const std::vector<std::string_view> words = WordsAfterComm(stat);
  const auto ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto page_bytes = static_cast<double>(sysconf(_SC_PAGESIZE));
  const std::optional<double> user = NumberAt(words, kUserTicks);
  const std::optional<double> system = NumberAt(words, kSystemTicks);
  const std::optional<double> start = NumberAt(words, kStartTicks);
  const std::optional<double> pages = NumberAt(words, kResidentPages);
  const std::optional<double> boot =
      own ? BootTime() : base::ParseDouble(WordAfter(system_stat, "btime "));

  std::vector<model::MetricFamily> families;
  const auto add = [&families](const MetricDesc& desc, std::optional<double> value) {
    if (value.has_value()) {
      families.push_back({.desc = &desc});
      families.back().Add(*value);
    }
  };
  add(kCpuSeconds,
      user && system ? std::optional((*user + *system) / ticks_per_second) : std::nullopt);
  add(kMaxFds, own ? OwnLimit(RLIMIT_NOFILE) : ParseLimit(limits, "Max open files "));
  add(kOpenFds, CountEntries(folder + "/fd", in_procfs, process == "self"));
  add(kResidentBytes, pages ? std::optional(*pages * page_bytes) : std::nullopt);
  add(kStartTime, boot && start ? std::optional(*boot + *start / ticks_per_second) : std::nullopt);
  add(kVirtualBytes, NumberAt(words, kVirtualSize));
  add(kMaxVirtualBytes, own ? OwnLimit(RLIMIT_AS) : ParseLimit(limits, "Max address space "));
  return families;
}

}  // namespace exposition
