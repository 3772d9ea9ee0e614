#include "exporters/pq/conninfo.h"

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <libpq-fe.h>

#include "lib/base/file.h"
#include "lib/base/strings.h"
#include "lib/base/url.h"

namespace exporters::pq {
namespace {

constexpr size_t kMaxSecretFileBytes = 64 << 10;

using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

base::Error Invalid(std::string message) {
  return base::Error(std::move(message), base::ErrorKind::kInvalidArgument);
}

// libpq quotes pieces of the DSN in its message: everything between the first and the last quote
// goes.
std::string WithoutQuotes(std::string_view message) {
  const size_t first = message.find('"');
  const size_t last = message.rfind('"');
  if (first == std::string_view::npos) {
    return std::string(base::TrimSpace(message));
  }
  return fmt::format("{}…{}", message.substr(0, first + 1),
                     base::TrimSpace(message.substr(first == last ? last + 1 : last)));
}

// The values that libpq would use for what `keywords` leaves open.
std::string DefaultOf(const char* keyword) {
  const Options options(PQconndefaults(), &PQconninfoFree);
  for (const PQconninfoOption* option = options.get();
       option != nullptr && option->keyword != nullptr; ++option) {
    if (std::strcmp(option->keyword, keyword) == 0 && option->val != nullptr) {
      return option->val;
    }
  }
  return {};
}

// The variable itself, or what is in the file that the variable NAME_FILE names.
base::Result<std::optional<base::Secret>> VariableOrFile(const EnvironmentFunc& environment,
                                                         const std::string& name) {
  if (std::optional<std::string> value = environment(name.c_str()); value.has_value()) {
    return std::optional(base::Secret(*std::move(value)));
  }
  const std::string file_name = name + "_FILE";
  const std::optional<std::string> path = environment(file_name.c_str());
  if (!path.has_value()) {
    return std::optional<base::Secret>();
  }
  base::Result<std::string> content = base::ReadFile(*path, kMaxSecretFileBytes);
  if (!content.ok()) {
    return content.error().WithContext(file_name);
  }
  return std::optional(base::Secret(std::string(base::TrimSpace(*content))));
}

// "a DSN,another DSN": libpq's own lists of hosts hold no scheme and no keyword after a comma.
bool ListsSeveralServers(std::string_view text) {
  for (const std::string_view mark : {",postgres://", ",postgresql://", ",host=", ",user="}) {
    if (text.find(mark) != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

base::Result<Conninfo> ParseDataSourceName(std::string text) {
  if (ListsSeveralServers(text)) {
    return Invalid(
        "DATA_SOURCE_NAME lists several servers, which is not supported: run one exporter for each "
        "server, or use /probe?target=HOST:PORT");
  }
  base::Result<Conninfo> conninfo = Conninfo::Parse(base::Secret(std::move(text)));
  if (!conninfo.ok()) {
    return conninfo.error().WithContext("DATA_SOURCE_NAME");
  }
  return conninfo;
}

// "host:port/database?parameters", with or without a scheme.
base::Result<Conninfo> ParseDataSourceUri(const base::Secret& uri) {
  const bool has_scheme = uri.Reveal().find("://") != std::string::npos;
  base::Result<Conninfo> conninfo =
      Conninfo::Parse(has_scheme ? uri : base::Secret("postgresql://" + uri.Reveal()));
  if (!conninfo.ok()) {
    return conninfo.error().WithContext("DATA_SOURCE_URI");
  }
  return conninfo;
}

}  // namespace

base::Result<Conninfo> Conninfo::Parse(const base::Secret& dsn) {
  char* message = nullptr;
  const Options options(PQconninfoParse(dsn.Reveal().c_str(), &message), &PQconninfoFree);
  const std::unique_ptr<char, decltype(&PQfreemem)> message_owner(message, &PQfreemem);
  if (options == nullptr) {
    return Invalid(fmt::format(
        "not a postgres:// URI nor key=value pairs: {}; percent-encode special characters in a "
        "URI's user and password",
        message == nullptr ? "out of memory" : WithoutQuotes(message)));
  }
  Conninfo conninfo;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) {
      conninfo.Set(option->keyword, base::Secret(option->val));
    }
  }
  return conninfo;
}

void Conninfo::Set(std::string_view keyword, base::Secret value) {
  keywords_.insert_or_assign(std::string(keyword), std::move(value));
}

std::string Conninfo::Server() const {
  const auto value_of = [&](const char* keyword) {
    const auto found = keywords_.find(keyword);
    return found != keywords_.end() && !found->second.empty() ? found->second.Reveal()
                                                              : DefaultOf(keyword);
  };
  std::string host = value_of("host");
  if (host.empty()) {
    host = value_of("hostaddr");
  }
  if (host.empty()) {
    host = "localhost";
  }
  std::string port = value_of("port");
  if (port.empty()) {
    port = "5432";
  }
  const bool needs_brackets = host.find(':') != std::string::npos && host.front() != '/';
  return needs_brackets ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

base::Result<Conninfo> ConninfoFromEnvironment(const EnvironmentFunc& environment) {
  ASSIGN_OR_RETURN(std::optional<base::Secret> name,
                   VariableOrFile(environment, "DATA_SOURCE_NAME"));
  if (name.has_value()) {
    return ParseDataSourceName(name->Reveal());
  }
  ASSIGN_OR_RETURN(const std::optional<base::Secret> uri,
                   VariableOrFile(environment, "DATA_SOURCE_URI"));
  ASSIGN_OR_RETURN(std::optional<base::Secret> user,
                   VariableOrFile(environment, "DATA_SOURCE_USER"));
  ASSIGN_OR_RETURN(std::optional<base::Secret> password,
                   VariableOrFile(environment, "DATA_SOURCE_PASS"));
  Conninfo conninfo;
  if (uri.has_value()) {
    ASSIGN_OR_RETURN(conninfo, ParseDataSourceUri(*uri));
  }
  if (user.has_value()) {
    conninfo.Set("user", *std::move(user));
  }
  if (password.has_value()) {
    conninfo.Set("password", *std::move(password));
  }
  return conninfo;
}

}  // namespace exporters::pq
