// Targets from files that others write (file_sd_configs).
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "agent/discovery/target_group.h"
#include "lib/base/result.h"

namespace discovery {

struct FileSdOptions {
  std::vector<std::string> patterns;  // Absolute; '*' in the last segment only.
  std::chrono::milliseconds refresh_interval{5 * 60 * 1000};

  bool operator==(const FileSdOptions&) const = default;
};

// Errors: kInvalidArgument unless the pattern ends in .json, .yml or .yaml and has '*' at most in
// its last segment.
base::Result<void> CheckFileSdPattern(std::string_view pattern);

// A list of {targets, labels}, in YAML or in JSON, which YAML contains. Every group also gets
// `__meta_filepath`. Pure.
base::Result<std::vector<TargetGroup>> ParseTargetFile(std::string_view text,
                                                       const std::string& file);

// Thread-compatible. A file that cannot be read or parsed keeps the groups it had; one that is gone
// has none.
class FileSd {
 public:
  explicit FileSd(FileSdOptions options) : options_(std::move(options)) {}

  struct Findings {
    std::vector<TargetGroup> groups;
    std::vector<base::Error> errors;  // Of files that kept their old groups.
  };
  Findings Read();

 private:
  struct File {
    std::string path;
    std::vector<TargetGroup> groups;
  };
  const File* Known(std::string_view path) const;

  FileSdOptions options_;
  std::vector<File> files_;
};

}  // namespace discovery
