// Every parser of the host exporter on the same bytes: none may crash, hang or read beyond them.
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "exporters/host/cgroups.h"
#include "exporters/host/container_names.h"
#include "exporters/host/links.h"
#include "exporters/host/parsers.h"
#include "exporters/host/processes.h"
#include "exporters/host/sockets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace host = exporters::host;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(host::LeadingVersion(text));
  static_cast<void>(host::ParseArp(text));
  static_cast<void>(host::ParseConntrackStat(text));
  static_cast<void>(host::ParseCpuInfo(text));
  static_cast<void>(host::ParseCpuList(text));
  static_cast<void>(host::ParseCpuTimes(text));
  static_cast<void>(host::ParseDiskStats(text));
  static_cast<void>(host::ParseLoadavg(text));
  static_cast<void>(host::ParseMdstat(text));
  static_cast<void>(host::ParseMeminfo(text));
  static_cast<void>(host::ParseMountInfo(text));
  static_cast<void>(host::ParseNamedNumbers(text));
  static_cast<void>(host::ParseNetDev(text));
  static_cast<void>(host::ParseNetstat(text));
  static_cast<void>(host::ParseOsRelease(text));
  static_cast<void>(host::ParsePressure(text));
  static_cast<void>(host::ParseSchedstat(text));
  static_cast<void>(host::ParseSensorFile(text));
  static_cast<void>(host::CleanSensorName(text));
  static_cast<void>(host::ParseSnmp6(text));
  static_cast<void>(host::ParseSockstat(text));
  static_cast<void>(host::ParseSoftnet(text));
  static_cast<void>(host::ParseStatTotals(text));
  static_cast<void>(host::ParseTextfile(text));
  static_cast<void>(host::ParseUdevProperties(text));
  static_cast<void>(host::ParseUdpQueues(text));
  static_cast<void>(host::ParseKstat(text));
  static_cast<void>(host::ParseInterrupts(text));
  static_cast<void>(host::ParseProcessStat(text));
  static_cast<void>(host::ParseProcessStatus(text));
  static_cast<void>(host::ParseProcessIo(text));
  static_cast<void>(host::ParseOpenFilesLimit(text));
  static_cast<void>(host::UnitOfProcess(text));
  static_cast<void>(host::CgroupOfProcess(text));
  static_cast<void>(host::ClassifyCgroup(text));
  static_cast<void>(host::ParseIoStat(text));
  std::vector<host::CgroupDevice> devices;
  host::ParseBlkio(text, true, &devices);
  static_cast<void>(host::ParseDockerConfig(text));
  std::map<std::string, host::ContainerIdentity, std::less<>> identities =
      host::ParsePodmanContainers(text);
  host::ParseConmonArguments(text, &identities);
  host::ParseKubernetesLogName(text, &identities);
  static_cast<void>(host::ParseInetListener(text));
  static_cast<void>(host::ParseUnixListener(text));
  static_cast<void>(host::ParseNetlinkMessages(
      text, [](uint16_t, std::string_view) { return base::Result<void>(); }));
  std::vector<host::Link> links;
  static_cast<void>(host::ParseLinkMessages(text, &links));
  return 0;
}
