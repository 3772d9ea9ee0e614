#include "agent/local_servers.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "agent/server_kinds.h"
#include "lib/base/strings.h"
#include "lib/base/url.h"

namespace agent {
namespace {

using discovery::FoundServer;
using discovery::Listener;
using Families = std::vector<model::MetricFamily>;

const model::MetricFamily* FindFamily(const Families& families, std::string_view name) {
  for (const model::MetricFamily& family : families) {
    if (family.desc->name == name) {
      return &family;
    }
  }
  return nullptr;
}

bool IsUp(const Families& families, std::string_view metric) {
  const model::MetricFamily* up = FindFamily(families, metric);
  return up != nullptr && !up->metrics.empty() && up->metrics.front().value == 1;
}

// The label of the one reason that is 1.
std::string FailureReason(const Families& families, std::string_view reason_metric) {
  const model::MetricFamily* reasons = FindFamily(families, reason_metric);
  if (reasons != nullptr) {
    for (const model::Metric& metric : reasons->metrics) {
      if (metric.value == 1 && metric.labels.size() > 0) {
        return std::string(*metric.labels.begin());
      }
    }
  }
  return "unknown";
}

// One run of a Redis server, whatever it is reached by; "" when it does not say.
std::string RunId(const Families& families) {
  const model::MetricFamily* info = FindFamily(families, "redis_instance_info");
  if (info == nullptr || info->metrics.empty()) {
    return {};
  }
  const model::LabelValues& values = info->metrics.front().labels;
  auto value = values.begin();
  for (const std::string_view name : info->desc->labels) {
    if (name == "run_id") {
      return std::string(*value);
    }
    ++value;
  }
  return {};
}

// Of ".s.PGSQL.5432" the port, so that a server's TCP port and its socket are one server.
int PortOf(const Listener& listener) {
  if (listener.socket_path.empty()) {
    return listener.port;
  }
  const size_t dot = listener.socket_path.rfind(".s.PGSQL.");
  if (dot == std::string::npos) {
    return 0;
  }
  return static_cast<int>(
      base::ParseInt(listener.socket_path.substr(dot + std::string_view(".s.PGSQL.").size()))
          .value_or(0));
}

std::string IdentityOf(const FoundServer& found) {
  const int port = PortOf(found.listener);
  return fmt::format("{} {}", ServerKindName(found.kind),
                     port != 0 ? std::to_string(port) : found.listener.socket_path);
}

// Whether `address`, as a user wrote it, is that port of this machine.
bool IsThisMachine(std::string_view address, int port, std::string_view host_name) {
  const auto parsed = base::ParseHostPort(address);
  if (!parsed.ok() || parsed->port != port) {
    return false;
  }
  const std::string& host = parsed->host;
  return host.empty() || host == "localhost" || host == "::1" || host == host_name ||
         host.starts_with("127.") || host.starts_with('/');
}

}  // namespace

struct LocalServers::Server {
  const ServerKindRow* row = nullptr;
  std::string instance;
  std::string place;                // For people.
  std::vector<Listener> listeners;  // Every way to it that was found.
  std::string run_id;
  bool from_environment = false;
  std::shared_ptr<exporters::Exporter> exporter;  // Null while nobody is let in.
  std::string failure;
  std::optional<base::MonotonicTime> retry_at;
  bool duplicate = false;  // Of another entry, by another way.
};

LocalServers::LocalServers(LocalServersOptions options, const base::Clock& clock,
                           const base::Logger& logger)
    : options_(std::move(options)),
      clock_(clock),
      logger_(logger),
      trial_logger_(base::LogLevel::kError, base::LogFormat::kLogfmt, [](std::string_view) {}),
      finder_(options_.discovery) {
  AddFromEnvironment();
}

LocalServers::~LocalServers() = default;

void LocalServers::AddFromEnvironment() {
  for (const ServerKindRow& row : ServerKinds()) {
    for (const char* variable : row.variables) {
      if (!options_.environment(variable)) {
        continue;
      }
      auto made = row.make({}, options_.environment, logger_);
      if (!made.ok()) {
        environment_errors_.push_back(
            fmt::format("{}: {}: {}", ServerKindName(row.kind), variable, made.error().message()));
        break;
      }
      auto server = std::make_unique<Server>();
      server->row = &row;
      server->instance = made->address;
      server->place = fmt::format("{}, named by {}", made->address, variable);
      server->from_environment = true;
      server->exporter = std::move(made->exporter);
      servers_.emplace(fmt::format("{} {}", ServerKindName(row.kind), variable), std::move(server));
      break;
    }
  }
}

bool LocalServers::Refresh() {
  const auto found = finder_.Find();
  finder_error_ = found.ok() ? "" : found.error().message();
  if (!found.ok()) {
    return false;
  }
  for (const FoundServer& server : *found) {
    Consider(server);
  }
  bool changed = false;
  for (auto& [identity, server] : servers_) {
    const bool due = !server->retry_at || clock_.Monotonic() >= *server->retry_at;
    if (server->exporter == nullptr && !server->duplicate && due) {
      changed = TryToWatch(server.get()) || changed;
    }
  }
  return changed;
}

void LocalServers::Consider(const FoundServer& found) {
  const ServerKindRow* const row = FindRow(found.kind);
  if (row == nullptr) {
    return;
  }
  const int port = PortOf(found.listener);
  for (const auto& [identity, server] : servers_) {
    if (server->from_environment && server->row == row &&
        (IsThisMachine(server->instance, port, options_.host_name) ||
         server->instance == found.listener.socket_path)) {
      return;
    }
  }
  std::unique_ptr<Server>& server = servers_[IdentityOf(found)];
  if (server == nullptr) {
    server = std::make_unique<Server>();
    server->row = row;
    server->instance = fmt::format("{}:{}", options_.host_name,
                                   port != 0 ? std::to_string(port) : found.listener.socket_path);
    server->place = found.listener.ToString();
  }
  const auto known = std::find_if(server->listeners.begin(), server->listeners.end(),
                                  [&found](const Listener& listener) {
                                    return listener.ToString() == found.listener.ToString();
                                  });
  if (known == server->listeners.end()) {
    server->listeners.push_back(found.listener);
    server->retry_at.reset();
  } else if (known->id != found.listener.id) {
    known->id = found.listener.id;  // It was started anew, perhaps with other rules of entry.
    server->retry_at.reset();
  }
}

bool LocalServers::AlreadyWatched(const Server& server) const {
  return std::any_of(servers_.begin(), servers_.end(), [&server](const auto& entry) {
    return entry.second.get() != &server && entry.second->exporter != nullptr &&
           !server.run_id.empty() && entry.second->run_id == server.run_id;
  });
}

// "" is the user that the protocol's client library takes by itself: ours.
std::vector<std::string> LocalServers::UsersToTry(const ServerKindRow& row) const {
  for (const char* variable : row.user_variables) {
    if (options_.environment(variable)) {
      return {""};
    }
  }
  std::vector<std::string> users(row.users.begin(), row.users.end());
  // No server has a role for root unless someone made one.
  users.insert(geteuid() == 0 ? users.end() : users.begin(), "");
  return users;
}

// Every way in, by every user, until one works.
bool LocalServers::TryToWatch(Server* server) {
  const std::vector<std::string> users = UsersToTry(*server->row);
  for (const Listener& listener : server->listeners) {
    for (const std::string& user : users) {
      const Login login{listener, user, MaySeePasswords(listener)};
      auto made = server->row->make(login, options_.environment, trial_logger_);
      if (!made.ok()) {
        server->failure = made.error().message();
        continue;
      }
      const auto families =
          made->exporter->Collect({.deadline = clock_.Monotonic() + kLoginTimeout});
      if (!families.ok() || !IsUp(*families, server->row->up_metric)) {
        server->failure = families.ok() ? FailureReason(*families, server->row->reason_metric)
                                        : families.error().message();
        continue;
      }
      server->run_id = RunId(*families);
      server->duplicate = AlreadyWatched(*server);
      if (server->duplicate) {
        return false;
      }
      // Once more, with the logger that it keeps.
      made = server->row->make(login, options_.environment, logger_);
      if (!made.ok()) {
        server->failure = made.error().message();
        continue;
      }
      server->exporter = std::move(made->exporter);
      server->place = listener.ToString();
      logger_.Info("watching a server", {{"kind", std::string(ServerKindName(server->row->kind))},
                                         {"at", server->place},
                                         {"instance", server->instance}});
      return true;
    }
  }
  server->retry_at = clock_.Monotonic() + kLoginRetry;
  return false;
}

std::vector<scrape::Job> LocalServers::Jobs(const scrape::JobOptions& defaults) const {
  std::vector<scrape::Job> jobs;
  for (const ServerKindRow& row : ServerKinds()) {
    scrape::Job job{.options = defaults};
    job.options.name = row.job;
    for (const auto& [identity, server] : servers_) {
      if (server->row == &row && server->exporter != nullptr) {
        job.locals.push_back({.name = std::string(row.job),
                              .address = server->instance,
                              .exporter = server->exporter});
      }
    }
    if (!job.locals.empty()) {
      jobs.push_back(std::move(job));
    }
  }
  return jobs;
}

std::vector<std::string> LocalServers::Describe() const {
  std::vector<std::string> lines;
  for (const ServerKindRow& row : ServerKinds()) {
    const std::string_view kind = ServerKindName(row.kind);
    bool any = false;
    for (const auto& [identity, server] : servers_) {
      if (server->row != &row || server->duplicate) {
        continue;
      }
      any = true;
      if (server->exporter != nullptr) {
        lines.push_back(
            fmt::format("{} at {}: watched as {}", kind, server->place, server->instance));
      } else {
        lines.push_back(fmt::format("{} at {}: found but NOT watched, it lets us not in ({}): {}",
                                    kind, server->place, server->failure, row.hint));
      }
    }
    if (!any) {
      lines.push_back(fmt::format("{}: none found", kind));
    }
  }
  for (const std::string& error : environment_errors_) {
    lines.push_back(error);
  }
  if (!finder_error_.empty()) {
    lines.push_back("listening ports cannot be read: " + finder_error_);
  }
  return lines;
}

}  // namespace agent
