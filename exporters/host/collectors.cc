#include "exporters/host/collectors.h"

namespace exporters::host {

extern const HostCollector kArpCollector, kBondingCollector, kConntrackCollector,
    kContainersCollector, kCpuCollector, kCpufreqCollector, kDiskstatsCollector, kDmiCollector,
    kEdacCollector, kEntropyCollector, kFilefdCollector, kFilesystemCollector, kHwmonCollector,
    kLoadavgCollector, kMdadmCollector, kMeminfoCollector, kNetclassCollector, kNetdevCollector,
    kNetstatCollector, kNvmeCollector, kOsCollector, kPowerSupplyClassCollector, kPressureCollector,
    kSchedstatCollector, kSelinuxCollector, kSockstatCollector, kSoftnetCollector, kStatCollector,
    kThermalZoneCollector, kTimeCollector, kTimexCollector, kUdpQueuesCollector, kUnameCollector,
    kVmstatCollector, kWatchdogCollector, kTextfileCollector;

namespace {

// textfile is last: it leaves the families alone that the others have emitted.
constexpr const HostCollector* kCollectors[] = {
    &kArpCollector,         &kBondingCollector,
    &kConntrackCollector,   &kContainersCollector,
    &kCpuCollector,         &kCpufreqCollector,
    &kDiskstatsCollector,   &kDmiCollector,
    &kEdacCollector,        &kEntropyCollector,
    &kFilefdCollector,      &kFilesystemCollector,
    &kHwmonCollector,       &kLoadavgCollector,
    &kMdadmCollector,       &kMeminfoCollector,
    &kNetclassCollector,    &kNetdevCollector,
    &kNetstatCollector,     &kNvmeCollector,
    &kOsCollector,          &kPowerSupplyClassCollector,
    &kPressureCollector,    &kSchedstatCollector,
    &kSelinuxCollector,     &kSockstatCollector,
    &kSoftnetCollector,     &kStatCollector,
    &kThermalZoneCollector, &kTimeCollector,
    &kTimexCollector,       &kUdpQueuesCollector,
    &kUnameCollector,       &kVmstatCollector,
    &kWatchdogCollector,    &kTextfileCollector,
};

}  // namespace

std::span<const HostCollector* const> Collectors() { return kCollectors; }

}  // namespace exporters::host
