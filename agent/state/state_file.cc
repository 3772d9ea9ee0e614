#include "agent/state/state_file.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace state {
namespace {

using base::Error;
using base::ErrorKind;

// "Tars": tells our files from those of other programs.
constexpr int64_t kApplicationId = 0x54617273;
constexpr std::string_view kCompanions[] = {"-wal", "-shm"};
constexpr std::string_view kDamaged = ".damaged-";

uint64_t SizeOf(const std::string& path) {
  struct stat found {};
  return stat(path.c_str(), &found) == 0 ? static_cast<uint64_t>(found.st_size) : 0;
}

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

base::Result<void> MakeDirectory(const std::string& directory) {
  std::error_code failure;
  const bool existed = std::filesystem::exists(directory, failure);
  std::filesystem::create_directories(directory, failure);
  if (failure) {
    return Error(fmt::format("state directory {}: {}; choose another one, or none to keep "
                             "everything in memory, with --storage.path",
                             directory, failure.message()),
                 ErrorKind::kPermissionDenied);
  }
  if (!existed) {
    std::filesystem::permissions(directory, std::filesystem::perms::owner_all, failure);
  }
  return {};
}

// Held as long as the agent lives; the kernel gives it back however that ends.
base::Result<base::UniqueFd> TakeLock(const std::string& path) {
  const std::string lock_path = path + ".lock";
  base::UniqueFd lock(open(lock_path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  if (!lock.valid()) {
    return base::ErrnoError("open " + lock_path)
        .WithContext("state directory is not writable; choose another one with --storage.path");
  }
  if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error(fmt::format("state file {}: another agent uses it; stop that one, or give this "
                             "one a directory of its own with --storage.path",
                             path),
                 ErrorKind::kUnavailable);
  }
  return lock;
}

// Whether the file is sound enough to begin with. Errors: not ours, or kInvalidArgument: damaged.
base::Result<void> Check(Database& database, const std::string& path) {
  ASSIGN_OR_RETURN(const int64_t tables, database.QueryInt("SELECT count(*) FROM sqlite_master"));
  if (tables == 0) {
    return database.Execute(fmt::format("PRAGMA application_id = {}", kApplicationId));
  }
  ASSIGN_OR_RETURN(const int64_t id, database.QueryInt("PRAGMA application_id"));
  if (id != kApplicationId) {
    return Error(fmt::format("state file {}: it belongs to another program; choose another "
                             "directory with --storage.path",
                             path),
                 ErrorKind::kUnsupported);
  }
  if (SizeOf(path) > kMaxCheckedBytes && !Exists(SuspectMarkOf(path))) {
    return {};
  }
  ASSIGN_OR_RETURN(Statement check, database.Prepare("PRAGMA quick_check(1)"));
  ASSIGN_OR_RETURN(const bool row, check.Step());
  if (!row || check.Text(0) != "ok") {
    return Error(fmt::format("state file {}: damaged: {}", path, row ? check.Text(0) : "no answer"),
                 ErrorKind::kInvalidArgument);
  }
  return {};
}

void RemoveOldDamaged(const std::string& path) {
  std::vector<std::string> kept = base::Glob(path + std::string(kDamaged) + "*[0-9Z]");
  while (kept.size() > kMaxDamagedFiles) {
    unlink(kept.front().c_str());
    for (const std::string_view companion : kCompanions) {
      unlink((kept.front() + std::string(companion)).c_str());
    }
    kept.erase(kept.begin());
  }
}

base::Result<std::string> MoveAside(const std::string& path, const base::Clock& clock) {
  const std::string to = path + std::string(kDamaged) +
                         base::FormatRfc3339(base::FromMillis(base::ToMillis(clock.Now())));
  if (rename(path.c_str(), to.c_str()) != 0) {
    return base::ErrnoError("move damaged file " + path + " to " + to);
  }
  for (const std::string_view companion : kCompanions) {
    const std::string from = path + std::string(companion);
    if (Exists(from) && rename(from.c_str(), (to + std::string(companion)).c_str()) != 0) {
      return base::ErrnoError("move " + from + " out of the way");
    }
  }
  RemoveOldDamaged(path);
  return to;
}

}  // namespace

std::string DefaultDirectory(const EnvironmentFunc& environment) {
  const auto get = [&environment](const char* name) { return environment(name).value_or(""); };
  // systemd names several with colons between them.
  if (const std::string given = get("STATE_DIRECTORY"); !given.empty()) {
    return given.substr(0, given.find(':'));
  }
  constexpr char kSystem[] = "/var/lib/tarsier";
  if (access(Exists(kSystem) ? kSystem : "/var/lib", W_OK) == 0) {
    return kSystem;
  }
  if (const std::string state = get("XDG_STATE_HOME"); !state.empty()) {
    return state + "/tarsier";
  }
  const std::string home = get("HOME");
  return !home.empty() && access(home.c_str(), W_OK) == 0 ? home + "/.local/state/tarsier" : "";
}

std::string SuspectMarkOf(const std::string& path) { return path + ".suspect"; }

base::Result<StateFile> StateFile::Open(const std::string& directory, const base::Clock& clock,
                                        const base::Logger& logger) {
  RETURN_IF_ERROR(MakeDirectory(directory));
  const std::string path = (std::filesystem::path(directory) / kStateFileName).string();
  ASSIGN_OR_RETURN(base::UniqueFd lock, TakeLock(path));
  const auto try_open = [&path]() -> base::Result<void> {
    ASSIGN_OR_RETURN(Database database, Database::Open(path, {}));
    return Check(database, path);
  };
  base::Result<void> checked = try_open();
  if (!checked.ok() && checked.error().kind() == ErrorKind::kInvalidArgument) {
    ASSIGN_OR_RETURN(const std::string aside, MoveAside(path, clock));
    logger.Error("the state file is damaged; it was moved aside and a new one is begun",
                 {{"file", path}, {"moved_to", aside}, {"error", checked.error().message()}});
    checked = try_open();
  }
  if (!checked.ok()) {
    return checked.error();
  }
  unlink(SuspectMarkOf(path).c_str());
  return StateFile(path, std::move(lock));
}

base::Result<Database> StateFile::Connect(const ConnectionOptions& options) const {
  return Database::Open(path_, options);
}

uint64_t StateFile::Bytes() const { return SizeOf(path_) + SizeOf(path_ + "-wal"); }

}  // namespace state
