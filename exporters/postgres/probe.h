// /probe?target=HOST:PORT/DATABASE&auth_module=NAME: one server named by the request, with
// credentials that only the configuration file knows.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "exporters/postgres/options.h"
#include "exporters/toolkit/exporter_main.h"
#include "lib/base/log.h"
#include "lib/base/mutex.h"
#include "lib/base/result.h"
#include "lib/base/secret.h"

namespace exporters::postgres {

// Probes at once; more are answered 503.
inline constexpr size_t kMaxProbes = 16;

struct AuthModule {
  std::string type;  // "userpass".
  std::string username;
  base::Secret password;
  std::map<std::string, std::string, std::less<>> options;  // Of the connection: sslmode and such.
};

struct ProbeConfig {
  std::map<std::string, AuthModule, std::less<>> auth_modules;
};

// postgres_exporter.yml. Errors: kInvalidArgument "FILE:LINE: why".
base::Result<ProbeConfig> ParseProbeConfig(std::string_view text, const std::string& file);

// `target` is host:port/database?parameters, a URI or key=value pairs; it may name a server, not
// files of this machine. `auth_module` may be empty. Errors: kInvalidArgument, without quoting the
// target, which may hold a password.
base::Result<pq::Conninfo> ProbeConninfo(const ProbeConfig& config, std::string_view target,
                                         std::string_view auth_module);

// The configuration as its file says now: read anew when its text has changed. One that is broken
// is logged once, and the one before it stays. Thread-safe.
class ProbeConfigFile {
 public:
  // `config` was read from `path`, which may be empty; `logger` must outlive this.
  ProbeConfigFile(std::string path, ProbeConfig config, const base::Logger& logger)
      : path_(std::move(path)),
        logger_(logger),
        config_(std::make_shared<const ProbeConfig>(std::move(config))) {}

  std::shared_ptr<const ProbeConfig> Now();

 private:
  const std::string path_;
  const base::Logger& logger_;
  base::Mutex mutex_;
  std::string text_ GUARDED_BY(mutex_);
  std::shared_ptr<const ProbeConfig> config_ GUARDED_BY(mutex_);
};

// Each probe has a session of its own, which ends with it. Collectors that live on what they saw
// before are off in it. `logger` must outlive the route.
Route MakeProbeRoute(PostgresOptions options, std::shared_ptr<ProbeConfigFile> config,
                     const base::Logger& logger);

}  // namespace exporters::postgres
