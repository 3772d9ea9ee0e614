// Control groups: which of them are containers or services, and their figures. Version 2 has one
// tree; version 1 a tree per controller; a hybrid host has both, and version 2 then has only
// pressure. One table per version says which figure is in which file.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exporters/host/files.h"
#include "lib/base/result.h"

namespace exporters::host {

// A figure of a control group. Bytes, seconds or counts.
enum class CgroupStat : uint8_t {
  kCpuUsage,
  kCpuUser,
  kCpuSystem,
  kCpuPeriods,
  kCpuThrottledPeriods,
  kCpuThrottled,
  kCpuBurstPeriods,
  kCpuBurst,
  kMemoryUsage,
  kMemoryCache,
  kMemoryRss,
  kMemoryMapped,
  kMemoryKernel,
  kMemorySwap,
  kMemoryInactiveFile,
  kMemoryActiveFile,
  kMemoryDirty,
  kMemoryWriteback,
  kPageFaults,
  kMajorPageFaults,
  kPagesScanned,
  kPagesStolen,
  kRefaultsFile,
  kRefaultsAnonymous,
  kMemoryFailures,
  kMemoryHighEvents,
  kMemoryMaxEvents,
  kOomKills,
  kThreads,
  kCpuWaiting,
  kCpuStalled,
  kMemoryWaiting,
  kMemoryStalled,
  kIoWaiting,
  kIoStalled,
  // Limits, which are read again only now and then. 0 is none, except for the shares.
  kCpuQuota,
  kCpuPeriod,
  kCpuShares,
  kMemoryPeak,
  kMemoryLimit,
  kMemorySwapLimit,
  kMemoryReservation,
  kThreadsLimit,
  kCount
};

class CgroupStats {
 public:
  std::optional<double> Get(CgroupStat stat) const { return values_[static_cast<size_t>(stat)]; }
  void Set(CgroupStat stat, double value) { values_[static_cast<size_t>(stat)] = value; }

 private:
  std::array<std::optional<double>, static_cast<size_t>(CgroupStat::kCount)> values_{};
};

// What a device did for a control group.
struct CgroupDevice {
  uint32_t major = 0, minor = 0;
  uint64_t read_bytes = 0, written_bytes = 0, reads = 0, writes = 0, discarded_bytes = 0,
           discards = 0;
};

// "254:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6" lines of io.stat.
std::vector<CgroupDevice> ParseIoStat(std::string_view text);
// "254:0 Read 1" lines of two files of blkio, merged into `devices`.
void ParseBlkio(std::string_view text, bool bytes, std::vector<CgroupDevice>* devices);

enum class CgroupKind {
  kInner,      // A slice, or whatever else has containers below it.
  kContainer,  // `container_id`, or `name` where there is none (LXC, nspawn, virtual machines).
  kService,    // A systemd unit: `name`.
  kIgnored,    // Sessions, mounts, helpers of containers.
};

struct CgroupName {
  CgroupKind kind = CgroupKind::kInner;
  std::string container_id = {};  // 64 hexadecimal digits.
  std::string name = {};
  bool kubernetes = false;
};

// What the control group at `path` ("/system.slice/docker-….scope") is, by its name.
CgroupName ClassifyCgroup(std::string_view path);

struct Cgroup {
  std::string path;  // From the root of the tree, with "/" in front.
  CgroupName name;
};

// Thread-compatible.
class Cgroups {
 public:
  static constexpr size_t kMaxVisited = 50000;  // Folders of one walk.
  static constexpr size_t kMaxDepth = 16;

  // `folder` is /sys/fs/cgroup or a copy of it; at most `max_kept` files stay open.
  Cgroups(std::string folder, size_t max_kept);

  // Containers, services and inner groups, in the order of their paths. Errors: kNotFound without
  // control groups.
  base::Result<std::vector<Cgroup>> List();

  // Figures that change all the time, and limits. What cannot be read is left out.
  void ReadFigures(const std::string& path, CgroupStats* stats);
  void ReadLimits(const std::string& path, CgroupStats* stats);
  std::vector<CgroupDevice> ReadDevices(const std::string& path);
  // Process IDs of the group, or of the first below it that has any.
  std::vector<uint32_t> ReadProcesses(const std::string& path);
  std::optional<double> ReadOomKills(const std::string& path);
  // Closes what is open of a group that is gone.
  void Forget(const std::string& path);

  size_t kept() const { return files_.kept(); }

 private:
  enum class Version { kNone, kOne, kTwo };

  Version Detect();
  std::string FilePath(std::string_view controller, const std::string& path,
                       std::string_view file) const;

  Files files_;
  Version version_ = Version::kNone;
  // Folder of each controller of version 1, "" for none: "cpu,cpuacct".
  std::string cpu_, cpuacct_, memory_, blkio_, pids_, unified_;
  std::string walked_;
};

}  // namespace exporters::host
