// Connection tracking: entries, their limit, and its counters, which /proc/net/stat/nf_conntrack
// has as a table of hexadecimal numbers, a line per CPU. They only grow, yet have always been
// exported as gauges, and stay so.
#include <algorithm>

#include <fmt/format.h>

#include "exporters/host/context.h"
#include "exporters/host/parsers.h"
#include "exporters/host/text.h"
#include "lib/base/strings.h"

namespace exporters::host {
namespace {

using model::MetricDesc;

constexpr MetricDesc kEntries{.name = "node_nf_conntrack_entries",
                              .help = "Connections being tracked."};
constexpr MetricDesc kLimit{.name = "node_nf_conntrack_entries_limit",
                            .help = "How many connections can be tracked; more are dropped."};

struct Column {
  std::string_view name;
  MetricDesc desc;
};
constexpr Column kColumns[] = {
    {"found", {.name = "node_nf_conntrack_stat_found", .help = "Lookups that found an entry."}},
    {"invalid",
     {.name = "node_nf_conntrack_stat_invalid", .help = "Packets that could not be tracked."}},
    {"ignore",
     {.name = "node_nf_conntrack_stat_ignore", .help = "Packets that already had an entry."}},
    {"insert", {.name = "node_nf_conntrack_stat_insert", .help = "Entries inserted."}},
    {"insert_failed",
     {.name = "node_nf_conntrack_stat_insert_failed",
      .help = "Entries that could not be inserted."}},
    {"drop",
     {.name = "node_nf_conntrack_stat_drop", .help = "Packets dropped because tracking failed."}},
    {"early_drop",
     {.name = "node_nf_conntrack_stat_early_drop",
      .help = "Entries dropped to make room when the table was full."}},
    {"search_restart",
     {.name = "node_nf_conntrack_stat_search_restart",
      .help = "Lookups restarted because the table was resized."}},
};

base::Result<void> CollectConntrack(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::string count,
                   host.proc.ReadText("sys/net/netfilter/nf_conntrack_count"));
  ASSIGN_OR_RETURN(const std::string limit,
                   host.proc.ReadText("sys/net/netfilter/nf_conntrack_max"));
  const auto entries = ParseNumber(count);
  const auto maximum = ParseNumber(limit);
  if (!entries || !maximum) {
    return base::Error("nf_conntrack_count and _max: numbers expected",
                       base::ErrorKind::kInvalidArgument);
  }
  scrape.Emit(kEntries, static_cast<double>(*entries));
  scrape.Emit(kLimit, static_cast<double>(*maximum));

  ASSIGN_OR_RETURN(const std::string text, host.proc.Read("net/stat/nf_conntrack"));
  ASSIGN_OR_RETURN(const auto sums, ParseConntrackStat(text));
  for (const auto& [name, sum] : sums) {
    for (const Column& column : kColumns) {
      if (column.name == name) {
        scrape.Emit(column.desc, static_cast<double>(sum));
      }
    }
  }
  return {};
}

}  // namespace

base::Result<std::vector<std::pair<std::string_view, uint64_t>>> ParseConntrackStat(
    std::string_view text) {
  std::vector<std::pair<std::string_view, uint64_t>> sums;
  for (const std::string_view name : SplitFields(NextLine(&text))) {
    sums.emplace_back(name, 0);
  }
  while (!text.empty()) {
    std::string_view line = NextLine(&text);
    if (base::TrimSpace(line).empty()) {
      continue;
    }
    for (auto& [name, sum] : sums) {
      const auto value = ParseNumber(NextField(&line), 16);
      if (!value) {
        return base::Error(fmt::format("nf_conntrack: column {} has no number", name),
                           base::ErrorKind::kInvalidArgument);
      }
      sum += name == "entries" ? 0 : *value;  // The same total on each line.
    }
  }
  return sums;
}

extern constexpr HostCollector kConntrackCollector{.name = "conntrack",
                                                   .help = "Tracked connections and their limit.",
                                                   .collect = CollectConntrack};

}  // namespace exporters::host
