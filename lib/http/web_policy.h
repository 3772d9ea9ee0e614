// The web configuration in force: read again when its file, or a certificate it names, changes.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mutex.h"
#include "lib/base/result.h"
#include "lib/http/tls.h"
#include "lib/http/web_config.h"

namespace http {

struct WebPolicy {
  WebConfig config;
  TlsContext tls;  // Null for plain HTTP.
};

// Thread-safe.
class WebPolicyFile {
 public:
  // How long a change may go unnoticed.
  static constexpr std::chrono::milliseconds kRecheckInterval{500};

  // "" for no file: plain HTTP for ever. `logger` must outlive this.
  static base::Result<std::unique_ptr<WebPolicyFile>> Open(std::string path,
                                                           const base::Logger& logger);

  // The newest version that could be read: a broken file keeps the one before, and is logged once.
  std::shared_ptr<const WebPolicy> Current();

 private:
  WebPolicyFile(std::string path, const base::Logger& logger)
      : path_(std::move(path)), logger_(logger) {}

  // The files a policy was read from, each as it was just before.
  using FileStates = std::vector<std::pair<std::string, std::string>>;

  static base::Result<std::shared_ptr<const WebPolicy>> Read(const std::string& path,
                                                             FileStates* files);
  void ReloadIfChanged() REQUIRES_LOCK(mutex_);

  const std::string path_;
  const base::Logger& logger_;
  base::Mutex mutex_;
  std::shared_ptr<const WebPolicy> policy_ GUARDED_BY(mutex_);
  FileStates files_ GUARDED_BY(mutex_);
  base::MonotonicTime next_check_ GUARDED_BY(mutex_);
};

}  // namespace http
