// Where PgBouncer's console is: postgres://user:password@host:port/pgbouncer?sslmode=disable, or
// the keyword form "host=/run/postgresql port=6432 user=stats".
// https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
#pragma once

#include <string>
#include <string_view>

#include "exporters/toolkit/transport.h"
#include "lib/base/result.h"
#include "lib/base/secret.h"

namespace exporters::pgbouncer {

inline constexpr int kDefaultPgBouncerPort = 6432;

enum class SslMode { kDisable, kPrefer, kRequire };

struct ConnectionInfo {
  Endpoint endpoint;
  std::string user;
  base::Secret password;
  std::string database = "pgbouncer";
  std::string application_name = "tarsier-pgbouncer";
  SslMode ssl_mode = SslMode::kPrefer;
  TlsOptions tls;

  // "stats@db1:6432/pgbouncer": without the password.
  std::string ToString() const;
};

// What libpq takes from the environment when the string leaves it out.
struct ConnectionDefaults {
  std::string user;       // PGUSER, else the name of the system's user.
  base::Secret password;  // PGPASSWORD
  std::string pass_file;  // Content of PGPASSFILE, else of ~/.pgpass.
};
ConnectionDefaults ReadConnectionDefaults();

// Pure. Errors: kInvalidArgument, without quoting values: they may be, or hold, a password.
base::Result<ConnectionInfo> ParseConnectionString(std::string_view text,
                                                   const ConnectionDefaults& defaults);

// The password of the first line of a .pgpass file that fits; empty when none does.
// host:port:database:user:password, * for any, \ before : and \.
base::Secret FindInPassFile(std::string_view content, const ConnectionInfo& info);

}  // namespace exporters::pgbouncer
