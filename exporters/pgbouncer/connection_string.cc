#include "exporters/pgbouncer/connection_string.h"

#include <array>
#include <cctype>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/strings.h"
#include "lib/base/url.h"

namespace exporters::pgbouncer {
namespace {

constexpr size_t kMaxPassFileBytes = 1 << 20;

using Settings = std::vector<std::pair<std::string, std::string>>;

base::Error Bad(std::string_view why) {
  return base::Error(fmt::format("connection string: {}", why), base::ErrorKind::kInvalidArgument);
}

base::Result<void> SetHost(std::string_view value, ConnectionInfo* info) {
  info->endpoint.host = value;
  return {};
}
base::Result<void> SetPort(std::string_view value, ConnectionInfo* info) {
  const auto port = base::ParseUint(value);
  if (!port.has_value() || *port == 0 || *port > 65535) {
    return Bad("the port is not a number from 1 to 65535");
  }
  info->endpoint.port = static_cast<int>(*port);
  return {};
}
base::Result<void> SetUser(std::string_view value, ConnectionInfo* info) {
  info->user = value;
  return {};
}
base::Result<void> SetPassword(std::string_view value, ConnectionInfo* info) {
  info->password = base::Secret(std::string(value));
  return {};
}
base::Result<void> SetDatabase(std::string_view value, ConnectionInfo* info) {
  info->database = value;
  return {};
}
base::Result<void> SetApplicationName(std::string_view value, ConnectionInfo* info) {
  info->application_name = value;
  return {};
}
base::Result<void> SetRootCertificate(std::string_view value, ConnectionInfo* info) {
  info->tls.ca_file = value == "system" ? "" : std::string(value);
  return {};
}
base::Result<void> SetCertificate(std::string_view value, ConnectionInfo* info) {
  info->tls.cert_file = value;
  return {};
}
base::Result<void> SetKey(std::string_view value, ConnectionInfo* info) {
  info->tls.key_file = value;
  return {};
}
// The deadline of the scrape bounds connecting, too.
base::Result<void> SetConnectTimeout(std::string_view value, ConnectionInfo* /*info*/) {
  return base::ParseUint(value).has_value() ? base::Result<void>()
                                            : Bad("connect_timeout is not a number of seconds");
}

struct SslModeRow {
  std::string_view name;
  SslMode mode;
  TlsVerify verify;
};
constexpr SslModeRow kSslModes[] = {
    {"disable", SslMode::kDisable, TlsVerify::kNone},
    {"prefer", SslMode::kPrefer, TlsVerify::kNone},
    {"require", SslMode::kRequire, TlsVerify::kNone},
    {"verify-ca", SslMode::kRequire, TlsVerify::kAuthority},
    {"verify-full", SslMode::kRequire, TlsVerify::kServerName},
};

base::Result<void> SetSslMode(std::string_view value, ConnectionInfo* info) {
  for (const SslModeRow& row : kSslModes) {
    if (row.name == value) {
      info->ssl_mode = row.mode;
      info->tls.verify = row.verify;
      return {};
    }
  }
  return Bad("sslmode is not one of disable, prefer, require, verify-ca and verify-full");
}

struct Setting {
  std::string_view name;
  base::Result<void> (*set)(std::string_view value, ConnectionInfo* info);
};
constexpr Setting kSettings[] = {
    {"host", SetHost},
    {"port", SetPort},
    {"user", SetUser},
    {"password", SetPassword},
    {"dbname", SetDatabase},
    {"application_name", SetApplicationName},
    {"sslmode", SetSslMode},
    {"sslrootcert", SetRootCertificate},
    {"sslcert", SetCertificate},
    {"sslkey", SetKey},
    {"connect_timeout", SetConnectTimeout},
};

base::Result<void> Apply(const Settings& settings, ConnectionInfo* info) {
  for (const auto& [name, value] : settings) {
    const Setting* found = nullptr;
    for (const Setting& setting : kSettings) {
      found = setting.name == name ? &setting : found;
    }
    if (found == nullptr) {
      // The name is not quoted: of a string with a stray space it may be part of the password.
      return Bad(
          "a setting is not one of host, port, user, password, dbname, application_name, sslmode, "
          "sslrootcert, sslcert, sslkey and connect_timeout");
    }
    RETURN_IF_ERROR(found->set(value, info));
  }
  return {};
}

// Takes a value off `text`: up to a space, or in single quotes; a backslash keeps the next byte.
std::optional<std::string> TakeValue(std::string_view* text) {
  const bool quoted = text->substr(0, 1) == "'";
  std::string value;
  size_t at = quoted ? 1 : 0;
  for (; at < text->size(); ++at) {
    const char c = (*text)[at];
    if (c == '\\' && at + 1 < text->size()) {
      value += (*text)[++at];
    } else if (quoted ? c == '\'' : std::isspace(static_cast<unsigned char>(c)) != 0) {
      break;
    } else {
      value += c;
    }
  }
  if (quoted && at == text->size()) {
    return std::nullopt;
  }
  text->remove_prefix(quoted ? at + 1 : at);
  return value;
}

base::Result<Settings> SplitKeywords(std::string_view text) {
  Settings settings;
  for (text = base::TrimSpace(text); !text.empty(); text = base::TrimSpace(text)) {
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos) {
      return Bad("keyword=value pairs or a URI are expected");
    }
    const std::string name(base::TrimSpace(text.substr(0, equals)));
    text = base::TrimSpace(text.substr(equals + 1));
    const auto value = TakeValue(&text);
    if (!value.has_value()) {
      return Bad("a quote is not closed");
    }
    settings.emplace_back(name, *value);
  }
  return settings;
}

base::Result<Settings> SplitUri(std::string_view text) {
  auto url = base::ParseUrl(text);
  if (!url.ok()) {
    return url.error().WithContext("connection string");
  }
  if (url->scheme != "postgres" && url->scheme != "postgresql") {
    return Bad("a URI starts with postgres:// or postgresql://");
  }
  Settings settings;
  const auto add = [&settings](std::string name, std::string value) {
    if (!value.empty()) {
      settings.emplace_back(std::move(name), std::move(value));
    }
  };
  const auto host = base::PercentDecode(url->host, false);  // %2Frun%2Fpostgresql is a folder.
  const auto path = base::PercentDecode(url->path, false);
  if (!host.ok() || !path.ok()) {
    return Bad("% must be followed by two hexadecimal digits");
  }
  add("host", *host);
  add("port", url->port == 0 ? "" : std::to_string(url->port));
  add("user", url->user);
  add("password", url->password.Reveal());
  add("dbname", path->empty() ? "" : path->substr(1));
  for (auto& [name, value] : url->query) {
    settings.emplace_back(std::move(name), std::move(value));
  }
  return settings;
}

std::string SystemUser() {
  std::array<char, 4096> buffer;
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found) != 0 ||
      found == nullptr) {
    return "";
  }
  return found->pw_name;
}

// Like libpq, leaves a file alone that others may read.
std::string ReadPassFile() {
  const auto home = base::GetEnv("HOME");
  const std::string path =
      base::GetEnv("PGPASSFILE").value_or(home.has_value() ? *home + "/.pgpass" : "");
  struct stat status {};
  if (path.empty() || stat(path.c_str(), &status) != 0 ||
      (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return "";
  }
  return base::ReadFile(path, kMaxPassFileBytes).value_or("");
}

// Takes a field off the line, to the next ':' that no backslash precedes.
std::string TakeField(std::string_view* line) {
  std::string field;
  size_t at = 0;
  for (; at < line->size() && (*line)[at] != ':'; ++at) {
    if ((*line)[at] == '\\' && at + 1 < line->size()) {
      ++at;
    }
    field += (*line)[at];
  }
  line->remove_prefix(std::min(line->size(), at + 1));
  return field;
}

}  // namespace

std::string ConnectionInfo::ToString() const {
  return fmt::format("{}@{}/{}", user, endpoint.ToString(), database);
}

ConnectionDefaults ReadConnectionDefaults() {
  return {.user = base::GetEnv("PGUSER").value_or(SystemUser()),
          .password = base::Secret(base::GetEnv("PGPASSWORD").value_or("")),
          .pass_file = ReadPassFile()};
}

base::Result<ConnectionInfo> ParseConnectionString(std::string_view text,
                                                   const ConnectionDefaults& defaults) {
  text = base::TrimSpace(text);
  const bool uri = text.find("://") < text.find('=');
  ASSIGN_OR_RETURN(const Settings settings, uri ? SplitUri(text) : SplitKeywords(text));
  ConnectionInfo info;
  info.endpoint.host = "localhost";
  info.endpoint.port = kDefaultPgBouncerPort;
  info.user = defaults.user;
  info.tls.verify = TlsVerify::kNone;
  RETURN_IF_ERROR(Apply(settings, &info));
  if (info.password.empty()) {
    info.password =
        defaults.password.empty() ? FindInPassFile(defaults.pass_file, info) : defaults.password;
  }
  if (info.endpoint.host.substr(0, 1) == "/") {
    info.endpoint.unix_path = fmt::format("{}/.s.PGSQL.{}", info.endpoint.host, info.endpoint.port);
    info.ssl_mode = SslMode::kDisable;  // As libpq does: no TLS over a Unix socket.
  }
  return info;
}

base::Secret FindInPassFile(std::string_view content, const ConnectionInfo& info) {
  const std::string port = std::to_string(info.endpoint.port);
  const std::string_view wanted[] = {info.endpoint.host, port, info.database, info.user};
  for (std::string_view line : base::Split(content, '\n')) {
    line = base::TrimSpace(line);
    bool fits = !line.empty() && line.front() != '#';
    for (const std::string_view each : wanted) {
      const std::string field = TakeField(&line);
      fits = fits && (field == "*" || field == each);
    }
    if (fits) {
      return base::Secret(TakeField(&line));
    }
  }
  return {};
}

}  // namespace exporters::pgbouncer
