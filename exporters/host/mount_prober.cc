#include "exporters/host/mount_prober.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>

#include <poll.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

namespace exporters::host {
namespace {

constexpr std::string_view kRemoteTypes[] = {"9p",    "afs",      "beegfs",  "ceph",  "cifs",
                                             "davfs", "fuse",     "fuseblk", "gfs2",  "glusterfs",
                                             "gpfs",  "lustre",   "ncpfs",   "nfs",   "nfs4",
                                             "ocfs2", "orangefs", "smb3",    "smbfs", "virtiofs"};

struct Reply {
  int32_t error = 0;
  FilesystemUsage usage;
};

// Go's texts, which existing rules match on, start in lower case.
base::Error ErrnoLabel(int error) {
  char buffer[128];
  std::string text = strerror_r(error, buffer, sizeof(buffer));
  if (text.size() > 1 && std::islower(static_cast<unsigned char>(text[1])) != 0) {
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  }
  return base::Error(std::move(text));
}

base::Error Timeout() {
  return base::Error(std::string(MountProber::kTimeoutText), base::ErrorKind::kDeadlineExceeded);
}

// The child: nothing but system calls. It ends when the parent closes its side. Every other
// descriptor is closed, lest a stuck child keeps the parent's listening sockets.
[[noreturn]] void ServeStatfs(int socket, StatfsFunc statfs) {
  dup2(socket, 0);
  if (close_range(1, ~0U, 0) != 0) {
    for (int fd = 1; fd < 4096; ++fd) {
      close(fd);
    }
  }
  char path[PATH_MAX + 1];
  for (;;) {
    const ssize_t length = recv(0, path, PATH_MAX, 0);
    if (length <= 0) {
      _exit(0);
    }
    path[length] = '\0';
    Reply reply;
    reply.error = statfs(path, &reply.usage);
    send(0, &reply, sizeof(reply), MSG_NOSIGNAL);
  }
}

int MillisecondsUntil(base::MonotonicTime deadline) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<int64_t>(left.count(), 0, INT_MAX));
}

}  // namespace

int SystemStatfs(const char* path, FilesystemUsage* usage) {
  struct statfs raw {};
  if (statfs(path, &raw) != 0) {
    return errno;
  }
  *usage = {.block_size = static_cast<uint64_t>(raw.f_bsize),
            .blocks = raw.f_blocks,
            .blocks_free = raw.f_bfree,
            .blocks_available = raw.f_bavail,
            .files = raw.f_files,
            .files_free = raw.f_ffree,
            .read_only = (raw.f_flags & ST_RDONLY) != 0};
  return 0;
}

bool MayHang(std::string_view filesystem_type) {
  return filesystem_type.substr(0, 5) == "fuse." ||
         std::find(std::begin(kRemoteTypes), std::end(kRemoteTypes), filesystem_type) !=
             std::end(kRemoteTypes);
}

MountProber::~MountProber() {
  const pid_t helper = helper_;
  KillHelper();
  if (helper > 0 && killed_ == helper) {
    // It was idle, so it dies at once.
    waitpid(helper, nullptr, 0);
  } else {
    ReapKilled();
  }
}

base::Result<FilesystemUsage> MountProber::Probe(const std::string& path, bool may_hang,
                                                 base::MonotonicTime deadline) {
  if (!may_hang) {
    FilesystemUsage usage;
    const int error = statfs_(path.c_str(), &usage);
    return error == 0 ? base::Result<FilesystemUsage>(usage) : ErrnoLabel(error);
  }
  const auto stuck = stuck_.find(path);
  if (stuck != stuck_.end() && clock_.Monotonic() < stuck->second.retry_at) {
    return Timeout();
  }
  auto usage = Ask(path, deadline);
  if (usage.ok() || usage.error().kind() != base::ErrorKind::kDeadlineExceeded) {
    stuck_.erase(path);
  } else {
    RememberStuck(path);
  }
  return usage;
}

base::Result<FilesystemUsage> MountProber::Ask(const std::string& path,
                                               base::MonotonicTime deadline) {
  if (path.size() > PATH_MAX) {
    return ErrnoLabel(ENAMETOOLONG);
  }
  RETURN_IF_ERROR(StartHelper());
  if (send(socket_.get(), path.data(), path.size(), MSG_NOSIGNAL) < 0) {
    const int error = errno;
    KillHelper();
    return ErrnoLabel(error);
  }
  pollfd answer{.fd = socket_.get(), .events = POLLIN, .revents = 0};
  int ready = 0;
  do {
    ready = poll(&answer, 1, MillisecondsUntil(deadline));
  } while (ready < 0 && errno == EINTR);
  Reply reply;
  if (ready > 0 && recv(socket_.get(), &reply, sizeof(reply), MSG_DONTWAIT) == sizeof(reply)) {
    return reply.error == 0 ? base::Result<FilesystemUsage>(reply.usage) : ErrnoLabel(reply.error);
  }
  KillHelper();
  return Timeout();
}

base::Result<void> MountProber::StartHelper() {
  if (helper_ > 0) {
    return {};
  }
  if (!ReapKilled()) {
    return Timeout();  // The killed one still hangs in the kernel; one such process is enough.
  }
  std::array<int, 2> sockets{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets.data()) != 0) {
    return ErrnoLabel(errno);
  }
  base::UniqueFd ours(sockets[0]);
  const base::UniqueFd theirs(sockets[1]);
  const pid_t child = fork();
  if (child < 0) {
    return ErrnoLabel(errno);
  }
  if (child == 0) {
    ServeStatfs(theirs.get(), statfs_);
  }
  helper_ = child;
  socket_ = std::move(ours);
  return {};
}

void MountProber::KillHelper() {
  socket_.Reset();
  if (helper_ > 0) {
    kill(helper_, SIGKILL);
    killed_ = helper_;
    helper_ = -1;
  }
}

bool MountProber::ReapKilled() {
  if (killed_ > 0 && waitpid(killed_, nullptr, WNOHANG) == 0) {
    return false;
  }
  killed_ = -1;
  return true;
}

void MountProber::RememberStuck(const std::string& path) {
  const auto found = stuck_.find(path);
  if (found == stuck_.end() && stuck_.size() >= kMaxStuckMounts) {
    stuck_.clear();
  }
  const std::chrono::seconds delay =
      found == stuck_.end() ? kFirstRetry : std::min(found->second.delay * 2, kLastRetry);
  stuck_.insert_or_assign(path, Stuck{.retry_at = clock_.Monotonic() + delay, .delay = delay});
}

}  // namespace exporters::host
