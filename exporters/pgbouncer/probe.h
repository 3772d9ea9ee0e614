// /probe?target=NAME: other PgBouncers, by the names that a file gives their connection strings. A
// request names none itself, so that no password goes to a host that a request made up.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "exporters/pgbouncer/connection_string.h"
#include "exporters/pgbouncer/options.h"
#include "exporters/toolkit/exporter_main.h"
#include "lib/base/log.h"
#include "lib/base/result.h"

namespace exporters::pgbouncer {

inline constexpr size_t kMaxTargets = 1000;
// Probes beyond this many at once are refused.
inline constexpr size_t kMaxProbes = 32;

using Targets = std::map<std::string, ConnectionInfo, std::less<>>;

// Lines of "NAME CONNECTION-STRING"; # begins a comment. Pure. Errors: kInvalidArgument, with the
// number of the line and nothing of its connection string.
base::Result<Targets> ParseTargets(std::string_view text, const ConnectionDefaults& defaults);

base::Result<Targets> ReadTargets(const std::string& path);

// `logger` must outlive the route.
Route MakeProbeRoute(Options options, std::string path, const base::Logger& logger);

}  // namespace exporters::pgbouncer
