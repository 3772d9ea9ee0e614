// statfs that cannot hang a scrape. A dead NFS server or FUSE daemon blocks statfs for ever, in a
// wait that only SIGKILL ends and that takes its thread along; so mounts that may hang are asked by
// a helper process, which is killed when it does not answer in time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/result.h"

namespace exporters::host {

struct FilesystemUsage {
  uint64_t block_size = 0;
  uint64_t blocks = 0, blocks_free = 0, blocks_available = 0;
  uint64_t files = 0, files_free = 0;
  bool read_only = false;
};

// 0, or the errno. Runs in a forked child: it may call nothing that takes a lock.
using StatfsFunc = int (*)(const char* path, FilesystemUsage* usage);
int SystemStatfs(const char* path, FilesystemUsage* usage);

// Whether a file system of this type depends on another machine or on a user process.
bool MayHang(std::string_view filesystem_type);

// Thread-compatible. At most one helper runs, and at most one killed one is waited for.
class MountProber {
 public:
  // A mount that did not answer is not asked again for kFirstRetry, then twice that, up to
  // kLastRetry.
  static constexpr std::chrono::seconds kFirstRetry{10};
  static constexpr std::chrono::seconds kLastRetry{600};
  static constexpr size_t kMaxStuckMounts = 1024;
  static constexpr std::string_view kTimeoutText = "mountpoint timeout";

  // `clock` must outlive this.
  explicit MountProber(const base::Clock& clock, StatfsFunc statfs = SystemStatfs)
      : clock_(clock), statfs_(statfs) {}
  ~MountProber();
  MountProber(const MountProber&) = delete;
  MountProber& operator=(const MountProber&) = delete;

  // Errors, whose message is what goes into the label device_error: kDeadlineExceeded with
  // kTimeoutText, else the text of the errno.
  base::Result<FilesystemUsage> Probe(const std::string& path, bool may_hang,
                                      base::MonotonicTime deadline);

  pid_t helper() const { return helper_; }

 private:
  struct Stuck {
    base::MonotonicTime retry_at;
    std::chrono::seconds delay;
  };

  base::Result<FilesystemUsage> Ask(const std::string& path, base::MonotonicTime deadline);
  base::Result<void> StartHelper();
  void KillHelper();
  bool ReapKilled();
  void RememberStuck(const std::string& path);

  const base::Clock& clock_;
  const StatfsFunc statfs_;
  pid_t helper_ = -1;
  pid_t killed_ = -1;  // Killed, but perhaps not dead yet.
  base::UniqueFd socket_;
  std::map<std::string, Stuck> stuck_;
};

}  // namespace exporters::host
