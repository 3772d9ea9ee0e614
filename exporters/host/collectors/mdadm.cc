// Software RAID, from /proc/mdstat and sysfs. An array has two lines or more:
//   md1 : active raid6 sdf1[5](F) sde1[4] sdd1[3] sdc1[2] sdg1[6](S)
//         195310144 blocks level 6, 64k chunk, algorithm 2 [4/3] [U_UU]
//         [=>....]  recovery =  8.5% (16775552/195310144) finish=17.0min speed=259783K/sec
// (F) is failed, (S) spare; [4/3] is wanted and active, absent where nothing is redundant.
#include <algorithm>

#include <fmt/format.h>

#include "exporters/host/context.h"
#include "exporters/host/parsers.h"
#include "exporters/host/text.h"
#include "lib/base/strings.h"

namespace exporters::host {
namespace {

using model::MetricDesc;

constexpr MetricDesc kState{
    .name = "node_md_state", .help = "Which state the array is in.", .labels = {"device", "state"}};
constexpr MetricDesc kDisks{.name = "node_md_disks",
                            .help = "Disks of the array that are active, failed or spare.",
                            .labels = {"device", "state"}};
constexpr MetricDesc kDisksRequired{.name = "node_md_disks_required",
                                    .help = "Disks the array wants to have active.",
                                    .labels = {"device"}};
constexpr MetricDesc kBlocks{.name = "node_md_blocks",
                             .help = "Size of the array in blocks of 1024 bytes.",
                             .labels = {"device"}};
constexpr MetricDesc kBlocksSynced{
    .name = "node_md_blocks_synced", .help = "Blocks that are in sync.", .labels = {"device"}};
constexpr MetricDesc kRaidDisks{
    .name = "node_md_raid_disks", .help = "Disks in the array's layout.", .labels = {"device"}};
constexpr MetricDesc kDegraded{
    .name = "node_md_degraded", .help = "Disks that the array lacks.", .labels = {"device"}};

constexpr std::string_view kStates[] = {"active", "check", "inactive", "recovering", "resync"};

// Words in the line of progress, and the state they mean. A reshaped array stays active.
constexpr std::pair<std::string_view, std::string_view> kActivities[] = {
    {"recovery", "recovering"}, {"resync", "resync"}, {"check", "check"}, {"reshape", "active"}};

// Numbers of "[4/3]" or "(16775552/195310144)".
std::optional<std::pair<uint64_t, uint64_t>> ParsePair(std::string_view field) {
  const size_t slash = field.find('/');
  if (field.size() < 5 || slash == std::string_view::npos) {
    return std::nullopt;
  }
  const auto first = ParseNumber(field.substr(1, slash - 1));
  const auto second = ParseNumber(field.substr(slash + 1, field.size() - slash - 2));
  return first && second ? std::optional(std::pair(*first, *second)) : std::nullopt;
}

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

RaidArray ParseHead(const std::vector<std::string_view>& fields) {
  RaidArray array{.name = std::string(fields[0]), .state = std::string(fields[2])};
  for (const std::string_view field : fields) {
    if (field.find('[') == std::string_view::npos) {
      continue;
    }
    if (EndsWith(field, "(F)")) {
      ++array.disks_failed;
    } else if (EndsWith(field, "(S)")) {
      ++array.disks_spare;
    } else if (array.state == "active") {
      ++array.disks_active;
    }
  }
  array.disks_total = array.disks_active;
  return array;
}

void ApplySize(const std::vector<std::string_view>& fields, RaidArray* array) {
  array->blocks = ParseNumber(fields[0]).value_or(0);
  array->blocks_synced = array->blocks;
  for (const std::string_view field : fields) {
    if (const auto disks = field.front() == '[' ? ParsePair(field) : std::nullopt) {
      array->disks_total = disks->first;
      array->disks_active = disks->second;
    }
  }
}

void ApplyProgress(std::string_view line, RaidArray* array) {
  for (const auto& [word, state] : kActivities) {
    if (line.find(word) == std::string_view::npos) {
      continue;
    }
    array->state = std::string(state);
    array->blocks_synced = 0;  // PENDING or DELAYED, unless it shows how far it is.
    for (const std::string_view field : SplitFields(line)) {
      if (const auto done = field.front() == '(' ? ParsePair(field) : std::nullopt) {
        array->blocks_synced = done->first;
      }
    }
    return;
  }
}

void Emit(Context& host, const RaidArray& array, Scrape& scrape) {
  for (const std::string_view state : kStates) {
    scrape.Emit(kState, state == array.state ? 1 : 0, {array.name, state});
  }
  const std::pair<std::string_view, uint64_t> disks[] = {
      {"active", array.disks_active}, {"failed", array.disks_failed}, {"spare", array.disks_spare}};
  for (const auto& [state, count] : disks) {
    scrape.Emit(kDisks, static_cast<double>(count), {array.name, state});
  }
  scrape.Emit(kDisksRequired, static_cast<double>(array.disks_total), {array.name});
  scrape.Emit(kBlocks, static_cast<double>(array.blocks), {array.name});
  scrape.Emit(kBlocksSynced, static_cast<double>(array.blocks_synced), {array.name});
  const std::string folder = fmt::format("block/{}/md/", array.name);
  if (const auto raid_disks = host.sys.ReadInt(folder + "raid_disks")) {
    scrape.Emit(kRaidDisks, static_cast<double>(*raid_disks), {array.name});
  }
  if (const auto degraded = host.sys.ReadInt(folder + "degraded")) {
    scrape.Emit(kDegraded, static_cast<double>(*degraded), {array.name});
  }
}

base::Result<void> CollectMdadm(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::string text, host.proc.Read("mdstat"));
  ASSIGN_OR_RETURN(const std::vector<RaidArray> arrays, ParseMdstat(text));
  for (const RaidArray& array : arrays) {
    Emit(host, array, scrape);
  }
  return {};
}

}  // namespace

base::Result<std::vector<RaidArray>> ParseMdstat(std::string_view text) {
  std::vector<RaidArray> arrays;
  bool in_array = false;
  while (!text.empty()) {
    const std::string_view line = NextLine(&text);
    const auto fields = SplitFields(line);
    if (fields.empty()) {
      in_array = false;
      continue;
    }
    if (line.front() != ' ' && line.front() != '\t') {
      in_array = fields.size() >= 3 && fields[0].substr(0, 2) == "md" && fields[1] == ":";
      if (in_array) {
        arrays.push_back(ParseHead(fields));
      }
      continue;
    }
    if (!in_array) {
      continue;
    }
    if (fields.size() > 1 && fields[1] == "blocks") {
      if (!ParseNumber(fields[0])) {
        return base::Error(fmt::format("mdstat: {} has no size", arrays.back().name),
                           base::ErrorKind::kInvalidArgument);
      }
      ApplySize(fields, &arrays.back());
    } else {
      ApplyProgress(line, &arrays.back());
    }
  }
  return arrays;
}

extern constexpr HostCollector kMdadmCollector{
    .name = "mdadm", .help = "Software RAID arrays.", .collect = CollectMdadm};

}  // namespace exporters::host
