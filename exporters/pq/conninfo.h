// Where to connect and as whom, as libpq's keywords and values. The text of a DSN is parsed once
// and never kept, so that nothing can print it.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "exporters/toolkit/flags.h"
#include "lib/base/result.h"
#include "lib/base/secret.h"

namespace exporters::pq {

// Immutable but for Set. What is not given, libpq takes from PG* variables, the service file and
// the password file when it connects.
class Conninfo {
 public:
  using Keywords = std::map<std::string, base::Secret, std::less<>>;

  Conninfo() = default;

  // A postgres:// URI or key=value pairs, as libpq reads them. Errors: kInvalidArgument, quoting
  // nothing of the text.
  static base::Result<Conninfo> Parse(const base::Secret& dsn);

  const Keywords& keywords() const { return keywords_; }
  bool Has(std::string_view keyword) const { return keywords_.contains(keyword); }
  void Set(std::string_view keyword, base::Secret value);

  // "db1:5432", or the folder of a Unix socket with the port: for labels and messages. Holds no
  // secret. libpq's defaults where nothing is given.
  std::string Server() const;

 private:
  Keywords keywords_;
};

// DATA_SOURCE_NAME, else DATA_SOURCE_URI, _USER and _PASS or the files that *_FILE name, as
// postgres_exporter reads them; without any of these, libpq's own defaults. A DATA_SOURCE_NAME that
// lists several servers is refused. Errors name the variable, never its value.
base::Result<Conninfo> ConninfoFromEnvironment(const EnvironmentFunc& environment);

}  // namespace exporters::pq
