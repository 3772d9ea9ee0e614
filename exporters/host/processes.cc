#include "exporters/host/processes.h"

#include <algorithm>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

#include "exporters/host/cgroups.h"
#include "exporters/host/text.h"
#include "lib/base/strings.h"

namespace exporters::host {
namespace {

constexpr uint64_t kKernelThreadFlag = 0x00200000;  // PF_KTHREAD.
constexpr size_t kShortId = 12;
// A group that is shown stays unless another one uses twice as much.
constexpr double kStay = 2;

size_t StateIndex(char state) {
  switch (state) {
    case 'R':
      return 0;
    case 'S':
    case 'I':  // Idle kernel threads.
      return 1;
    case 'D':
      return 2;
    case 'Z':
      return 3;
    default:
      return 4;
  }
}

// The number after `label` at the start of a line.
std::optional<uint64_t> NumberAfter(std::string_view text, std::string_view label) {
  for (size_t at = text.find(label); at != std::string_view::npos; at = text.find(label, at + 1)) {
    if (at == 0 || text[at - 1] == '\n') {
      std::string_view rest = text.substr(at + label.size());
      rest = rest.substr(0, rest.find('\n'));
      return ParseNumber(NextField(&rest));
    }
  }
  return std::nullopt;
}

// The path of the first line of version 2, else of systemd's tree, else of any.
std::string_view PathIn(std::string_view text) {
  std::string_view any;
  std::string_view systemd;
  while (!text.empty()) {
    const std::string_view line = NextLine(&text);
    const size_t first = line.find(':');
    const size_t second = line.find(':', std::min(first, line.size() - 1) + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) {
      continue;
    }
    const std::string_view path = line.substr(second + 1);
    if (path.substr(0, 1) != "/") {
      continue;
    }
    if (line.substr(0, 3) == "0::" && path != "/") {
      return path;
    }
    if (line.substr(first + 1, second - first - 1) == "name=systemd") {
      systemd = path;
    }
    any = any.size() < path.size() ? path : any;
  }
  return systemd.size() > 1 ? systemd : any;
}

ProcessCounters Growth(const ProcessCounters& now, const ProcessCounters& before) {
  ProcessCounters growth{};
  for (size_t i = 0; i < now.size(); ++i) {
    growth[i] = now[i] - std::min(now[i], before[i]);
  }
  return growth;
}

void Add(const ProcessCounters& growth, ProcessCounters* total) {
  for (size_t i = 0; i < growth.size(); ++i) {
    (*total)[i] += growth[i];
  }
}

// Linux 6.2 and later; readable for everyone, unlike the folder itself.
std::optional<uint64_t> CountOpenFiles(const Files& proc, const std::string& process) {
  struct stat status {};
  if (stat(proc.Path(process + "/fd").c_str(), &status) != 0 || status.st_size <= 0) {
    return std::nullopt;
  }
  return static_cast<uint64_t>(status.st_size);
}

size_t Index(ProcessCounter counter) { return static_cast<size_t>(counter); }

}  // namespace

std::optional<ProcessStat> ParseProcessStat(std::string_view text) {
  const size_t open = text.find('(');
  const size_t close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    return std::nullopt;
  }
  std::string_view rest = text.substr(close + 1);
  const std::string_view state = NextField(&rest);
  std::array<uint64_t, 21> fields{};  // From the parent on; see proc_pid_stat(5).
  for (uint64_t& field : fields) {
    const std::string_view word = NextField(&rest);
    if (word.empty()) {
      return std::nullopt;
    }
    field = ParseNumber(word).value_or(0);  // Priorities and terminals may be negative.
  }
  return ProcessStat{.name = text.substr(open + 1, close - open - 1),
                     .state = state.empty() ? '?' : state.front(),
                     .kernel_thread = (fields[5] & kKernelThreadFlag) != 0,
                     .minor_faults = fields[6],
                     .major_faults = fields[8],
                     .user_ticks = fields[10],
                     .system_ticks = fields[11],
                     .threads = fields[16],
                     .start_ticks = fields[18],
                     .virtual_bytes = fields[19],
                     .resident_pages = fields[20]};
}

ProcessStatus ParseProcessStatus(std::string_view text) {
  const auto swapped = NumberAfter(text, "VmSwap:");
  return {.swapped_bytes = swapped ? std::optional(*swapped * 1024) : std::nullopt,
          .voluntary_switches = NumberAfter(text, "voluntary_ctxt_switches:"),
          .involuntary_switches = NumberAfter(text, "nonvoluntary_ctxt_switches:")};
}

std::optional<ProcessIo> ParseProcessIo(std::string_view text) {
  const auto read = NumberAfter(text, "read_bytes:");
  const auto written = NumberAfter(text, "write_bytes:");
  if (!read || !written) {
    return std::nullopt;
  }
  return ProcessIo{.read_bytes = *read, .written_bytes = *written};
}

std::optional<uint64_t> ParseOpenFilesLimit(std::string_view text) {
  return NumberAfter(text, "Max open files");
}

std::string CgroupOfProcess(std::string_view cgroup_file) {
  const std::string_view path = PathIn(cgroup_file);
  return path.empty() ? "/" : std::string(path);
}

std::string UnitOfProcess(std::string_view cgroup_file) {
  const std::string_view path = PathIn(cgroup_file);
  for (std::string_view at = path; at.size() > 1; at = at.substr(0, at.rfind('/'))) {
    const CgroupName name = ClassifyCgroup(at);
    if (name.kind == CgroupKind::kContainer && !name.container_id.empty()) {
      return name.container_id.substr(0, kShortId);
    }
    if (!name.name.empty()) {
      return name.name;
    }
  }
  const std::string_view last = path.substr(path.rfind('/') + 1);
  return last.empty() ? "-" : std::string(last);
}

std::optional<ProcessGrouping> ParseProcessGrouping(std::string_view text) {
  constexpr std::pair<std::string_view, ProcessGrouping> kNames[] = {
      {"name", ProcessGrouping::kName},
      {"unit", ProcessGrouping::kUnit},
      {"cgroup", ProcessGrouping::kCgroup}};
  for (const auto& [name, grouping] : kNames) {
    if (name == text) {
      return grouping;
    }
  }
  return std::nullopt;
}

void ProcessGroup::Merge(const ProcessGroup& other) {
  Add(other.counters, &counters);
  processes += other.processes;
  threads += other.threads;
  resident_bytes += other.resident_bytes;
  virtual_bytes += other.virtual_bytes;
  swapped_bytes += other.swapped_bytes;
  open_files += other.open_files;
  worst_file_ratio = std::max(worst_file_ratio, other.worst_file_ratio);
  if (other.oldest_start_ticks) {
    oldest_start_ticks = oldest_start_ticks
                             ? std::min(*oldest_start_ticks, *other.oldest_start_ticks)
                             : *other.oldest_start_ticks;
  }
  for (size_t i = 0; i < states.size(); ++i) {
    states[i] += other.states[i];
  }
  has_io = has_io || other.has_io;
  has_files = has_files || other.has_files;
}

std::string ProcessGroups::GroupName(Files& proc, const std::string& process,
                                     const ProcessStat& stat) const {
  if (stat.kernel_thread) {
    return std::string(kKernel);
  }
  if (grouping_ == ProcessGrouping::kName) {
    return base::ToValidUtf8(stat.name);
  }
  const auto cgroup = proc.ReadRarely(process + "/cgroup");
  const std::string_view text = cgroup.ok() ? std::string_view(*cgroup) : std::string_view();
  return base::ToValidUtf8(grouping_ == ProcessGrouping::kUnit ? UnitOfProcess(text)
                                                               : CgroupOfProcess(text));
}

// False when the process has ended meanwhile.
bool ProcessGroups::ReadProcess(Files& proc, const std::string& process,
                                std::map<std::string, Current>* current) {
  const auto text = proc.ReadRarely(process + "/stat");
  const auto stat = text.ok() ? ParseProcessStat(*text) : std::nullopt;
  const auto status_text = proc.ReadRarely(process + "/status");
  if (!stat || !status_text.ok()) {
    return false;
  }
  const ProcessStatus status = ParseProcessStatus(*status_text);
  const auto io_text = stat->kernel_thread ? base::Result<std::string>(std::string())
                                           : proc.ReadRarely(process + "/io");
  const auto io = io_text.ok() ? ParseProcessIo(*io_text) : std::nullopt;
  Known& known = known_[static_cast<uint32_t>(*ParseNumber(process))];
  bool is_new = false;
  if (known.seen == 0 || known.start_ticks != stat->start_ticks) {
    is_new = true;
    known = {.start_ticks = stat->start_ticks, .group = GroupName(proc, process, *stat)};
    if (!stat->kernel_thread) {
      known.files_limit = ParseOpenFilesLimit(proc.ReadRarely(process + "/limits").value_or(""));
    }
  } else if (grouping_ == ProcessGrouping::kName && !stat->kernel_thread) {
    known.group = base::ToValidUtf8(stat->name);  // exec and prctl change it.
  }
  known.seen = update_;
  const ProcessCounters counters = {
      stat->user_ticks,
      stat->system_ticks,
      stat->minor_faults,
      stat->major_faults,
      status.voluntary_switches.value_or(0),
      status.involuntary_switches.value_or(0),
      io ? io->read_bytes : known.counters[Index(ProcessCounter::kReadBytes)],
      io ? io->written_bytes : known.counters[Index(ProcessCounter::kWrittenBytes)]};
  if (is_new && update_ == 1) {
    known.counters = counters;
  }

  ProcessGroup one{
      .counters = Growth(counters, known.counters),
      .processes = 1,
      .threads = stat->threads,
      .resident_bytes = stat->resident_pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)),
      .virtual_bytes = stat->virtual_bytes,
      .swapped_bytes = status.swapped_bytes.value_or(0),
      .oldest_start_ticks = stat->start_ticks,
      .has_io = io.has_value()};
  known.counters = counters;
  one.states[StateIndex(stat->state)] = 1;
  const auto files = stat->kernel_thread ? std::nullopt : CountOpenFiles(proc, process);
  if (files) {
    one.has_files = true;
    one.open_files = *files;
    one.worst_file_ratio =
        known.files_limit && *known.files_limit > 0
            ? static_cast<double>(*files) / static_cast<double>(*known.files_limit)
            : 0;
  }
  (*current)[known.group].group.Merge(one);
  return true;
}

// Those that use most of the memory or of the CPU, whichever is more.
std::vector<std::string> ProcessGroups::ChooseNamed(std::map<std::string, Current>* current) const {
  double memory = 1;
  double ticks = 1;
  const auto cpu = [](const ProcessGroup& group) {
    return static_cast<double>(group.counters[Index(ProcessCounter::kUser)] +
                               group.counters[Index(ProcessCounter::kSystem)]);
  };
  for (const auto& [name, now] : *current) {
    memory += static_cast<double>(now.group.resident_bytes);
    ticks += cpu(now.group);
  }
  std::vector<std::pair<double, std::string>> ranked;
  for (auto& [name, now] : *current) {
    const double score =
        std::max(static_cast<double>(now.group.resident_bytes) / memory, cpu(now.group) / ticks);
    ranked.emplace_back(-score * (totals_.count(name) > 0 ? kStay : 1), name);
  }
  std::sort(ranked.begin(), ranked.end());
  std::vector<std::string> names;
  for (const auto& [score, name] : ranked) {
    if (names.size() < max_groups_ && name != kOther) {
      names.push_back(name);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::map<std::string, ProcessGroup> ProcessGroups::Update(Files& proc,
                                                          base::MonotonicTime deadline) {
  ++update_;
  std::map<std::string, Current> current;
  size_t processes = 0;
  for (const std::string& name : proc.List("").value_or(std::vector<std::string>())) {
    if (name.find_first_not_of("0123456789") != std::string::npos) {
      continue;
    }
    if (++processes > kMaxProcesses || std::chrono::steady_clock::now() >= deadline) {
      ++read_errors_;
      break;
    }
    if (!ReadProcess(proc, name, &current)) {
      ++read_errors_;
    }
  }
  std::erase_if(known_, [this](const auto& entry) { return entry.second.seen != update_; });

  const std::vector<std::string> named = ChooseNamed(&current);
  std::map<std::string, ProcessGroup> groups;
  for (auto& [name, now] : current) {
    const bool shown = std::binary_search(named.begin(), named.end(), name);
    groups[shown ? name : std::string(kOther)].Merge(now.group);
  }
  // A group that has shown itself before goes on with its counters, also without any process.
  for (auto it = totals_.begin(); it != totals_.end();) {
    const bool stays = it->first == kOther || groups.count(it->first) > 0 ||
                       (current.count(it->first) == 0 && totals_.size() <= max_groups_);
    if (!stays) {
      it = totals_.erase(it);
      continue;
    }
    groups.try_emplace(it->first);
    ++it;
  }
  for (auto& [name, group] : groups) {
    ProcessCounters& total = totals_[name];
    Add(group.counters, &total);
    group.counters = total;
  }
  return groups;
}

}  // namespace exporters::host
