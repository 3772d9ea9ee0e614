// ZFS: the kstat files of /proc/spl/kstat/zfs. After two lines of heading, each has lines
//   hits                            4    8772612
// with a name, a type (4 is an unsigned number) and a value. Those of pools are in their folders.
#include <array>

#include <fmt/format.h>

#include "exporters/host/context.h"
#include "exporters/host/parsers.h"
#include "exporters/host/text.h"
#include "lib/base/strings.h"

namespace exporters::host {
namespace {

constexpr std::string_view kFolder = "spl/kstat/zfs";

struct KstatFile {
  std::string_view file;
  std::string_view part;  // Of the metric's name.
};
constexpr KstatFile kFiles[] = {{"abdstats", "abd"},
                                {"arcstats", "arc"},
                                {"dbufstats", "dbuf"},
                                {"dmu_tx", "dmu_tx"},
                                {"dnodestats", "dnode"},
                                {"fm", "fm"},
                                {"vdev_cache_stats", "vdev_cache"},
                                {"vdev_mirror_stats", "vdev_mirror"},
                                {"xuio_stats", "xuio"},
                                {"zfetchstats", "zfetch"},
                                {"zil", "zil"}};
constexpr std::string_view kPoolStates[] = {"online",  "degraded", "faulted",  "offline",
                                            "removed", "unavail",  "suspended"};
constexpr model::MetricDesc kPoolState{.name = "node_zfs_zpool_state",
                                       .help = "Whether the pool is in this state.",
                                       .labels = {"state", "zpool"}};

std::string MetricPart(std::string_view name) {
  std::string part(name);
  for (char& c : part) {
    c = c == '-' || c == '.' ? '_' : c;
  }
  return part;
}

void EmitNumber(Context& host, std::string_view part, const KstatNumber& number,
                std::initializer_list<std::pair<std::string_view, std::string_view>> labels,
                Scrape& scrape) {
  const std::string name = fmt::format("node_zfs_{}_{}", part, MetricPart(number.name));
  const model::DescPtr& desc = host.descs.Get(name, [&] {
    model::DynamicDesc::Spec spec{.name = name,
                                  .help = fmt::format("{} of ZFS' {}.", number.name, part),
                                  .type = model::MetricType::kUntyped};
    for (const auto& [label, unused] : labels) {
      spec.labels.emplace_back(label);
    }
    return spec;
  });
  model::LabelValues values;
  for (const auto& [unused, value] : labels) {
    values.Add(value);
  }
  scrape.Emit(desc, number.value, std::move(values));
}

// "7 0 0x01 4 28800 …", then names, then values.
void EmitPoolIo(Context& host, std::string_view pool, std::string_view text, Scrape& scrape) {
  NextLine(&text);
  std::string_view names = NextLine(&text);
  std::string_view values = NextLine(&text);
  for (auto name = NextField(&names); !name.empty(); name = NextField(&names)) {
    if (const auto value = ParseNumber(NextField(&values))) {
      EmitNumber(host, "zpool", {.name = name, .value = static_cast<double>(*value)},
                 {{"zpool", pool}}, scrape);
    }
  }
}

std::string_view DatasetName(std::string_view text) {
  while (!text.empty()) {
    std::string_view line = NextLine(&text);
    if (NextField(&line) == "dataset_name") {
      NextField(&line);
      return NextField(&line);
    }
  }
  return {};
}

void EmitPool(Context& host, const std::string& pool, Scrape& scrape) {
  const std::string folder = fmt::format("{}/{}", kFolder, pool);
  const auto io = host.proc.ReadOnce(folder + "/io");
  const auto state = host.proc.ReadText(folder + "/state");
  if (!io.ok() && !state.ok()) {
    return;  // A file, or a folder of something else.
  }
  if (io.ok()) {
    EmitPoolIo(host, pool, *io, scrape);
  }
  if (state.ok()) {
    const std::string lower = base::ToLower(*state);
    for (const std::string_view known : kPoolStates) {
      scrape.Emit(kPoolState, known == lower ? 1 : 0, {known, pool});
    }
  }
  for (const std::string& file : host.proc.List(folder).value_or({})) {
    const auto text = file.substr(0, 7) == "objset-"
                          ? host.proc.ReadOnce(fmt::format("{}/{}", folder, file))
                          : base::Result<std::string>("");
    const std::string dataset(text.ok() ? DatasetName(*text) : std::string_view());
    if (dataset.empty()) {
      continue;
    }
    for (const KstatNumber& number : ParseKstat(*text)) {
      EmitNumber(host, "zpool_dataset", number, {{"dataset", dataset}, {"zpool", pool}}, scrape);
    }
  }
}

base::Result<void> CollectZfs(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::vector<std::string> entries, host.proc.List(kFolder));
  for (const KstatFile& row : kFiles) {
    const auto text = host.proc.ReadOnce(fmt::format("{}/{}", kFolder, row.file));
    if (!text.ok()) {
      continue;  // Versions of ZFS differ in what they have.
    }
    for (const KstatNumber& number : ParseKstat(*text)) {
      EmitNumber(host, row.part, number, {}, scrape);
    }
  }
  for (const std::string& entry : entries) {
    EmitPool(host, entry, scrape);
  }
  return {};
}

}  // namespace

std::vector<KstatNumber> ParseKstat(std::string_view text) {
  std::vector<KstatNumber> numbers;
  while (!text.empty()) {
    std::string_view line = NextLine(&text);
    const std::string_view name = NextField(&line);
    const std::string_view type = NextField(&line);
    const std::string_view field = NextField(&line);
    // 3 is a signed, 4 an unsigned number of 64 bits; others are texts and headings.
    if (type != "3" && type != "4") {
      continue;
    }
    if (const auto value = base::ParseDouble(field); value && NextField(&line).empty()) {
      numbers.push_back({.name = name, .value = *value});
    }
  }
  return numbers;
}

extern constexpr HostCollector kZfsCollector{
    .name = "zfs", .help = "ZFS: cache, pools and datasets.", .collect = CollectZfs};

}  // namespace exporters::host
