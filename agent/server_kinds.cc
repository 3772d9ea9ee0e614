#include "agent/server_kinds.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "exporters/pgbouncer/exporter.h"
#include "exporters/postgres/command_line.h"
#include "exporters/postgres/exporter.h"
#include "exporters/redis/exporter.h"
#include "lib/base/strings.h"

namespace agent {
namespace {

using discovery::ServerKind;
using exporters::EnvironmentFunc;

// The port in ".s.PGSQL.5432".
std::string SocketPort(const std::string& path) { return path.substr(path.rfind('.') + 1); }

void SetPlace(const discovery::Listener& listener, exporters::pq::Conninfo* conninfo) {
  if (listener.socket_path.empty()) {
    conninfo->Set("host", base::Secret(listener.host));
    conninfo->Set("port", base::Secret(std::to_string(listener.port)));
    return;
  }
  const std::filesystem::path path(listener.socket_path);
  conninfo->Set("host", base::Secret(path.parent_path().string()));
  conninfo->Set("port", base::Secret(SocketPort(listener.socket_path)));
}

bool IsDefault(const discovery::Listener& listener) { return listener == discovery::Listener{}; }

base::Result<MadeExporter> MakePostgres(const Login& login, const EnvironmentFunc& environment,
                                        const base::Logger& logger) {
  ASSIGN_OR_RETURN(
      const exporters::ParsedFlags flags,
      exporters::ParseFlags({.flags = exporters::postgres::PostgresFlags()}, {}, environment));
  ASSIGN_OR_RETURN(exporters::postgres::PostgresOptions options,
                   exporters::postgres::ParseOptions(flags, environment));
  if (!login.may_see_passwords) {
    options.conninfo = {};
    options.conninfo.Set("password", base::Secret());  // Not PGPASSWORD either.
    options.conninfo.Set("passfile", base::Secret("/dev/null"));
  }
  if (!IsDefault(login.listener)) {
    SetPlace(login.listener, &options.conninfo);
    if (!options.conninfo.Has("dbname")) {
      options.conninfo.Set("dbname", base::Secret("postgres"));
    }
    if (!login.user.empty()) {
      options.conninfo.Set("user", base::Secret(login.user));
    }
  }
  const std::string address = options.conninfo.Server();
  ASSIGN_OR_RETURN(auto exporter,
                   exporters::postgres::PostgresExporter::Make(std::move(options), logger));
  return MadeExporter{std::move(exporter), address};
}

// Unlike libpq, what a listener needs is only a place and the console's database.
base::Result<MadeExporter> MakePgbouncer(const Login& login, const EnvironmentFunc& environment,
                                         const base::Logger& logger) {
  std::string text = environment("PGBOUNCER_EXPORTER_CONNECTION_STRING").value_or("");
  if (!IsDefault(login.listener)) {
    const std::string& socket = login.listener.socket_path;
    text = fmt::format(
        "host='{}' port={} dbname=pgbouncer sslmode=prefer",
        socket.empty() ? login.listener.host : std::filesystem::path(socket).parent_path().string(),
        socket.empty() ? std::to_string(login.listener.port) : SocketPort(socket));
    if (!login.user.empty()) {
      text += fmt::format(" user='{}'", login.user);
    }
  }
  exporters::pgbouncer::Options options;
  ASSIGN_OR_RETURN(options.connection, exporters::pgbouncer::ParseConnectionString(
                                           text, exporters::pgbouncer::ReadConnectionDefaults()));
  const std::string address = options.connection.endpoint.ToString();
  return MadeExporter{
      std::make_shared<exporters::pgbouncer::PgBouncerExporter>(std::move(options), logger),
      address};
}

std::string EnvironmentText(const EnvironmentFunc& environment, const char* name) {
  return environment(name).value_or("");
}

base::Result<MadeExporter> MakeRedis(const Login& login, const EnvironmentFunc& environment,
                                     const base::Logger& logger) {
  exporters::redis::Options options;
  if (IsDefault(login.listener)) {
    ASSIGN_OR_RETURN(options.address,
                     exporters::redis::ParseAddress(EnvironmentText(environment, "REDIS_ADDR")));
  } else {
    options.address.endpoint = {.host = login.listener.host,
                                .port = login.listener.port,
                                .unix_path = login.listener.socket_path};
  }
  if (login.may_see_passwords) {
    if (const auto user = environment("REDIS_USER")) {
      options.address.user = *user;
    }
    if (const auto password = environment("REDIS_PASSWORD")) {
      options.address.password = base::Secret(*password);
    }
    options.password_file = EnvironmentText(environment, "REDIS_PASSWORD_FILE");
  }
  options.tls = {.ca_file = EnvironmentText(environment, "REDIS_EXPORTER_TLS_CA_CERT_FILE"),
                 .cert_file = EnvironmentText(environment, "REDIS_EXPORTER_TLS_CLIENT_CERT_FILE"),
                 .key_file = EnvironmentText(environment, "REDIS_EXPORTER_TLS_CLIENT_KEY_FILE"),
                 .server_name = EnvironmentText(environment, "REDIS_EXPORTER_TLS_SERVER_NAME")};
  const std::string address = options.address.endpoint.ToString();
  return MadeExporter{std::make_shared<exporters::redis::RedisExporter>(std::move(options), logger),
                      address};
}

constexpr const char* kPostgresVariables[] = {"DATA_SOURCE_NAME", "DATA_SOURCE_URI",
                                              "DATA_SOURCE_URI_FILE"};
constexpr const char* kPostgresUsers[] = {"postgres"};
constexpr const char* kPostgresUserVariables[] = {"DATA_SOURCE_USER", "DATA_SOURCE_USER_FILE",
                                                  "PGUSER"};
constexpr const char* kPgUserVariables[] = {"PGUSER"};
constexpr const char* kPgbouncerVariables[] = {"PGBOUNCER_EXPORTER_CONNECTION_STRING"};
constexpr const char* kPgbouncerUsers[] = {"postgres", "pgbouncer", "stats"};
constexpr const char* kRedisVariables[] = {"REDIS_ADDR"};

constexpr ServerKindRow kKinds[] = {
    {.kind = ServerKind::kPostgres,
     .job = "postgres",
     .up_metric = "pg_up",
     .reason_metric = "pg_up_failure_reason",
     .hint = "set DATA_SOURCE_NAME=postgresql://USER:PASSWORD@HOST:PORT/postgres, or "
             "DATA_SOURCE_USER and DATA_SOURCE_PASS",
     .variables = kPostgresVariables,
     .users = kPostgresUsers,
     .user_variables = kPostgresUserVariables,
     .make = MakePostgres},
    {.kind = ServerKind::kPgbouncer,
     .job = "pgbouncer",
     .up_metric = "pgbouncer_up",
     .reason_metric = "pgbouncer_probe_failure",
     .hint =
         "set PGBOUNCER_EXPORTER_CONNECTION_STRING=postgres://USER:PASSWORD@HOST:PORT/pgbouncer "
         "to a user of stats_users",
     .variables = kPgbouncerVariables,
     .users = kPgbouncerUsers,
     .user_variables = kPgUserVariables,
     .make = MakePgbouncer},
    {.kind = ServerKind::kRedis,
     .job = "redis",
     .up_metric = "redis_up",
     .reason_metric = "redis_probe_failure",
     .hint = "set REDIS_PASSWORD or REDIS_PASSWORD_FILE (and REDIS_USER with an ACL)",
     .variables = kRedisVariables,
     .users = {},
     .user_variables = {},
     .make = MakeRedis},
};

}  // namespace

bool MaySeePasswords(const discovery::Listener& listener) {
  return listener.uid < kFirstPersonalUid || listener.uid == geteuid();
}

std::span<const ServerKindRow> ServerKinds() { return kKinds; }

const ServerKindRow* FindRow(discovery::ServerKind kind) {
  const auto* row = std::find_if(std::begin(kKinds), std::end(kKinds),
                                 [kind](const ServerKindRow& r) { return r.kind == kind; });
  return row == std::end(kKinds) ? nullptr : row;
}

}  // namespace agent
