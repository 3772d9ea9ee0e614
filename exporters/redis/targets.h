// /scrape?target=redis://HOST:PORT: any server that the configuration lets a request name, each
// with an exporter that is kept, so that a scrape does not cost a connection. And
// /discover-cluster-nodes, which tells Prometheus what to name.
//
// A request names the server, so it must never decide who gets a password: one is sent only to the
// address it is bound to, by --redis.addr or by name in the password file.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporters/redis/exporter.h"
#include "exporters/redis/options.h"
#include "exporters/toolkit/exporter_main.h"
#include "lib/base/log.h"
#include "lib/base/mutex.h"
#include "lib/base/result.h"

namespace exporters::redis {

// Exporters kept for targets; the one not used for longest goes.
inline constexpr size_t kMaxTargets = 256;
// Scrapes of targets at once; more are answered 503.
inline constexpr size_t kMaxTargetScrapes = 32;
inline constexpr size_t kMaxTargetBytes = 1024;

struct TargetOptions {
  Options base;  // What --redis.addr and the other flags say.
  // Patterns of "host:port"; empty allows any host. A Unix socket needs one that names it.
  std::vector<std::string> allowed;
};

using Query = std::vector<std::pair<std::string, std::string>>;

// The options for a request's target. Errors: kInvalidArgument, kPermissionDenied, without quoting
// a password the target may hold.
base::Result<Options> OptionsForTarget(const TargetOptions& options, const Query& query);

// Thread-safe.
class Targets {
 public:
  // `logger` must outlive it.
  Targets(TargetOptions options, const base::Logger& logger);

  http::Response Handle(const http::Request& request);
  size_t kept() const;

 private:
  struct Kept {
    std::shared_ptr<Exporter> exporter;
    uint64_t last_used = 0;
  };

  http::Response Answer(const http::Request& request);
  std::shared_ptr<Exporter> ExporterFor(const std::string& key, Options options);

  const TargetOptions options_;
  const base::Logger& logger_;
  mutable base::Mutex mutex_;
  std::map<std::string, Kept> kept_ GUARDED_BY(mutex_);
  uint64_t clock_ GUARDED_BY(mutex_) = 0;
  size_t running_ GUARDED_BY(mutex_) = 0;
};

// /scrape and, with --is-cluster, /discover-cluster-nodes. `logger` must outlive them.
std::vector<Route> MakeTargetRoutes(TargetOptions options, bool scrape, bool hostnames,
                                    const base::Logger& logger);

}  // namespace exporters::redis
