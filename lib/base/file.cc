#include "lib/base/file.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

namespace base {
namespace {

Result<void> WriteAll(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0) {
      if (errno == EINTR) {
        continue;
      }
      return ErrnoError("write " + path);
    }
    content.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

}  // namespace

UniqueFd::~UniqueFd() { Reset(); }

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  Reset(other.Release());
  return *this;
}

int UniqueFd::Release() { return std::exchange(fd_, -1); }

void UniqueFd::Reset(int fd) {
  if (fd_ >= 0 && fd_ != fd) {
    close(fd_);
  }
  fd_ = fd;
}

Error ErrnoError(std::string_view what) {
  const int code = errno;
  ErrorKind kind = ErrorKind::kUnknown;
  switch (code) {
    case ENOENT:
    case ENOTDIR:
      kind = ErrorKind::kNotFound;
      break;
    case EACCES:
    case EPERM:
      kind = ErrorKind::kPermissionDenied;
      break;
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
    case EHOSTUNREACH:
    case ENETUNREACH:
      kind = ErrorKind::kUnavailable;
      break;
    case ETIMEDOUT:
      kind = ErrorKind::kDeadlineExceeded;
      break;
    case ENOSPC:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      kind = ErrorKind::kResourceExhausted;
      break;
    default:
      break;
  }
  char buffer[256];
  return Error(fmt::format("{}: {}", what, strerror_r(code, buffer, sizeof(buffer))), kind);
}

Result<std::string> ReadFile(const std::string& path, size_t max_bytes) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) {
    return ErrnoError("open " + path);
  }
  std::string content;
  char buffer[16384];
  for (;;) {
    const ssize_t got = read(fd.get(), buffer, sizeof(buffer));
    if (got < 0) {
      if (errno == EINTR) {
        continue;
      }
      return ErrnoError("read " + path);
    }
    if (got == 0) {
      return content;
    }
    if (content.size() + static_cast<size_t>(got) > max_bytes) {
      return Error(fmt::format("read {}: longer than {} bytes", path, max_bytes),
                   ErrorKind::kResourceExhausted);
    }
    content.append(buffer, static_cast<size_t>(got));
  }
}

Result<void> WriteFileAtomically(const std::string& path, std::string_view content) {
  std::string temporary = path + ".XXXXXX";
  UniqueFd fd(mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd.valid()) {
    return ErrnoError("create " + temporary);
  }
  Result<void> written = WriteAll(fd.get(), content, temporary);
  if (written.ok() && (fchmod(fd.get(), 0644) != 0 || fsync(fd.get()) != 0)) {
    written = ErrnoError("sync " + temporary);
  }
  fd.Reset();
  if (written.ok() && rename(temporary.c_str(), path.c_str()) != 0) {
    written = ErrnoError("rename to " + path);
  }
  if (!written.ok()) {
    unlink(temporary.c_str());
  }
  return written;
}

std::vector<std::string> Glob(const std::string& pattern) {
  std::vector<std::string> paths;
  glob_t matches{};
  // NOLINTNEXTLINE(concurrency-mt-unsafe): only with GLOB_TILDE or a changing environment.
  if (glob(pattern.c_str(), 0, nullptr, &matches) == 0) {
    paths.assign(matches.gl_pathv, matches.gl_pathv + matches.gl_pathc);
  }
  globfree(&matches);
  return paths;
}

}  // namespace base
