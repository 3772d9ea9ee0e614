// Processes as /proc/PID shows them, and groups of them. A group's counters go on when its
// processes end, so they never fall.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exporters/host/files.h"
#include "lib/base/clock.h"

namespace exporters::host {

// Of /proc/PID/stat.
struct ProcessStat {
  std::string_view name;
  char state = '?';
  bool kernel_thread = false;
  uint64_t minor_faults = 0, major_faults = 0;
  uint64_t user_ticks = 0, system_ticks = 0;
  uint64_t threads = 0;
  uint64_t start_ticks = 0;  // Since boot.
  uint64_t virtual_bytes = 0, resident_pages = 0;
};
std::optional<ProcessStat> ParseProcessStat(std::string_view text);

// Of /proc/PID/status.
struct ProcessStatus {
  std::optional<uint64_t> swapped_bytes, voluntary_switches, involuntary_switches;
};
ProcessStatus ParseProcessStatus(std::string_view text);

// Of /proc/PID/io; only root may read another user's.
struct ProcessIo {
  uint64_t read_bytes = 0, written_bytes = 0;
};
std::optional<ProcessIo> ParseProcessIo(std::string_view text);

// "Max open files 1024 …" of /proc/PID/limits; nothing when there is no limit.
std::optional<uint64_t> ParseOpenFilesLimit(std::string_view text);
// The group of a process by its /proc/PID/cgroup: the systemd unit or container it is in, or the
// path.
std::string UnitOfProcess(std::string_view cgroup_file);
std::string CgroupOfProcess(std::string_view cgroup_file);

enum class ProcessGrouping { kName, kUnit, kCgroup };
std::optional<ProcessGrouping> ParseProcessGrouping(std::string_view text);

enum class ProcessCounter : uint8_t {
  kUser,  // Ticks.
  kSystem,
  kMinorFaults,
  kMajorFaults,
  kVoluntarySwitches,
  kInvoluntarySwitches,
  kReadBytes,
  kWrittenBytes,
  kCount
};
using ProcessCounters = std::array<uint64_t, static_cast<size_t>(ProcessCounter::kCount)>;

inline constexpr std::string_view kProcessStates[] = {"Running", "Sleeping", "Waiting", "Zombie",
                                                      "Other"};

struct ProcessGroup {
  ProcessCounters counters{};  // Since the group is shown.
  uint64_t processes = 0, threads = 0;
  uint64_t resident_bytes = 0, virtual_bytes = 0, swapped_bytes = 0;
  uint64_t open_files = 0;
  double worst_file_ratio = 0;
  std::optional<uint64_t> oldest_start_ticks;
  std::array<uint64_t, std::size(kProcessStates)> states{};
  bool has_io = false, has_files = false;  // Whether any process let us read them.

  // Adds what `other` has, and its counters.
  void Merge(const ProcessGroup& other);
};

// Thread-compatible.
class ProcessGroups {
 public:
  static constexpr std::string_view kOther = "other";
  static constexpr std::string_view kKernel = "[kernel]";
  static constexpr size_t kMaxProcesses = 100000;

  ProcessGroups(ProcessGrouping grouping, size_t max_groups)
      : grouping_(grouping), max_groups_(max_groups) {}

  // Looks at every process, and returns the groups by name: at most `max_groups` of those that use
  // most, and kOther with all the rest. Processes that were there at the first look count from then
  // on; later ones from their start. Ends early at `deadline`.
  std::map<std::string, ProcessGroup> Update(Files& proc, base::MonotonicTime deadline);

  uint64_t read_errors() const { return read_errors_; }

 private:
  struct Known {
    uint64_t start_ticks = 0;
    std::string group;
    ProcessCounters counters{};
    std::optional<uint64_t> files_limit;
    uint64_t seen = 0;  // Number of the update.
  };
  struct Current {
    ProcessGroup group;  // With the counters' growth since the last update.
    double score = 0;
  };

  bool ReadProcess(Files& proc, const std::string& process,
                   std::map<std::string, Current>* current);
  std::string GroupName(Files& proc, const std::string& process, const ProcessStat& stat) const;
  std::vector<std::string> ChooseNamed(std::map<std::string, Current>* current) const;

  const ProcessGrouping grouping_;
  const size_t max_groups_;
  std::map<uint32_t, Known> known_;
  std::map<std::string, ProcessCounters> totals_;  // Of the groups that are shown.
  uint64_t update_ = 0;
  uint64_t read_errors_ = 0;
};

}  // namespace exporters::host
