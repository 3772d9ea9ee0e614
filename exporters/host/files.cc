#include "exporters/host/files.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "lib/base/strings.h"

namespace exporters::host {
namespace {

// On the stack of a server thread. Larger files take more calls; files of
// /proc/sys pay for the size of the buffer, but below a page's worth of microseconds.
constexpr size_t kFirstRead = 16 << 10;
constexpr size_t kSysctlRead = 4 << 10;
// Names that were looked for and not found; hardware that comes and goes must not grow this.
constexpr size_t kMaxAbsent = 4096;
// The kernel hands out a page's worth of whole records at a time. When less than half a page came,
// the next record would have fitted, unless it is longer than the other half: mountinfo has such.
constexpr size_t kSurelyLast = 2048;

}  // namespace

Files::Files(std::string root, size_t max_kept) : root_(std::move(root)), max_kept_(max_kept) {
  while (root_.size() > 1 && root_.back() == '/') {
    root_.pop_back();
  }
}

std::string Files::Path(std::string_view path) const { return fmt::format("{}/{}", root_, path); }

base::Result<void> Files::CheckAbsent(std::string_view path) {
  const auto found = absent_until_.find(path);
  if (found == absent_until_.end()) {
    return {};
  }
  if (std::chrono::steady_clock::now() < found->second) {
    return base::Error(fmt::format("open {}: No such file or directory", Path(path)),
                       base::ErrorKind::kNotFound);
  }
  absent_until_.erase(found);
  return {};
}

void Files::RememberAbsent(std::string_view path) {
  if (absent_until_.size() >= kMaxAbsent) {
    absent_until_.clear();
  }
  absent_until_.insert_or_assign(std::string(path),
                                 std::chrono::steady_clock::now() + kRecheckAbsent);
}

base::Result<std::string> Files::ReadPieces(std::string_view path, Pieces pieces) {
  RETURN_IF_ERROR(CheckAbsent(path));
  const auto found = kept_.find(path);
  base::UniqueFd opened;
  int fd = found == kept_.end() ? -1 : found->second.get();
  if (fd < 0) {
    opened.Reset(open(Path(path).c_str(), O_RDONLY | O_CLOEXEC));
    fd = opened.get();
    if (fd < 0) {
      const base::Error error = base::ErrnoError("open " + Path(path));
      if (error.kind() == base::ErrorKind::kNotFound) {
        RememberAbsent(path);
      }
      return error;
    }
  }
  char buffer[kFirstRead];
  const size_t piece = path.substr(0, 4) == "sys/" ? kSysctlRead : sizeof(buffer);
  std::string content;
  for (;;) {
    const ssize_t got = pread(fd, buffer, piece, static_cast<off_t>(content.size()));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      const bool gone = errno == ENODEV || errno == ENXIO;
      const base::Error error = base::ErrnoError("read " + Path(path));
      if (found != kept_.end()) {
        kept_.erase(found);
      }
      return gone ? base::Error(error.message(), base::ErrorKind::kNotFound) : error;
    }
    content.append(buffer, static_cast<size_t>(got));
    if (content.size() > kMaxBytes) {
      return base::Error(fmt::format("read {}: longer than {} bytes", Path(path), kMaxBytes),
                         base::ErrorKind::kResourceExhausted);
    }
    const size_t enough = pieces == Pieces::kOne ? piece : kSurelyLast;
    if (got == 0 || (pieces != Pieces::kLong && static_cast<size_t>(got) < enough)) {
      break;
    }
  }
  if (opened.valid() && kept_.size() < max_kept_) {
    kept_.emplace(path, std::move(opened));
  }
  return content;
}

base::Result<std::string> Files::Read(std::string_view path) {
  return ReadPieces(path, Pieces::kMany);
}

base::Result<std::string> Files::ReadLong(std::string_view path) {
  return ReadPieces(path, Pieces::kLong);
}

base::Result<std::string> Files::ReadOnce(std::string_view path) {
  return ReadPieces(path, Pieces::kOne);
}

base::Result<std::string> Files::ReadRarely(std::string_view path) const {
  return base::ReadFile(Path(path), kMaxBytes);
}

void Files::Forget(std::string_view path) {
  if (const auto found = kept_.find(path); found != kept_.end()) {
    kept_.erase(found);
  }
}

base::Result<std::string> Files::ReadText(std::string_view path) {
  ASSIGN_OR_RETURN(std::string text, ReadOnce(path));
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
    text.pop_back();
  }
  return text;
}

std::optional<int64_t> Files::ReadInt(std::string_view path) {
  const auto text = ReadText(path);
  return text.ok() ? base::ParseInt(*text) : std::nullopt;
}

base::Result<std::vector<std::string>> Files::List(std::string_view path) {
  RETURN_IF_ERROR(CheckAbsent(path));  // Of an empty directory too: there is nothing to read.
  DIR* const directory = opendir(Path(path).c_str());
  if (directory == nullptr) {
    const base::Error error = base::ErrnoError("open " + Path(path));
    if (error.kind() == base::ErrorKind::kNotFound) {
      RememberAbsent(path);
    }
    return error;
  }
  std::vector<std::string> names;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): glibc locks the stream, which no one else has.
  while (const dirent* const entry = readdir(directory)) {
    if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) {
      names.emplace_back(entry->d_name);
    }
  }
  closedir(directory);
  if (names.empty()) {
    RememberAbsent(path);  // Such as /sys/class/power_supply of a virtual machine.
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<std::string> Files::LinkName(std::string_view path) const {
  char target[4096];
  const ssize_t length = readlink(Path(path).c_str(), target, sizeof(target));
  if (length <= 0) {
    return std::nullopt;
  }
  const std::string_view whole(target, static_cast<size_t>(length));
  return std::string(whole.substr(whole.rfind('/') + 1));
}

}  // namespace exporters::host
