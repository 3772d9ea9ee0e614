#include "exporters/host/collectors.h"

namespace exporters::host {

extern const HostCollector kCpuCollector, kDiskstatsCollector, kFilefdCollector,
    kFilesystemCollector, kLoadavgCollector, kMeminfoCollector, kNetdevCollector, kOsCollector,
    kPressureCollector, kStatCollector, kTimeCollector, kUnameCollector, kVmstatCollector;

namespace {

constexpr const HostCollector* kCollectors[] = {
    &kCpuCollector,      &kDiskstatsCollector, &kFilefdCollector, &kFilesystemCollector,
    &kLoadavgCollector,  &kMeminfoCollector,   &kNetdevCollector, &kOsCollector,
    &kPressureCollector, &kStatCollector,      &kTimeCollector,   &kUnameCollector,
    &kVmstatCollector,
};

}  // namespace

std::span<const HostCollector* const> Collectors() { return kCollectors; }

}  // namespace exporters::host
