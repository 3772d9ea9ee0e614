// Memory errors that the hardware corrected, or could not, by controller and row of chips.
#include <fmt/format.h>

#include "exporters/host/context.h"

namespace exporters::host {
namespace {

using model::MetricDesc;
using model::MetricType;

constexpr MetricDesc Counter(std::string_view name, std::string_view help,
                             model::LabelNames labels) {
  return {.name = name, .help = help, .type = MetricType::kCounter, .labels = labels};
}
constexpr MetricDesc kCorrected =
    Counter("node_edac_correctable_errors_total", "Memory errors corrected.", {"controller"});
constexpr MetricDesc kUncorrected =
    Counter("node_edac_uncorrectable_errors_total", "Memory errors that could not be corrected.",
            {"controller"});
constexpr MetricDesc kRowCorrected =
    Counter("node_edac_csrow_correctable_errors_total",
            "Memory errors corrected in the row of chips.", {"controller", "csrow"});
constexpr MetricDesc kRowUncorrected = Counter(
    "node_edac_csrow_uncorrectable_errors_total",
    "Memory errors in the row of chips that could not be corrected.", {"controller", "csrow"});

constexpr std::string_view kFolder = "devices/system/edac/mc";
constexpr std::string_view kController = "mc";
constexpr std::string_view kRow = "csrow";

void EmitCount(Context& host, const MetricDesc& desc, const std::string& path,
               const model::LabelValues& labels, Scrape& scrape) {
  if (const auto count = host.sys.ReadInt(path)) {
    scrape.Emit(desc, static_cast<double>(*count), labels);
  }
}

base::Result<void> CollectController(Context& host, const std::string& name, Scrape& scrape) {
  const std::string folder = fmt::format("{}/{}/", kFolder, name);
  const std::string controller = name.substr(kController.size());
  EmitCount(host, kCorrected, folder + "ce_count", {controller}, scrape);
  EmitCount(host, kUncorrected, folder + "ue_count", {controller}, scrape);
  // Errors that the hardware could not place.
  EmitCount(host, kRowCorrected, folder + "ce_noinfo_count", {controller, "unknown"}, scrape);
  EmitCount(host, kRowUncorrected, folder + "ue_noinfo_count", {controller, "unknown"}, scrape);
  ASSIGN_OR_RETURN(const std::vector<std::string> entries, host.sys.List(folder));
  for (const std::string& entry : entries) {
    if (entry.compare(0, kRow.size(), kRow) == 0) {
      const model::LabelValues labels = {controller, entry.substr(kRow.size())};
      EmitCount(host, kRowCorrected, folder + entry + "/ce_count", labels, scrape);
      EmitCount(host, kRowUncorrected, folder + entry + "/ue_count", labels, scrape);
    }
  }
  return {};
}

base::Result<void> CollectEdac(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, host.sys.List(kFolder));
  for (const std::string& name : names) {
    if (name.compare(0, kController.size(), kController) == 0) {
      RETURN_IF_ERROR(CollectController(host, name, scrape));
    }
  }
  return {};
}

}  // namespace

extern constexpr HostCollector kEdacCollector{
    .name = "edac", .help = "Memory errors that the hardware noticed.", .collect = CollectEdac};

}  // namespace exporters::host
