#include "lib/http/web_policy.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

#include "lib/base/file.h"

namespace http {
namespace {

// Differs whenever the file was written, replaced, created or removed.
std::string FileState(const std::string& path) {
  struct stat state {};
  if (stat(path.c_str(), &state) != 0) {
    return "absent";
  }
  return fmt::format("{}:{}:{}:{}.{}", state.st_dev, state.st_ino, state.st_size,
                     state.st_mtim.tv_sec, state.st_mtim.tv_nsec);
}

}  // namespace

base::Result<std::shared_ptr<const WebPolicy>> WebPolicyFile::Read(const std::string& path,
                                                                   FileStates* files) {
  const auto watch = [files](const std::string& file) {
    if (!file.empty()) {
      files->emplace_back(file, FileState(file));
    }
  };
  auto policy = std::make_shared<WebPolicy>();
  if (path.empty()) {
    return std::shared_ptr<const WebPolicy>(std::move(policy));
  }
  watch(path);
  ASSIGN_OR_RETURN(const std::string text, base::ReadFile(path, kMaxWebConfigBytes));
  ASSIGN_OR_RETURN(policy->config, ParseWebConfig(text, path));
  if (const auto& tls = policy->config.tls; tls) {
    watch(tls->cert.file);
    watch(tls->key.file);
    watch(tls->client_ca.file);
    auto context = MakeTlsContext(*tls);
    if (!context.ok()) {
      return context.error().WithContext(path);
    }
    policy->tls = *std::move(context);
  }
  return std::shared_ptr<const WebPolicy>(std::move(policy));
}

base::Result<std::unique_ptr<WebPolicyFile>> WebPolicyFile::Open(std::string path,
                                                                 const base::Logger& logger) {
  std::unique_ptr<WebPolicyFile> file(new WebPolicyFile(std::move(path), logger));
  FileStates files;
  ASSIGN_OR_RETURN(std::shared_ptr<const WebPolicy> policy, Read(file->path_, &files));
  const base::MutexLock lock(file->mutex_);
  file->policy_ = std::move(policy);
  file->files_ = std::move(files);
  file->next_check_ = std::chrono::steady_clock::now() + kRecheckInterval;
  return file;
}

std::shared_ptr<const WebPolicy> WebPolicyFile::Current() {
  const base::MutexLock lock(mutex_);
  const base::MonotonicTime now = std::chrono::steady_clock::now();
  if (!path_.empty() && now >= next_check_) {
    next_check_ = now + kRecheckInterval;
    ReloadIfChanged();
  }
  return policy_;
}

void WebPolicyFile::ReloadIfChanged() {
  const bool changed = std::any_of(files_.begin(), files_.end(), [](const auto& file) {
    return FileState(file.first) != file.second;
  });
  if (!changed) {
    return;
  }
  // A broken version is tried again, and logged again, only after another change.
  files_.clear();
  auto policy = Read(path_, &files_);
  if (!policy.ok()) {
    logger_.Error("web configuration not reloaded, the one before stays in force",
                  {{"error", policy.error().message()}});
    return;
  }
  policy_ = *std::move(policy);
  logger_.Info("web configuration reloaded", {{"file", path_}});
}

}  // namespace http
