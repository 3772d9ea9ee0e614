// I/O of block devices, and what udev knows about them. A line of /proc/diskstats is
//   254       0 vda 143790 34278 5754898 43445 160158 59601 12214692 47837 0 22512 97140 …
// major, minor, name, then 11 numbers, 4 more about discards since Linux 4.18, 2 about flushes
// since 5.5; see the kernel's Documentation/admin-guide/iostats.rst.
#include <fmt/format.h>

#include "exporters/host/context.h"
#include "exporters/host/parsers.h"
#include "exporters/host/text.h"
#include "lib/base/strings.h"

namespace exporters::host {
namespace {

using model::MetricDesc;
using model::MetricType;

constexpr double kSectorBytes = 512;  // Whatever the device's own sectors are.
constexpr double kMilliseconds = 0.001;

struct Column {
  MetricDesc desc;
  double factor = 1;
};

constexpr MetricDesc Counter(std::string_view name, std::string_view help) {
  return {.name = name, .help = help, .type = MetricType::kCounter, .labels = {"device"}};
}

// In the order of the file.
constexpr Column kColumns[] = {
    {Counter("node_disk_reads_completed_total", "Reads completed.")},
    {Counter("node_disk_reads_merged_total", "Reads merged with a neighbour before being issued.")},
    {Counter("node_disk_read_bytes_total", "Bytes read."), kSectorBytes},
    {Counter("node_disk_read_time_seconds_total", "Time spent by all reads, in parallel."),
     kMilliseconds},
    {Counter("node_disk_writes_completed_total", "Writes completed.")},
    {Counter("node_disk_writes_merged_total",
             "Writes merged with a neighbour before being issued.")},
    {Counter("node_disk_written_bytes_total", "Bytes written."), kSectorBytes},
    {Counter("node_disk_write_time_seconds_total", "Time spent by all writes, in parallel."),
     kMilliseconds},
    {{.name = "node_disk_io_now", .help = "I/Os in progress now.", .labels = {"device"}}},
    {Counter("node_disk_io_time_seconds_total", "Time during which any I/O was in progress."),
     kMilliseconds},
    {Counter("node_disk_io_time_weighted_seconds_total",
             "Time during which I/O was in progress, times how many were."),
     kMilliseconds},
    {Counter("node_disk_discards_completed_total", "Discards completed.")},
    {Counter("node_disk_discards_merged_total",
             "Discards merged with a neighbour before being issued.")},
    {Counter("node_disk_discarded_sectors_total", "Sectors of 512 bytes discarded.")},
    {Counter("node_disk_discard_time_seconds_total", "Time spent by all discards, in parallel."),
     kMilliseconds},
    {Counter("node_disk_flush_requests_total", "Flushes completed.")},
    {Counter("node_disk_flush_requests_time_seconds_total", "Time spent by all flushes."),
     kMilliseconds},
};
constexpr size_t kMinColumns = 11;

constexpr MetricDesc kInfo{.name = "node_disk_info",
                           .help = "What the block device is, as udev knows it. Always 1.",
                           .labels = {"device", "major", "minor", "model", "path", "revision",
                                      "rotational", "serial", "wwn"}};
constexpr MetricDesc kFilesystemInfo{
    .name = "node_disk_filesystem_info",
    .help = "The file system that udev found on the block device. Always 1.",
    .labels = {"device", "type", "usage", "uuid", "version"}};
constexpr MetricDesc kDeviceMapperInfo{
    .name = "node_disk_device_mapper_info",
    .help = "The logical volume or mapping behind a dm device. Always 1.",
    .labels = {"device", "lv_layer", "lv_name", "name", "uuid", "vg_name"}};

struct AtaAttribute {
  std::string_view property;
  MetricDesc desc;
};
constexpr AtaAttribute kAtaAttributes[] = {
    {"ID_ATA_ROTATION_RATE_RPM",
     {.name = "node_disk_ata_rotation_rate_rpm",
      .help = "Rotations a minute of an ATA disk; 0 for one without moving parts.",
      .labels = {"device"}}},
    {"ID_ATA_WRITE_CACHE",
     {.name = "node_disk_ata_write_cache",
      .help = "Whether the ATA disk has a write cache.",
      .labels = {"device"}}},
    {"ID_ATA_WRITE_CACHE_ENABLED",
     {.name = "node_disk_ata_write_cache_enabled",
      .help = "Whether the ATA disk uses its write cache.",
      .labels = {"device"}}},
};

std::string_view Get(const DiskInfo& info, std::string_view property) {
  const auto found = info.udev.find(property);
  return found == info.udev.end() ? std::string_view() : found->second;
}

std::string_view Serial(const DiskInfo& info) {
  const std::string_view scsi = Get(info, "SCSI_IDENT_SERIAL");
  return scsi.empty() ? Get(info, "ID_SERIAL_SHORT") : scsi;
}

DiskInfo ReadInfo(Context& host, const DiskStats& disk) {
  DiskInfo info;
  // Not kept open: udev replaces the file.
  const auto udev = base::ReadFile(host.udev.Path(fmt::format("b{}:{}", disk.major, disk.minor)));
  if (udev.ok()) {
    info.udev = ParseUdevProperties(*udev);
  }
  const auto rotational = host.sys.ReadText(fmt::format("block/{}/queue/rotational", disk.device));
  if (rotational.ok()) {
    info.rotational = *rotational;
  }
  return info;
}

void EmitInfo(const DiskStats& disk, const DiskInfo& info, Scrape& scrape) {
  scrape.Emit(kInfo, 1,
              {disk.device, std::to_string(disk.major), std::to_string(disk.minor),
               Get(info, "ID_MODEL"), Get(info, "ID_PATH"), Get(info, "ID_REVISION"),
               info.rotational, Serial(info), Get(info, "ID_WWN")});
  if (!Get(info, "ID_FS_TYPE").empty()) {
    scrape.Emit(kFilesystemInfo, 1,
                {disk.device, Get(info, "ID_FS_TYPE"), Get(info, "ID_FS_USAGE"),
                 Get(info, "ID_FS_UUID"), Get(info, "ID_FS_VERSION")});
  }
  if (!Get(info, "DM_NAME").empty()) {
    scrape.Emit(kDeviceMapperInfo, 1,
                {disk.device, Get(info, "DM_LV_LAYER"), Get(info, "DM_LV_NAME"),
                 Get(info, "DM_NAME"), Get(info, "DM_UUID"), Get(info, "DM_VG_NAME")});
  }
  if (!Get(info, "ID_ATA").empty()) {
    for (const AtaAttribute& attribute : kAtaAttributes) {
      if (const auto value = base::ParseDouble(Get(info, attribute.property))) {
        scrape.Emit(attribute.desc, *value, {disk.device});
      }
    }
  }
}

void EmitStats(const DiskStats& disk, Scrape& scrape) {
  for (size_t i = 0; i < disk.count; ++i) {
    scrape.Emit(kColumns[i].desc, static_cast<double>(disk.values[i]) * kColumns[i].factor,
                {disk.device});
  }
}

base::Result<void> CollectDiskstats(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::string text, host.proc.Read("diskstats"));
  ASSIGN_OR_RETURN(const std::vector<DiskStats> disks, ParseDiskStats(text));
  const base::MonotonicTime now = host.clock.Monotonic();
  for (const DiskStats& disk : disks) {
    if (!host.filters.disks.Accepts(disk.device)) {
      continue;
    }
    EmitStats(disk, scrape);
    const std::string key = fmt::format("{} {}:{}", disk.device, disk.major, disk.minor);
    EmitInfo(disk, host.disks[key].Get(now, kKeepHardware, [&] { return ReadInfo(host, disk); }),
             scrape);
  }
  std::erase_if(host.disks, [now](const auto& entry) {
    return entry.second.expires < now;  // Gone: whatever is here was just renewed.
  });
  return {};
}

}  // namespace

base::Result<std::vector<DiskStats>> ParseDiskStats(std::string_view text) {
  static_assert(std::size(kColumns) == std::tuple_size_v<decltype(DiskStats::values)>);
  std::vector<DiskStats> disks;
  while (!text.empty()) {
    const std::string_view whole = NextLine(&text);
    std::string_view line = whole;
    const auto major = ParseNumber(NextField(&line));
    const auto minor = ParseNumber(NextField(&line));
    DiskStats disk{.major = static_cast<uint32_t>(major.value_or(0)),
                   .minor = static_cast<uint32_t>(minor.value_or(0)),
                   .device = NextField(&line)};
    disk.count = ParseNumbers(line, &disk.values);
    if (!major || !minor || disk.count < kMinColumns) {
      if (base::TrimSpace(whole).empty()) {
        continue;
      }
      return base::Error(fmt::format("diskstats: \"{}\" is not a device with {} numbers",
                                     whole.substr(0, 200), kMinColumns),
                         base::ErrorKind::kInvalidArgument);
    }
    disks.push_back(disk);
  }
  return disks;
}

std::map<std::string, std::string, std::less<>> ParseUdevProperties(std::string_view text) {
  std::map<std::string, std::string, std::less<>> properties;
  while (!text.empty()) {
    const std::string_view line = NextLine(&text);
    const size_t equals = line.find('=');
    if (line.substr(0, 2) == "E:" && equals != std::string_view::npos) {
      properties.emplace(line.substr(2, equals - 2), line.substr(equals + 1));
    }
  }
  return properties;
}

extern constexpr HostCollector kDiskstatsCollector{
    .name = "diskstats",
    .help = "I/O of block devices, and what they are.",
    .collect = CollectDiskstats};

}  // namespace exporters::host
