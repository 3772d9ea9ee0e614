// The main function that the exporters share: flags, HTTP front, signals, sub-commands.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporters/toolkit/exporter.h"
#include "exporters/toolkit/flags.h"
#include "lib/base/log.h"
#include "lib/base/result.h"
#include "lib/http/server.h"

namespace exporters {

// A page beside /metrics, such as /probe. The handler runs on several threads at once;
// metrics_page.h has what it needs to answer with families.
struct Route {
  std::string path;
  std::string description;  // A line of the landing page.
  http::Server::Handler handler;
};

struct ExporterInstance {
  std::unique_ptr<Exporter> exporter;
  std::vector<Route> routes = {};
  // Called before the server stops, for what must end first; may be empty.
  std::function<void()> stop = nullptr;
};

struct ExporterProgram {
  std::string name;           // "tarsier-postgres".
  std::string description;    // One or two sentences, for --help and the landing page.
  std::string official_name;  // "postgres_exporter": names *_build_info as dashboards expect it.
  int default_port = 0;       // On every address, as the official exporters do.
  std::string telemetry_path_env = {};  // Environment fall-backs of --web.telemetry-path and
  std::string listen_address_env = {};  // --web.listen-address, where the official one has them.
  // The labels of *_build_info; those of Go's version collector (branch, goarch, goos, goversion,
  // revision, tags, version) when empty.
  std::vector<std::pair<std::string, std::string>> build_info = {};
  std::vector<Flag> flags = {};  // The binary's own; the --web.* and --log.* flags are added.
  std::string examples = {};     // For the end of --help.

  // Builds the exporter. It must not need its server to be up. kInvalidArgument is bad usage (exit
  // 2), any other error a failed start (exit 1). `logger` outlives the exporter.
  std::function<base::Result<ExporterInstance>(const ParsedFlags& flags,
                                               const base::Logger& logger)>
      make;

  // The `doctor` sub-command: appends its findings to `report`; true when all is well. May be
  // empty.
  std::function<bool(const ParsedFlags& flags, const base::Logger& logger, std::string* report)>
      doctor = nullptr;
};

// The flags every exporter has: --web.*, --log.*.
std::vector<Flag> StandardFlags(const ExporterProgram& program);

// Runs until SIGTERM or SIGINT. Returns the exit code: 0 fine, 1 failure, 2 bad usage.
int ExporterMain(const ExporterProgram& program, int argc, const char* const* argv);

}  // namespace exporters
