// Tape drives, /sys/class/scsi_tape/stN/stats.
#include <fmt/format.h>

#include "exporters/host/context.h"
#include "exporters/host/text.h"

namespace exporters::host {
namespace {

constexpr double kNano = 1e-9;

struct Row {
  std::string_view file;
  double scale;
  model::MetricDesc desc;
};
constexpr model::MetricDesc Counter(std::string_view name, std::string_view help) {
  return {.name = name, .help = help, .type = model::MetricType::kCounter, .labels = {"device"}};
}
constexpr Row kRows[] = {
    {"in_flight",
     1,
     {.name = "node_tape_io_now", .help = "Requests that are being done.", .labels = {"device"}}},
    {"io_ns", kNano, Counter("node_tape_io_time_seconds_total", "Time spent on all requests.")},
    {"other_cnt", 1, Counter("node_tape_io_others_total", "Requests other than reads and writes.")},
    {"read_byte_cnt", 1, Counter("node_tape_read_bytes_total", "Bytes read.")},
    {"read_cnt", 1, Counter("node_tape_reads_completed_total", "Reads done.")},
    {"read_ns", kNano, Counter("node_tape_read_time_seconds_total", "Time spent on reads.")},
    {"resid_cnt", 1, Counter("node_tape_residual_total", "Reads and writes cut short.")},
    {"write_byte_cnt", 1, Counter("node_tape_written_bytes_total", "Bytes written.")},
    {"write_cnt", 1, Counter("node_tape_writes_completed_total", "Writes done.")},
    {"write_ns", kNano, Counter("node_tape_write_time_seconds_total", "Time spent on writes.")}};

// st0; st0l, nst0a and so on are the same drive in other modes.
bool IsDrive(std::string_view name) {
  return name.substr(0, 2) == "st" && ParseNumber(name.substr(2));
}

base::Result<void> CollectTapestats(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, host.sys.List("class/scsi_tape"));
  for (const std::string& name : names) {
    if (!IsDrive(name)) {
      continue;
    }
    for (const Row& row : kRows) {
      const auto value =
          host.sys.ReadInt(fmt::format("class/scsi_tape/{}/stats/{}", name, row.file));
      if (value) {
        scrape.Emit(row.desc, static_cast<double>(*value) * row.scale, {name});
      }
    }
  }
  return {};
}

}  // namespace

extern constexpr HostCollector kTapestatsCollector{
    .name = "tapestats", .help = "Tape drives.", .collect = CollectTapestats};

}  // namespace exporters::host
