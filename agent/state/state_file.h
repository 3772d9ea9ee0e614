// The one file in which the agent keeps what must outlive it: samples, the state of alerts,
// silences, notifications not yet sent. Each subsystem owns its tables (Database::Migrate) and has
// its own connections.
//
// Beside DIR/tarsier.db: -wal and -shm (SQLite's), .lock (held by the agent that uses the
// directory), .suspect (damage was seen; the next start checks every page), .damaged-TIME (a file
// that was moved aside).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agent/state/database.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/result.h"

namespace state {

inline constexpr std::string_view kStateFileName = "tarsier.db";
// Longer files are read as a whole at start only when damage was seen before: the agent is to be
// ready within a second.
inline constexpr uint64_t kMaxCheckedBytes = 64 << 20;
// Damaged files kept for whoever wants to rescue something; older ones are removed.
inline constexpr size_t kMaxDamagedFiles = 3;

// Immutable once open, thread-safe. Must outlive its connections.
class StateFile {
 public:
  // Makes the directory, takes its lock, checks the file. A damaged file is moved aside, logged,
  // and a new one begun. Errors: no rights, no space, another agent uses the directory
  // (kUnavailable), the file belongs to another program (kInvalidArgument).
  static base::Result<StateFile> Open(const std::string& directory, const base::Clock& clock,
                                      const base::Logger& logger);

  base::Result<Database> Connect(const ConnectionOptions& options = {}) const;

  const std::string& path() const { return path_; }
  // The file and its log of writes.
  uint64_t Bytes() const;

 private:
  StateFile(std::string path, base::UniqueFd lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  base::UniqueFd lock_;
};

// Where state is kept when nobody says: $STATE_DIRECTORY (systemd), /var/lib/tarsier if it can be
// written, else $XDG_STATE_HOME/tarsier or ~/.local/state/tarsier; "" when none of them can be.
using EnvironmentFunc = std::function<std::optional<std::string>(const char* name)>;
std::string DefaultDirectory(const EnvironmentFunc& environment);

// The mark that makes the next start check every page of `path`.
std::string SuspectMarkOf(const std::string& path);

}  // namespace state
