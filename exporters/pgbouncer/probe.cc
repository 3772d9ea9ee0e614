#include "exporters/pgbouncer/probe.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "exporters/pgbouncer/exporter.h"
#include "exporters/toolkit/metrics_page.h"
#include "lib/base/file.h"
#include "lib/base/strings.h"

namespace exporters::pgbouncer {
namespace {

base::Error BadRequest(std::string message) {
  return base::Error(std::move(message), base::ErrorKind::kInvalidArgument);
}

// Counts itself among the probes that run, while it lives.
class ProbeSlot {
 public:
  explicit ProbeSlot(std::shared_ptr<std::atomic<size_t>> running)
      : running_(std::move(running)), before_(running_->fetch_add(1)) {}
  ~ProbeSlot() { running_->fetch_sub(1); }
  ProbeSlot(const ProbeSlot&) = delete;
  ProbeSlot& operator=(const ProbeSlot&) = delete;

  bool granted() const { return before_ < kMaxProbes; }

 private:
  const std::shared_ptr<std::atomic<size_t>> running_;
  const size_t before_;
};

base::Result<std::vector<model::MetricFamily>> Probe(const http::Request& request, Options options,
                                                     const std::string& path,
                                                     const base::Logger& logger) {
  const std::string_view name = request.Query("target").value_or("");
  if (name.empty()) {
    return BadRequest("the parameter target is missing: /probe?target=NAME");
  }
  ASSIGN_OR_RETURN(const Targets targets, ReadTargets(path));
  const auto target = targets.find(name);
  if (target == targets.end()) {
    return BadRequest(
        fmt::format("target \"{}\" is not in the targets file", base::ToValidUtf8(name)));
  }
  options.connection = target->second;
  options.pid_file.clear();
  PgBouncerExporter exporter(std::move(options), logger);
  return exporter.Collect(ParseScrapeRequest(request, std::chrono::steady_clock::now()));
}

}  // namespace

base::Result<Targets> ParseTargets(std::string_view text, const ConnectionDefaults& defaults) {
  Targets targets;
  const std::vector<std::string_view> lines = base::Split(text, '\n');
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string_view line = base::TrimSpace(lines[i]);
    if (line.empty() || line.front() == '#') {
      continue;
    }
    if (targets.size() >= kMaxTargets) {
      return BadRequest(fmt::format("line {}: more than {} targets", i + 1, kMaxTargets));
    }
    const size_t end = std::min(line.find_first_of(" \t"), line.size());
    const std::string_view connection = base::TrimSpace(line.substr(end));
    if (connection.empty()) {
      return BadRequest(fmt::format("line {}: a name and a connection string are expected", i + 1));
    }
    base::Result<ConnectionInfo> info = ParseConnectionString(connection, defaults);
    if (!info.ok()) {
      return BadRequest(fmt::format("line {}: {}", i + 1, info.error().message()));
    }
    if (!targets.emplace(line.substr(0, end), *std::move(info)).second) {
      return BadRequest(fmt::format("line {}: the name is taken by a line above", i + 1));
    }
  }
  return targets;
}

base::Result<Targets> ReadTargets(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, base::ReadFile(path));
  base::Result<Targets> targets = ParseTargets(text, ReadConnectionDefaults());
  return targets.ok() ? std::move(targets)
                      : base::Result<Targets>(targets.error().WithContext(path));
}

Route MakeProbeRoute(Options options, std::string path, const base::Logger& logger) {
  const auto running = std::make_shared<std::atomic<size_t>>(0);
  return {.path = "/probe",
          .description = "Metrics of the PgBouncer that the targets file calls ?target=NAME.",
          .handler = [running, options = std::move(options), path = std::move(path),
                      &logger](const http::Request& request) {
            const ProbeSlot slot(running);
            if (!slot.granted()) {
              return ErrorResponse(
                  base::Error("too many probes run", base::ErrorKind::kResourceExhausted));
            }
            const auto families = Probe(request, options, path, logger);
            return families.ok() ? MetricsResponse(request, *families)
                                 : ErrorResponse(families.error());
          }};
}

}  // namespace exporters::pgbouncer
