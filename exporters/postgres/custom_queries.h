// Queries of the user's own, in the file that postgres_exporter takes with --extend.query-path:
//
//   pg_replication:                       # Prefix of the metrics.
//     query: "SELECT …"
//     master: true                        # Only in the database of the connection.
//     cache_seconds: 30                   # Asked at most this often.
//     runonserver: ">=10.0.0 <12.0.0"     # Versions that are asked; "||" separates alternatives.
//     metrics:
//       - lag: {usage: "GAUGE", description: "…"}
//
// Parsing is pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporters/postgres/collector.h"
#include "lib/base/result.h"
#include "lib/model/metric_family.h"

namespace exporters::postgres {

inline constexpr size_t kMaxCustomQueries = 500;
inline constexpr size_t kMaxCustomColumns = 200;  // Of one query.

enum class CustomUsage { kDiscard, kLabel, kCounter, kGauge, kMapped, kDuration, kHistogram };

struct CustomColumn {
  std::string name;
  CustomUsage usage = CustomUsage::kDiscard;
  std::string description;
  std::map<std::string, double> mapping = {};  // Of kMapped: text to number.
  model::DescPtr desc = nullptr;               // Of those that are metrics.
};

// Versions from `first` up to, not including, `last`; as numbers, 150004 for 15.4.
using VersionRange = std::pair<int, int>;

struct CustomQuery {
  std::string name;  // Of the namespace.
  std::string sql;
  bool master = false;
  std::chrono::seconds cache{0};
  std::vector<VersionRange> versions = {};  // Any of them; empty is every version.
  std::vector<CustomColumn> columns = {};
  std::vector<std::string> labels = {};  // Of every metric: the label columns, then "server", and
                                         // "datname" where databases are discovered.

  bool RunsOn(int version) const;
};

// ">=9.6.0 <12.0.0 || 14.1.0". Errors: kInvalidArgument.
base::Result<std::vector<VersionRange>> ParseVersions(std::string_view text);

// Immutable once made; collectors point into it.
class CustomQueries {
 public:
  // `per_database`: queries that are not for the master only are asked in every database, with its
  // name as label "datname". Errors: kInvalidArgument, with file and line.
  static base::Result<std::shared_ptr<const CustomQueries>> Parse(std::string_view text,
                                                                  const std::string& file,
                                                                  bool per_database);

  const std::string& file() const { return file_; }
  const std::string& hash() const { return hash_; }  // SHA-256 of the text, in hexadecimal digits.
  std::vector<const PostgresCollector*> Collectors() const;

 private:
  struct Entry {
    CustomQuery custom;
    std::string collector_name;
    Query query;
    PostgresCollector collector;
  };

  std::string file_;
  std::string hash_;
  std::vector<std::unique_ptr<Entry>> entries_;
};

// Columns that the file does not name are untyped metrics when they are numbers.
base::Result<void> EmitCustom(const CustomQuery& custom, Server& server, const Rows& rows,
                              Scrape& scrape);

}  // namespace exporters::postgres
