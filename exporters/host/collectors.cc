#include "exporters/host/collectors.h"

namespace exporters::host {

extern const HostCollector kArpCollector, kConntrackCollector, kCpuCollector, kDiskstatsCollector,
    kEntropyCollector, kFilefdCollector, kFilesystemCollector, kLoadavgCollector, kMeminfoCollector,
    kNetclassCollector, kNetdevCollector, kNetstatCollector, kOsCollector, kPressureCollector,
    kSchedstatCollector, kSockstatCollector, kSoftnetCollector, kStatCollector, kTimeCollector,
    kTimexCollector, kUdpQueuesCollector, kUnameCollector, kVmstatCollector;

namespace {

constexpr const HostCollector* kCollectors[] = {
    &kArpCollector,       &kConntrackCollector, &kCpuCollector,        &kDiskstatsCollector,
    &kEntropyCollector,   &kFilefdCollector,    &kFilesystemCollector, &kLoadavgCollector,
    &kMeminfoCollector,   &kNetclassCollector,  &kNetdevCollector,     &kNetstatCollector,
    &kOsCollector,        &kPressureCollector,  &kSchedstatCollector,  &kSockstatCollector,
    &kSoftnetCollector,   &kStatCollector,      &kTimeCollector,       &kTimexCollector,
    &kUdpQueuesCollector, &kUnameCollector,     &kVmstatCollector,
};

}  // namespace

std::span<const HostCollector* const> Collectors() { return kCollectors; }

}  // namespace exporters::host
