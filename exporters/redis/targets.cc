#include "exporters/redis/targets.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "exporters/redis/cluster_nodes.h"
#include "exporters/redis/key_selector.h"
#include "exporters/redis/session.h"
#include "exporters/toolkit/coalesce.h"
#include "exporters/toolkit/metrics_page.h"
#include "lib/base/json_writer.h"
#include "lib/base/strings.h"

namespace exporters::redis {
namespace {

using std::chrono::steady_clock;

base::Error BadRequest(std::string message) {
  return base::Error(std::move(message), base::ErrorKind::kInvalidArgument);
}

std::string_view First(const Query& query, std::string_view name) {
  for (const auto& [key, value] : query) {
    if (key == name) {
      return value;
    }
  }
  return "";
}

struct KeyParameter {
  std::string_view name;
  std::vector<KeySelector> KeyOptions::*list;
};

constexpr KeyParameter kKeyParameters[] = {
    {"check-keys", &KeyOptions::patterns},   {"check-single-keys", &KeyOptions::single_keys},
    {"check-streams", &KeyOptions::streams}, {"check-single-streams", &KeyOptions::single_streams},
    {"count-keys", &KeyOptions::counts},
};

bool Has(const Query& query, std::string_view name) {
  return std::any_of(query.begin(), query.end(),
                     [&](const auto& parameter) { return parameter.first == name; });
}

// What the flags say holds for targets, too, unless the request says otherwise.
base::Result<void> ReadKeyParameters(const Query& query, Options* options) {
  for (const KeyParameter& parameter : kKeyParameters) {
    if (!Has(query, parameter.name)) {
      continue;
    }
    auto selectors = ParseKeySelectors(First(query, parameter.name));
    if (!selectors.ok()) {
      return selectors.error().WithContext(parameter.name);
    }
    options->keys.*parameter.list = std::move(selectors).value();
  }
  if (!Has(query, "queues")) {
    return {};
  }
  auto queues = ParseQueueSelectors(First(query, "queues"));
  if (!queues.ok()) {
    return queues.error().WithContext("queues");
  }
  options->queues.named = std::move(queues).value();
  return {};
}

bool SameServer(const Address& a, const Address& b) {
  return a.tls == b.tls && a.endpoint.ToString() == b.endpoint.ToString();
}

base::Result<void> CheckAllowed(const TargetOptions& options, const Address& target) {
  const bool is_socket = !target.endpoint.unix_path.empty();
  const std::string name = is_socket ? target.ToString() : target.endpoint.ToString();
  const bool named = std::any_of(
      options.allowed.begin(), options.allowed.end(),
      [&](const std::string& pattern) { return GlobMatches(pattern, base::ToLower(name)); });
  if (named || (options.allowed.empty() && !is_socket) ||
      SameServer(target, options.base.address)) {
    return {};
  }
  return base::Error(
      fmt::format("target {} is not allowed: --scrape.allow-target names those that are",
                  base::ToValidUtf8(name)),
      base::ErrorKind::kPermissionDenied);
}

http::Response Discover(const Options& options, bool hostnames) {
  Resolver resolver;
  Session session(options, resolver);
  const Command command{.words = {"CLUSTER", "NODES"}};
  const auto replies =
      session.Ask("cluster", {&command, 1}, steady_clock::now() + kDefaultScrapeTimeout);
  if (!replies.ok()) {
    return ErrorResponse(replies.error());
  }
  if ((*replies)[0].IsError()) {
    return ErrorResponse(base::Error("CLUSTER NODES: " + (*replies)[0].text.substr(0, 120),
                                     base::ErrorKind::kUnavailable));
  }
  http::Response response{.content_type = "application/json"};
  base::JsonWriter json(&response.body);
  json.BeginArray();
  json.BeginObject();
  json.Key("targets");
  json.BeginArray();
  for (const ClusterNode& node : ParseClusterNodes((*replies)[0].text)) {
    Address address = options.address;
    address.endpoint = node.endpoint;
    if (hostnames && !node.hostname.empty()) {
      address.endpoint.host = node.hostname;
    }
    json.String(address.ToString());
  }
  json.EndArray();
  json.Key("labels");
  json.BeginObject();
  json.EndObject();
  json.EndObject();
  json.EndArray();
  return response;
}

}  // namespace

base::Result<Options> OptionsForTarget(const TargetOptions& options, const Query& query) {
  const std::string_view text = First(query, "target");
  if (text.empty() || text.size() > kMaxTargetBytes) {
    return BadRequest(
        "the parameter target is missing or too long: /scrape?target=redis://HOST:PORT");
  }
  auto address = ParseAddress(text);
  if (!address.ok()) {
    return address.error().WithContext("target");
  }
  RETURN_IF_ERROR(CheckAllowed(options, *address));
  Options own = options.base;
  own.target_errors = nullptr;  // Of this exporter, not of its targets.
  if (!SameServer(*address, options.base.address)) {
    // A password in the target is dropped, as redis_exporter does: URLs end up in logs.
    own.address = *std::move(address);
    own.address.password = base::Secret();
    own.only_bound_passwords = true;
  }
  if (const std::string_view name = First(query, "tls_server_name"); !name.empty()) {
    own.tls.server_name = name.substr(0, kMaxTargetBytes);
  }
  RETURN_IF_ERROR(ReadKeyParameters(query, &own));
  return own;
}

Targets::Targets(TargetOptions options, const base::Logger& logger)
    : options_(std::move(options)), logger_(logger) {}

size_t Targets::kept() const {
  const base::MutexLock lock(mutex_);
  return kept_.size();
}

// One exporter for each combination of target and parameters: its walk is for those keys.
std::shared_ptr<Exporter> Targets::ExporterFor(const std::string& key, Options options) {
  std::shared_ptr<Exporter> gone;  // Ends outside the lock: it may have a thread to join.
  const base::MutexLock lock(mutex_);
  if (const auto found = kept_.find(key); found != kept_.end()) {
    found->second.last_used = ++clock_;
    return found->second.exporter;
  }
  if (kept_.size() >= kMaxTargets) {
    const auto oldest = std::min_element(
        kept_.begin(), kept_.end(),
        [](const auto& a, const auto& b) { return a.second.last_used < b.second.last_used; });
    gone = std::move(oldest->second.exporter);
    kept_.erase(oldest);
  }
  std::shared_ptr<Exporter> exporter = std::make_shared<CoalescingExporter>(
      std::make_unique<RedisExporter>(std::move(options), logger_));
  kept_.emplace(key, Kept{.exporter = exporter, .last_used = ++clock_});
  return exporter;
}

http::Response Targets::Handle(const http::Request& request) {
  http::Response response = Answer(request);
  if (response.status != 200 && options_.base.target_errors != nullptr) {
    options_.base.target_errors->fetch_add(1);
  }
  return response;
}

http::Response Targets::Answer(const http::Request& request) {
  auto options = OptionsForTarget(options_, request.query);
  if (!options.ok()) {
    return ErrorResponse(options.error());
  }
  std::string key = options->address.ToString() + "\n" + options->address.user;
  for (const auto& [name, value] : request.query) {
    if (name != "target" && name != "collect[]" && name != "exclude[]") {
      key.append("\n").append(name).append("=").append(value);
    }
  }
  {
    const base::MutexLock lock(mutex_);
    if (running_ >= kMaxTargetScrapes) {
      return ErrorResponse(
          base::Error("too many targets are being scraped", base::ErrorKind::kResourceExhausted));
    }
    ++running_;
  }
  const std::shared_ptr<Exporter> exporter = ExporterFor(key, *std::move(options));
  const auto families = exporter->Collect(ParseScrapeRequest(request, steady_clock::now()));
  {
    const base::MutexLock lock(mutex_);
    --running_;
  }
  return families.ok() ? MetricsResponse(request, *families) : ErrorResponse(families.error());
}

std::vector<Route> MakeTargetRoutes(TargetOptions options, bool scrape, bool hostnames,
                                    const base::Logger& logger) {
  std::vector<Route> routes;
  const Options base = options.base;
  if (scrape) {
    const auto targets = std::make_shared<Targets>(std::move(options), logger);
    routes.push_back(
        {.path = "/scrape",
         .description = "Metrics of the server that ?target=redis://HOST:PORT names.",
         .handler = [targets](const http::Request& request) { return targets->Handle(request); }});
  }
  if (base.is_cluster) {
    routes.push_back(
        {.path = "/discover-cluster-nodes",
         .description = "The nodes of the cluster, for Prometheus' http_sd_configs.",
         .handler = [base, hostnames](const http::Request&) { return Discover(base, hostnames); }});
  }
  return routes;
}

}  // namespace exporters::redis
