// This machine as an NFS client, /proc/net/rpc/nfs:
//   net 70 70 69 45
//   rpc 1218785755 374636 1218815394
//   proc3 22 1 4084749 …
// where the numbers after the count are requests by procedure.
#include <algorithm>
#include <span>

#include "exporters/host/context.h"
#include "exporters/host/text.h"

namespace exporters::host {
namespace {

constexpr auto kCounter = model::MetricType::kCounter;
constexpr model::MetricDesc kConnections{
    .name = "node_nfs_connections_total", .help = "TCP connections made.", .type = kCounter};
constexpr model::MetricDesc kPackets{.name = "node_nfs_packets_total",
                                     .help = "Packets by protocol.",
                                     .type = kCounter,
                                     .labels = {"protocol"}};
constexpr model::MetricDesc kRpcs{
    .name = "node_nfs_rpcs_total", .help = "Remote procedure calls.", .type = kCounter};
constexpr model::MetricDesc kRetransmissions{.name = "node_nfs_rpc_retransmissions_total",
                                             .help = "Calls that were sent again.",
                                             .type = kCounter};
constexpr model::MetricDesc kRefreshes{.name = "node_nfs_rpc_authentication_refreshes_total",
                                       .help = "Refreshes of authentication.",
                                       .type = kCounter};
constexpr model::MetricDesc kRequests{.name = "node_nfs_requests_total",
                                      .help = "Requests by version of the protocol and method.",
                                      .type = kCounter,
                                      .labels = {"method", "proto"}};

constexpr std::string_view kMethods2[] = {
    "Null",   "GetAttr", "SetAttr", "Root", "Lookup",  "ReadLink", "Read",  "WrCache", "Write",
    "Create", "Remove",  "Rename",  "Link", "SymLink", "MkDir",    "RmDir", "ReadDir", "FsStat"};
constexpr std::string_view kMethods3[] = {
    "Null",    "GetAttr",     "SetAttr", "Lookup", "Access",   "ReadLink", "Read",   "Write",
    "Create",  "MkDir",       "SymLink", "MkNod",  "Remove",   "RmDir",    "Rename", "Link",
    "ReadDir", "ReadDirPlus", "FsStat",  "FsInfo", "PathConf", "Commit"};
constexpr std::string_view kMethods4[] = {"Null",
                                          "Read",
                                          "Write",
                                          "Commit",
                                          "Open",
                                          "OpenConfirm",
                                          "OpenNoattr",
                                          "OpenDowngrade",
                                          "Close",
                                          "Setattr",
                                          "FsInfo",
                                          "Renew",
                                          "SetClientID",
                                          "SetClientIDConfirm",
                                          "Lock",
                                          "Lockt",
                                          "Locku",
                                          "Access",
                                          "Getattr",
                                          "Lookup",
                                          "LookupRoot",
                                          "Remove",
                                          "Rename",
                                          "Link",
                                          "Symlink",
                                          "Create",
                                          "Pathconf",
                                          "StatFs",
                                          "ReadLink",
                                          "ReadDir",
                                          "ServerCaps",
                                          "DelegReturn",
                                          "GetACL",
                                          "SetACL",
                                          "FsLocations",
                                          "ReleaseLockowner",
                                          "Secinfo",
                                          "FsidPresent",
                                          "ExchangeID",
                                          "CreateSession",
                                          "DestroySession",
                                          "Sequence",
                                          "GetLeaseTime",
                                          "ReclaimComplete",
                                          "LayoutGet",
                                          "GetDeviceInfo",
                                          "LayoutCommit",
                                          "LayoutReturn",
                                          "SecinfoNoName",
                                          "TestStateID",
                                          "FreeStateID",
                                          "GetDeviceList",
                                          "BindConnToSession",
                                          "DestroyClientID",
                                          "Seek",
                                          "Allocate",
                                          "DeAllocate",
                                          "LayoutStats",
                                          "Clone"};

struct Version {
  std::string_view line;
  std::string_view proto;
  std::span<const std::string_view> methods;
};
constexpr Version kVersions[] = {
    {"proc2", "2", kMethods2}, {"proc3", "3", kMethods3}, {"proc4", "4", kMethods4}};

void EmitRequests(const Version& version, std::string_view numbers, Scrape& scrape) {
  NextField(&numbers);  // How many follow; kernels differ in how many methods they know.
  for (const std::string_view method : version.methods) {
    const auto value = ParseNumber(NextField(&numbers));
    if (!value) {
      return;
    }
    scrape.Emit(kRequests, static_cast<double>(*value), {method, version.proto});
  }
}

base::Result<void> CollectNfs(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::string content, host.proc.Read("net/rpc/nfs"));
  for (std::string_view text = content; !text.empty();) {
    std::string_view line = NextLine(&text);
    const std::string_view name = NextField(&line);
    std::array<uint64_t, 4> numbers{};
    const size_t count = ParseNumbers(line, &numbers);
    if (name == "net" && count == 4) {
      scrape.Emit(kPackets, static_cast<double>(numbers[1]), {"udp"});
      scrape.Emit(kPackets, static_cast<double>(numbers[2]), {"tcp"});
      scrape.Emit(kConnections, static_cast<double>(numbers[3]));
    } else if (name == "rpc" && count >= 3) {
      scrape.Emit(kRpcs, static_cast<double>(numbers[0]));
      scrape.Emit(kRetransmissions, static_cast<double>(numbers[1]));
      scrape.Emit(kRefreshes, static_cast<double>(numbers[2]));
    }
    for (const Version& version : kVersions) {
      if (version.line == name) {
        EmitRequests(version, line, scrape);
      }
    }
  }
  return {};
}

}  // namespace

extern constexpr HostCollector kNfsCollector{
    .name = "nfs", .help = "Requests of this machine as an NFS client.", .collect = CollectNfs};

}  // namespace exporters::host
