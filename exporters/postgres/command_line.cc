#include "exporters/postgres/command_line.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "exporters/postgres/custom_queries.h"
#include "exporters/postgres/exporter.h"
#include "lib/base/file.h"
#include "lib/base/strings.h"
#include "lib/model/labels.h"

namespace exporters::postgres {
namespace {

// What postgres_exporter before 0.20 called the collector replication_slots.
constexpr char kOldSlotsFlag[] = "collector.replication_slot";

base::Error BadUsage(std::string message) {
  return base::Error(std::move(message), base::ErrorKind::kInvalidArgument);
}

base::Result<void> CheckRange(const ParsedFlags& flags, std::string_view name, int64_t least,
                              int64_t most) {
  const int64_t value = flags.Int(name);
  if (value < least || value > most) {
    return BadUsage(fmt::format("--{}: {} is not between {} and {}", name, value, least, most));
  }
  return {};
}

// Commas separate as well as repeating the flag does.
std::vector<std::string> ListOf(const ParsedFlags& flags, std::string_view name) {
  std::vector<std::string> list;
  for (const std::string& text : flags.List(name)) {
    for (const std::string_view part : base::Split(text, ',')) {
      if (const std::string_view item = base::TrimSpace(part); !item.empty()) {
        list.emplace_back(item);
      }
    }
  }
  return list;
}

base::Result<StatStatementsOptions> ParseStatStatements(const ParsedFlags& flags) {
  constexpr int64_t kMaxLimit = 5000;  // The default of pg_stat_statements.max.
  constexpr int64_t kMaxQueryLength = 10000;
  RETURN_IF_ERROR(CheckRange(flags, "collector.stat_statements.limit", 1, kMaxLimit));
  RETURN_IF_ERROR(CheckRange(flags, "collector.stat_statements.query_length", 1, kMaxQueryLength));
  return StatStatementsOptions{
      .include_query = flags.Bool("collector.stat_statements.include_query"),
      .query_length = flags.Int("collector.stat_statements.query_length"),
      .limit = flags.Int("collector.stat_statements.limit"),
      .exclude_databases = ListOf(flags, "collector.stat_statements.exclude_databases"),
      .exclude_users = ListOf(flags, "collector.stat_statements.exclude_users")};
}

// "team=db,site=ams" and, as postgres_exporter takes it, "team=db, site=ams".
base::Result<std::vector<std::pair<std::string, std::string>>> ParseConstantLabels(
    std::string_view text) {
  std::vector<std::pair<std::string, std::string>> labels;
  for (const std::string_view part : base::Split(text, ',')) {
    const std::string_view pair = base::TrimSpace(part);
    if (pair.empty()) {
      continue;
    }
    const size_t equals = std::min(pair.find('='), pair.size());
    const std::string name(base::TrimSpace(pair.substr(0, equals)));
    if (equals == pair.size() || !model::IsLegacyLabelName(name)) {
      return BadUsage(fmt::format("--constantLabels: \"{}\" is not NAME=VALUE", pair));
    }
    labels.emplace_back(name, base::TrimSpace(pair.substr(equals + 1)));
  }
  return labels;
}

base::Result<std::shared_ptr<const CustomQueries>> ReadCustomQueries(const ParsedFlags& flags) {
  const std::string& path = flags.String("extend.query-path");
  if (path.empty()) {
    return std::shared_ptr<const CustomQueries>();
  }
  base::Result<std::string> text = base::ReadFile(path);
  if (!text.ok()) {
    return BadUsage(fmt::format("flag --extend.query-path: {}", text.error().message()));
  }
  return CustomQueries::Parse(*text, path, flags.Bool("auto-discover-databases"));
}

base::Result<std::string> ParsePrefix(const ParsedFlags& flags) {
  const std::string& prefix = flags.String("metric-prefix");
  if (!model::IsLegacyMetricName(prefix)) {
    return BadUsage(fmt::format("--metric-prefix: \"{}\" cannot begin a metric's name", prefix));
  }
  return prefix;
}

// What --disable-default-metrics turns off: the families that postgres_exporter's older half has,
// in one version of it or another.
constexpr std::string_view kDefaultMetrics[] = {
    "replication_slots",       "stat_activity",    "stat_archiver",
    "stat_database_conflicts", "stat_replication",
};

Selection ParseSelection(const ParsedFlags& flags) {
  Selection selection;
  if (flags.Bool("disable-default-metrics")) {
    for (const std::string_view name : kDefaultMetrics) {
      selection.named[std::string(name)] = false;
    }
  }
  for (const CollectorRow& row : CollectorRows()) {
    const std::string flag = fmt::format("collector.{}", row.name);
    if (flags.IsSet(flag)) {
      selection.named[std::string(row.name)] = flags.Bool(flag);
    }
  }
  if (flags.IsSet(kOldSlotsFlag)) {
    selection.named["replication_slots"] = flags.Bool(kOldSlotsFlag);
  }
  if (flags.Bool("disable-settings-metrics")) {
    selection.named["settings"] = false;
  }
  return selection;
}

}  // namespace

std::vector<Flag> PostgresFlags() {
  std::vector<Flag> flags = {
      {.name = "config.file",
       .default_value = "postgres_exporter.yml",
       .group = "PostgreSQL",
       .help = "Credentials for /probe, as auth_modules.",
       .value_name = "FILE"},
      {.name = "collection-timeout",
       .type = FlagType::kDuration,
       .default_value = "1m",
       .env = "PG_EXPORTER_COLLECTION_TIMEOUT",
       .group = "PostgreSQL",
       .help = "No scrape takes longer; the scraper's own timeout is shorter as a rule."},
      {.name = "statement-timeout",
       .type = FlagType::kDuration,
       .default_value = "3s",
       .group = "PostgreSQL",
       .help = "statement_timeout of our session: what one query may take."},
      {.name = "lock-timeout",
       .type = FlagType::kDuration,
       .default_value = "250ms",
       .group = "PostgreSQL",
       .help = "lock_timeout of our session: how long one query may wait for a lock."},
      {.name = "sizes-interval",
       .type = FlagType::kDuration,
       .default_value = "5m",
       .group = "PostgreSQL",
       .help = "How often sizes on disk are read, in the background."},
      {.name = "exclude-databases",
       .env = "PG_EXPORTER_EXCLUDE_DATABASES",
       .group = "PostgreSQL",
       .help = "Databases that the collectors leave out which go through databases.",
       .repeatable = true},
      {.name = "include-databases",
       .env = "PG_EXPORTER_INCLUDE_DATABASES",
       .group = "PostgreSQL",
       .help = "The only databases to look into, beside that of the connection.",
       .repeatable = true},
      {.name = "auto-discover-databases",
       .type = FlagType::kBool,
       .env = "PG_EXPORTER_AUTO_DISCOVER_DATABASES",
       .group = "PostgreSQL",
       .help = "Asks the queries of --extend.query-path in every database, but those with master. "
               "Our own collectors do so without it, see --collector.all_databases."},
      {.name = "databases-limit",
       .type = FlagType::kInt,
       .default_value = "1000",
       .group = "PostgreSQL",
       .help = "How many databases to look into, the busiest first."},
      {.name = "databases-interval",
       .type = FlagType::kDuration,
       .default_value = "1m",
       .group = "PostgreSQL",
       .help = "How often to look into each, one a second at most."},
      {.name = "tables-limit",
       .type = FlagType::kInt,
       .default_value = "1000",
       .group = "PostgreSQL",
       .help = "How many tables of each database to expose, the largest and busiest first."},
      {.name = "extend.query-path",
       .env = "PG_EXPORTER_EXTEND_QUERY_PATH",
       .group = "PostgreSQL",
       .help = "Queries of your own, in the format of postgres_exporter.",
       .value_name = "FILE"},
      {.name = "constantLabels",
       .env = "PG_EXPORTER_CONSTANT_LABELS",
       .group = "PostgreSQL",
       .help = "Labels for every metric of the server: NAME=VALUE,NAME=VALUE.",
       .value_name = "LABELS"},
      {.name = "metric-prefix",
       .default_value = "pg",
       .env = "PG_EXPORTER_METRIC_PREFIX",
       .group = "PostgreSQL",
       .help = "Instead of pg, for the metrics of which postgres_exporter changes it."},
      {.name = "old-names",
       .type = FlagType::kBool,
       .default_value = "true",
       .group = "PostgreSQL",
       .help = "Also the names that metrics had in earlier versions of postgres_exporter."},
      {.name = "disable-default-metrics",
       .type = FlagType::kBool,
       .env = "PG_EXPORTER_DISABLE_DEFAULT_METRICS",
       .group = "PostgreSQL",
       .help = "Turns off what postgres_exporter turns off with it: stat_activity, stat_archiver, "
               "stat_replication, replication_slots, stat_database_conflicts."},
      {.name = "disable-settings-metrics",
       .type = FlagType::kBool,
       .env = "PG_EXPORTER_DISABLE_SETTINGS_METRICS",
       .group = "PostgreSQL",
       .help = "The same as --no-collector.settings."},
  };
  std::vector<Flag> collectors = CollectorFlags(CollectorRows());
  flags.insert(flags.end(), collectors.begin(), collectors.end());
  flags.push_back({.name = kOldSlotsFlag,
                   .type = FlagType::kBool,
                   .default_value = "true",
                   .group = "Collectors",
                   .help = "The old name of --collector.replication_slots.",
                   .hidden = true});
  const std::vector<Flag> stat_statements = {
      {.name = "collector.stat_statements.include_query",
       .type = FlagType::kBool,
       .group = "Collectors",
       .help = "Also expose the text of the statements."},
      {.name = "collector.stat_statements.query_length",
       .type = FlagType::kInt,
       .default_value = "120",
       .group = "Collectors",
       .help = "How much of the text to expose."},
      {.name = "collector.stat_statements.limit",
       .type = FlagType::kInt,
       .default_value = "100",
       .group = "Collectors",
       .help = "How many statements to expose, by the time they took."},
      {.name = "collector.stat_statements.exclude_databases",
       .group = "Collectors",
       .help = "Databases whose statements are left out.",
       .repeatable = true},
      {.name = "collector.stat_statements.exclude_users",
       .group = "Collectors",
       .help = "Users whose statements are left out.",
       .repeatable = true},
  };
  flags.insert(flags.end(), stat_statements.begin(), stat_statements.end());
  return flags;
}

base::Result<PostgresOptions> ParseOptions(const ParsedFlags& flags,
                                           const EnvironmentFunc& environment) {
  ASSIGN_OR_RETURN(pq::Conninfo conninfo, pq::ConninfoFromEnvironment(environment));
  ASSIGN_OR_RETURN(StatStatementsOptions stat_statements, ParseStatStatements(flags));
  ASSIGN_OR_RETURN(std::shared_ptr<const CustomQueries> custom_queries, ReadCustomQueries(flags));
  ASSIGN_OR_RETURN(auto constant_labels, ParseConstantLabels(flags.String("constantLabels")));
  ASSIGN_OR_RETURN(std::string metric_prefix, ParsePrefix(flags));
  constexpr int64_t kMaxTables = 100000;
  constexpr int64_t kMaxDatabases = 10000;
  RETURN_IF_ERROR(CheckRange(flags, "tables-limit", 1, kMaxTables));
  RETURN_IF_ERROR(CheckRange(flags, "databases-limit", 0, kMaxDatabases));
  PostgresOptions options{.conninfo = std::move(conninfo),
                          .selection = ParseSelection(flags),
                          .stat_statements = std::move(stat_statements),
                          .exclude_databases = ListOf(flags, "exclude-databases"),
                          .collection_timeout = flags.Duration("collection-timeout"),
                          .statement_timeout = flags.Duration("statement-timeout"),
                          .lock_timeout = flags.Duration("lock-timeout"),
                          .sizes_interval = flags.Duration("sizes-interval"),
                          .custom_queries = std::move(custom_queries),
                          .constant_labels = std::move(constant_labels),
                          .metric_prefix = std::move(metric_prefix),
                          .old_names = flags.Bool("old-names")};
  options.include_databases = ListOf(flags, "include-databases");
  options.databases_limit = static_cast<size_t>(flags.Int("databases-limit"));
  options.tables_limit = static_cast<size_t>(flags.Int("tables-limit"));
  options.databases_interval = flags.Duration("databases-interval");
  for (const auto& [name, value] : {std::pair("collection-timeout", options.collection_timeout),
                                    std::pair("statement-timeout", options.statement_timeout),
                                    std::pair("lock-timeout", options.lock_timeout),
                                    std::pair("sizes-interval", options.sizes_interval),
                                    std::pair("databases-interval", options.databases_interval)}) {
    if (value.count() < 1) {
      return BadUsage(fmt::format("--{}: must be at least 1ms", name));
    }
  }
  return options;
}

}  // namespace exporters::postgres
