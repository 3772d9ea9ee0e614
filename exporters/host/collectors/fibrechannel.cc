// Fibre Channel ports, /sys/class/fc_host/hostN. Counters are hexadecimal; -1 is "not known".
#include <fmt/format.h>

#include "exporters/host/context.h"
#include "exporters/host/text.h"

namespace exporters::host {
namespace {

constexpr model::MetricDesc Counter(std::string_view name, std::string_view help) {
  return {.name = name, .help = help, .type = model::MetricType::kCounter, .labels = {"fc_host"}};
}

constexpr model::MetricDesc kInfo{
    .name = "node_fibrechannel_info",
    .help = "What the port is and what it is connected to. Always 1.",
    .labels = {"dev_loss_tmo", "fabric_name", "fc_host", "port_id", "port_name", "port_state",
               "port_type", "speed", "supported_classes", "supported_speeds", "symbolic_name"}};

struct Row {
  std::string_view file;
  model::MetricDesc desc;
};
constexpr Row kRows[] = {
    {"dumped_frames", Counter("node_fibrechannel_dumped_frames_total", "Frames thrown away.")},
    {"error_frames", Counter("node_fibrechannel_error_frames_total", "Frames with errors.")},
    {"fcp_packet_aborts",
     Counter("node_fibrechannel_fcp_packet_aborts_total", "Packets given up.")},
    {"invalid_crc_count",
     Counter("node_fibrechannel_invalid_crc_total", "Frames with a wrong checksum.")},
    {"invalid_tx_word_count",
     Counter("node_fibrechannel_invalid_tx_words_total", "Invalid words received.")},
    {"link_failure_count", Counter("node_fibrechannel_link_failure_total", "Links lost.")},
    {"loss_of_signal_count",
     Counter("node_fibrechannel_loss_of_signal_total", "How often the signal was lost.")},
    {"loss_of_sync_count",
     Counter("node_fibrechannel_loss_of_sync_total", "How often synchronisation was lost.")},
    {"nos_count", Counter("node_fibrechannel_nos_total", "\"Not operational\" received.")},
    {"rx_frames", Counter("node_fibrechannel_rx_frames_total", "Frames received.")},
    {"rx_words", Counter("node_fibrechannel_rx_words_total", "Words received.")},
    {"seconds_since_last_reset", Counter("node_fibrechannel_seconds_since_last_reset_total",
                                         "Time since the counters were reset.")},
    {"tx_frames", Counter("node_fibrechannel_tx_frames_total", "Frames sent.")},
    {"tx_words", Counter("node_fibrechannel_tx_words_total", "Words sent.")}};

std::string_view WithoutPrefix(std::string_view text) {
  return text.substr(0, 2) == "0x" ? text.substr(2) : text;
}

base::Result<void> CollectFibrechannel(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::vector<std::string> ports, host.sys.List("class/fc_host"));
  for (const std::string& port : ports) {
    const std::string folder = fmt::format("class/fc_host/{}/", port);
    const auto word = [&](std::string_view file) {
      return std::string(WithoutPrefix(host.sys.ReadText(folder + std::string(file)).value_or("")));
    };
    scrape.Emit(kInfo, 1,
                {word("dev_loss_tmo"), word("fabric_name"), port, word("port_id"),
                 word("port_name"), word("port_state"), word("port_type"), word("speed"),
                 word("supported_classes"), word("supported_speeds"), word("symbolic_name")});
    for (const Row& row : kRows) {
      const auto text = host.sys.ReadText(fmt::format("{}statistics/{}", folder, row.file));
      const auto value = text.ok() ? ParseNumber(WithoutPrefix(*text), 16) : std::nullopt;
      if (value && *value != ~uint64_t{0}) {
        scrape.Emit(row.desc, static_cast<double>(*value), {port});
      }
    }
  }
  return {};
}

}  // namespace

extern constexpr HostCollector kFibrechannelCollector{
    .name = "fibrechannel", .help = "Fibre Channel ports.", .collect = CollectFibrechannel};

}  // namespace exporters::host
