// Whole files, bounded.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace base {

// Closes its file descriptor. -1 is "none".
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  ~UniqueFd();
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.Release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int Release();
  void Reset(int fd = -1);

 private:
  int fd_ = -1;
};

inline constexpr size_t kMaxFileBytes = 64 << 20;

// Errors: kNotFound, kPermissionDenied, kResourceExhausted (longer than `max_bytes`), else
// kUnknown.
Result<std::string> ReadFile(const std::string& path, size_t max_bytes = kMaxFileBytes);

// Written beside `path`, synced, then renamed over it: readers see the old or the new content.
Result<void> WriteFileAtomically(const std::string& path, std::string_view content);

// Paths matching a shell pattern ("rules/*.yml"), sorted; none is no error.
std::vector<std::string> Glob(const std::string& pattern);

// "open /etc/x: Permission denied" of the current errno, with the matching kind.
Error ErrnoError(std::string_view what);

}  // namespace base
