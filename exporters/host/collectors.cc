#include "exporters/host/collectors.h"

namespace exporters::host {

extern const HostCollector kArpCollector, kBondingCollector, kConntrackCollector,
    kContainersCollector, kCpuCollector, kCpufreqCollector, kDiskstatsCollector, kDmiCollector,
    kEdacCollector, kEntropyCollector, kFilefdCollector, kFilesystemCollector, kHwmonCollector,
    kLoadavgCollector, kMdadmCollector, kMeminfoCollector, kNetclassCollector, kNetdevCollector,
    kNetstatCollector, kNvmeCollector, kOsCollector, kPowerSupplyClassCollector, kPressureCollector,
    kSchedstatCollector, kSelinuxCollector, kSockstatCollector, kSoftnetCollector, kStatCollector,
    kThermalZoneCollector, kTimeCollector, kTimexCollector, kUdpQueuesCollector, kUnameCollector,
    kVmstatCollector, kWatchdogCollector, kTextfileCollector, kBuddyinfoCollector,
    kCgroupsCollector, kCpuVulnerabilitiesCollector, kInterruptsCollector, kKernelHungCollector,
    kLimitsCollector, kListenersCollector, kMeminfoNumaCollector, kProcessGroupsCollector,
    kProcessesCollector, kRaplCollector, kSlabinfoCollector, kSoftirqsCollector, kSwapCollector,
    kTcpstatCollector, kZfsCollector, kZoneinfoCollector, kFibrechannelCollector,
    kInfinibandCollector, kIpvsCollector, kNfsCollector, kTapestatsCollector, kXfsCollector;

namespace {

// limits comes after those that report limits; textfile is last: it leaves the families alone that
// the others have emitted.
constexpr const HostCollector* kCollectors[] = {
    &kArpCollector,
    &kBondingCollector,
    &kBuddyinfoCollector,
    &kCgroupsCollector,
    &kConntrackCollector,
    &kContainersCollector,
    &kCpuCollector,
    &kCpuVulnerabilitiesCollector,
    &kCpufreqCollector,
    &kDiskstatsCollector,
    &kDmiCollector,
    &kEdacCollector,
    &kEntropyCollector,
    &kFibrechannelCollector,
    &kFilefdCollector,
    &kFilesystemCollector,
    &kHwmonCollector,
    &kInfinibandCollector,
    &kInterruptsCollector,
    &kIpvsCollector,
    &kKernelHungCollector,
    &kListenersCollector,
    &kLoadavgCollector,
    &kMdadmCollector,
    &kMeminfoCollector,
    &kMeminfoNumaCollector,
    &kNetclassCollector,
    &kNetdevCollector,
    &kNetstatCollector,
    &kNfsCollector,
    &kNvmeCollector,
    &kOsCollector,
    &kPowerSupplyClassCollector,
    &kPressureCollector,
    &kProcessGroupsCollector,
    &kProcessesCollector,
    &kRaplCollector,
    &kSchedstatCollector,
    &kSelinuxCollector,
    &kSlabinfoCollector,
    &kSockstatCollector,
    &kSoftirqsCollector,
    &kSoftnetCollector,
    &kStatCollector,
    &kSwapCollector,
    &kTapestatsCollector,
    &kTcpstatCollector,
    &kThermalZoneCollector,
    &kTimeCollector,
    &kTimexCollector,
    &kUdpQueuesCollector,
    &kUnameCollector,
    &kVmstatCollector,
    &kWatchdogCollector,
    &kXfsCollector,
    &kZfsCollector,
    &kZoneinfoCollector,
    &kLimitsCollector,
    &kTextfileCollector,
};

}  // namespace

std::span<const HostCollector* const> Collectors() { return kCollectors; }

}  // namespace exporters::host
