// Files of /proc and /sys. They are opened once and read again with pread at offset 0, which on
// sysfs costs a tenth of opening anew, and gives one consistent snapshot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/result.h"

namespace exporters::host {

// Thread-compatible.
class Files {
 public:
  static constexpr size_t kMaxKeptFiles = 256;  // Files beyond are opened for each read.
  static constexpr size_t kMaxBytes = 4 << 20;  // Of one file.
  // What does not exist is looked for again no sooner than this: most machines lack most of what
  // could be measured, for good.
  static constexpr std::chrono::seconds kRecheckAbsent{60};

  // `root` is "/proc" or "/sys", or a copy of them.
  explicit Files(std::string root, size_t max_kept = kMaxKeptFiles);
  Files(Files&&) = default;

  const std::string& root() const { return root_; }
  std::string Path(std::string_view path) const;

  // The whole of `path`, below the root, whose lines are shorter than 2 kB. Errors: kNotFound (also
  // for a device that has gone), …
  base::Result<std::string> Read(std::string_view path);
  // The same where a line may have any length.
  base::Result<std::string> ReadLong(std::string_view path);
  // The same for a file that the kernel writes in one piece (/proc/stat, /proc/meminfo, the
  // attributes of sysfs): one call, since nothing can follow a short read.
  base::Result<std::string> ReadOnce(std::string_view path);
  // The same for what is read so seldom that the file is not kept open.
  base::Result<std::string> ReadRarely(std::string_view path) const;
  // Closes `path` if it is open.
  void Forget(std::string_view path);
  // One attribute without the newline at its end.
  base::Result<std::string> ReadText(std::string_view path);
  // An attribute that is a number. nullopt when it cannot be read or is none: many drivers have
  // attributes that fail.
  std::optional<int64_t> ReadInt(std::string_view path);

  // The names in a directory, sorted, without "." and "..". Errors as Read; a directory that was
  // empty is kNotFound until it is looked at again.
  base::Result<std::vector<std::string>> List(std::string_view path);
  // The last part of where a symbolic link points.
  std::optional<std::string> LinkName(std::string_view path) const;

  size_t kept() const { return kept_.size(); }

 private:
  enum class Pieces { kOne, kMany, kLong };
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  template <typename T>
  using PathMap = std::unordered_map<std::string, T, Hash, std::equal_to<>>;

  base::Result<std::string> ReadPieces(std::string_view path, Pieces pieces);
  base::Result<void> CheckAbsent(std::string_view path);
  void RememberAbsent(std::string_view path);

  std::string root_;
  size_t max_kept_;
  PathMap<base::UniqueFd> kept_;
  PathMap<base::MonotonicTime> absent_until_;
};

}  // namespace exporters::host
