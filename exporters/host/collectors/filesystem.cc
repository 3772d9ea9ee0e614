// Space and inodes of mounted file systems: the mounts of PID 1 (of this process where that is
// hidden), each asked with statfs. A line of mountinfo, see proc_pid_mountinfo(5):
//   27 1 254:0 / /mnt rw,relatime shared:1 - ext4 /dev/vda rw,discard
// with space, tab, newline and backslash as \040 \011 \012 \134.
#include <algorithm>
#include <set>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/vfs.h>

#include "exporters/host/context.h"
#include "exporters/host/parsers.h"
#include "exporters/host/text.h"
#include "lib/base/strings.h"

namespace exporters::host {
namespace {

using model::MetricDesc;

// An emergency may make a file system read-only without a word to those who watch the table: statfs
// tells of the older kind, what newer kernels write into the options is seen after this time.
constexpr std::chrono::seconds kKeepMounts{60};

constexpr model::LabelNames kLabels = {"device", "device_error", "fstype", "mountpoint"};
constexpr MetricDesc kSize{
    .name = "node_filesystem_size_bytes", .help = "Size of the file system.", .labels = kLabels};
constexpr MetricDesc kFree{.name = "node_filesystem_free_bytes",
                           .help = "Space that is free, including what only root may use.",
                           .labels = kLabels};
constexpr MetricDesc kAvail{.name = "node_filesystem_avail_bytes",
                            .help = "Space that is free for users other than root.",
                            .labels = kLabels};
constexpr MetricDesc kFilesTotal{
    .name = "node_filesystem_files", .help = "Inodes of the file system.", .labels = kLabels};
constexpr MetricDesc kFilesFree{
    .name = "node_filesystem_files_free", .help = "Inodes that are free.", .labels = kLabels};
constexpr MetricDesc kReadOnly{.name = "node_filesystem_readonly",
                               .help = "Whether it is mounted read-only.",
                               .labels = kLabels};
constexpr MetricDesc kDeviceError{.name = "node_filesystem_device_error",
                                  .help =
                                      "Whether its figures could not be had; device_error "
                                      "says why.",
                                  .labels = kLabels};
constexpr MetricDesc kMountInfo{.name = "node_filesystem_mount_info",
                                .help = "Which device is mounted where. Always 1.",
                                .labels = {"device", "major", "minor", "mountpoint"}};

std::string Unescape(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && text.size() - i >= 4) {
      const auto byte = ParseNumber(text.substr(i + 1, 3), 8);
      if (byte && *byte < 256) {
        plain += static_cast<char>(*byte);
        i += 3;
        continue;
      }
    }
    plain += text[i];
  }
  return plain;
}

bool HasOption(std::string_view options, std::string_view wanted) {
  const auto parts = base::Split(options, ',');
  return std::find(parts.begin(), parts.end(), wanted) != parts.end();
}

// The mount point as it is seen below --path.rootfs.
std::string WithoutRoot(const std::string& mount_point, const std::string& root) {
  if (root == "/" || mount_point.compare(0, root.size(), root) != 0) {
    return mount_point;
  }
  const std::string stripped = mount_point.substr(root.size());
  return stripped.empty() ? "/" : stripped;
}

std::string WithRoot(const std::string& mount_point, const std::string& root) {
  return root == "/" ? mount_point : root + mount_point;
}

base::Result<std::string> ReadMountInfo(Context& host) {
  auto mounts = host.proc.ReadLong("1/mountinfo");
  return mounts.ok() ? mounts : host.proc.ReadLong("self/mountinfo");
}

// Opened a second time: reading does not reset what poll has to report. Nothing in a copy of /proc,
// whose files report no changes.
base::UniqueFd WatchMountInfo(const Context& host) {
  for (const std::string_view path : {"1/mountinfo", "self/mountinfo"}) {
    base::UniqueFd file(open(host.proc.Path(path).c_str(), O_RDONLY | O_CLOEXEC));
    struct statfs status {};
    if (file.valid()) {
      const bool procfs = fstatfs(file.get(), &status) == 0 && status.f_type == PROC_SUPER_MAGIC;
      return procfs ? std::move(file) : base::UniqueFd();
    }
  }
  return {};
}

bool Changed(const WatchedMounts& watched, base::MonotonicTime now) {
  if (!watched.mountinfo.valid() || now >= watched.expires) {
    return true;
  }
  pollfd event{.fd = watched.mountinfo.get(), .events = POLLPRI, .revents = 0};
  return poll(&event, 1, 0) != 0;
}

// No mount may use up the scrape: half of what is left is for the next ones.
base::MonotonicTime ProbeDeadline(const Context& host, const Scrape& scrape) {
  const base::MonotonicTime now = std::chrono::steady_clock::now();
  return std::min(now + host.options.mount_timeout, now + (scrape.deadline() - now) / 2);
}

void CollectMount(Context& host, const Mount& mount, Scrape& scrape) {
  const auto usage = host.mounts.Probe(WithRoot(mount.mount_point, host.root.root()),
                                       MayHang(mount.type), ProbeDeadline(host, scrape));
  const std::string error = usage.ok() ? std::string() : usage.error().message();
  const model::LabelValues labels = {mount.device, error, mount.type, mount.mount_point};
  scrape.Emit(kDeviceError, usage.ok() ? 0 : 1, labels);
  const bool read_only = mount.ReadOnly() || (usage.ok() && usage->read_only);
  scrape.Emit(kReadOnly, read_only ? 1 : 0, labels);
  if (!usage.ok()) {
    return;
  }
  const auto bytes = [&usage](uint64_t blocks) {
    return static_cast<double>(blocks) * static_cast<double>(usage->block_size);
  };
  if (!read_only) {
    // As df counts: what is reserved for root belongs to neither side.
    const uint64_t used = usage->blocks - std::min(usage->blocks, usage->blocks_free);
    host.limit_uses.push_back(
        {"disk_space", mount.mount_point, bytes(used), bytes(used + usage->blocks_available)});
    host.limit_uses.push_back(
        {"inodes", mount.mount_point,
         static_cast<double>(usage->files - std::min(usage->files, usage->files_free)),
         static_cast<double>(usage->files)});
  }
  scrape.Emit(kSize, bytes(usage->blocks), labels);
  scrape.Emit(kFree, bytes(usage->blocks_free), labels);
  scrape.Emit(kAvail, bytes(usage->blocks_available), labels);
  scrape.Emit(kFilesTotal, static_cast<double>(usage->files), labels);
  scrape.Emit(kFilesFree, static_cast<double>(usage->files_free), labels);
  scrape.Emit(
      kMountInfo, 1,
      {mount.device, std::to_string(mount.major), std::to_string(mount.minor), mount.mount_point});
}

base::Result<std::vector<Mount>> ReadMounts(Context& host) {
  ASSIGN_OR_RETURN(const std::string text, ReadMountInfo(host));
  ASSIGN_OR_RETURN(std::vector<Mount> mounts, ParseMountInfo(text));
  std::set<std::pair<std::string, std::string>> seen;
  std::erase_if(mounts, [&](Mount& mount) {
    mount.mount_point = WithoutRoot(mount.mount_point, host.root.root());
    return !host.filters.mount_points.Accepts(mount.mount_point) ||
           !host.filters.filesystem_types.Accepts(mount.type) ||
           !seen.emplace(mount.device, mount.mount_point).second;
  });
  return mounts;
}

base::Result<void> CollectFilesystem(Context& host, Scrape& scrape) {
  WatchedMounts& watched = host.watched_mounts;
  const base::MonotonicTime now = host.clock.Monotonic();
  if (Changed(watched, now)) {
    // First the watch, so that a change while the table is read is reported next time.
    watched.mountinfo = WatchMountInfo(host);
    ASSIGN_OR_RETURN(watched.mounts, ReadMounts(host));
    watched.expires = now + kKeepMounts;
  }
  for (const Mount& mount : watched.mounts) {
    CollectMount(host, mount, scrape);
  }
  return {};
}

base::Result<Mount> ParseMountLine(std::string_view line) {
  const auto fields = SplitFields(line);
  const auto dash = std::find(fields.begin(), fields.end(), "-");
  const auto before = static_cast<size_t>(dash - fields.begin());
  if (before < 6 || fields.size() - before < 4) {
    return base::Error(fmt::format("mountinfo: \"{}\" is not a mount", line.substr(0, 200)),
                       base::ErrorKind::kInvalidArgument);
  }
  const size_t colon = fields[2].find(':');
  const auto major = ParseNumber(fields[2].substr(0, colon));
  const auto minor = ParseNumber(fields[2].substr(std::min(colon, fields[2].size() - 1) + 1));
  return Mount{.major = static_cast<uint32_t>(major.value_or(0)),
               .minor = static_cast<uint32_t>(minor.value_or(0)),
               .mount_point = Unescape(fields[4]),
               .options = std::string(fields[5]),
               .type = std::string(fields[before + 1]),
               .device = Unescape(fields[before + 2]),
               .super_options = std::string(fields[before + 3])};
}

}  // namespace

bool Mount::ReadOnly() const {
  return HasOption(options, "ro") || HasOption(super_options, "ro") ||
         HasOption(super_options, "emergency_ro");
}

base::Result<std::vector<Mount>> ParseMountInfo(std::string_view text) {
  std::vector<Mount> mounts;
  while (!text.empty()) {
    const std::string_view line = NextLine(&text);
    if (line.empty()) {
      continue;
    }
    if (mounts.size() >= kMaxMounts) {
      return base::Error(fmt::format("mountinfo: more than {} mounts", kMaxMounts),
                         base::ErrorKind::kResourceExhausted);
    }
    ASSIGN_OR_RETURN(Mount mount, ParseMountLine(line));
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

extern constexpr HostCollector kFilesystemCollector{
    .name = "filesystem",
    .help = "Space and inodes of mounted file systems; a stuck mount delays nothing.",
    .collect = CollectFilesystem};

}  // namespace exporters::host
