#include "exporters/postgres/command_line.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "exporters/postgres/exporter.h"
#include "lib/base/strings.h"

namespace exporters::postgres {
namespace {

// Settings of postgres_exporter that are not supported, with the value that changes nothing.
struct RefusedVariable {
  const char* name;
  std::string_view harmless;
};
constexpr RefusedVariable kRefusedVariables[] = {
    {"PG_EXPORTER_AUTO_DISCOVER_DATABASES", "false"},
    {"PG_EXPORTER_CONSTANT_LABELS", ""},
    {"PG_EXPORTER_DISABLE_DEFAULT_METRICS", "false"},
    {"PG_EXPORTER_EXTEND_QUERY_PATH", ""},
    {"PG_EXPORTER_INCLUDE_DATABASES", ""},
    {"PG_EXPORTER_METRIC_PREFIX", "pg"},
};

// What postgres_exporter before 0.20 called the collector replication_slots.
constexpr char kOldSlotsFlag[] = "collector.replication_slot";

base::Error BadUsage(std::string message) {
  return base::Error(std::move(message), base::ErrorKind::kInvalidArgument);
}

base::Result<void> RefuseUnsupported(const EnvironmentFunc& environment) {
  for (const RefusedVariable& variable : kRefusedVariables) {
    const std::optional<std::string> value = environment(variable.name);
    if (value.has_value() && *value != variable.harmless) {
      return BadUsage(fmt::format("{} is set, which tarsier-postgres does not support: unset it",
                                  variable.name));
    }
  }
  return {};
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

Selection ParseSelection(const ParsedFlags& flags) {
  Selection selection;
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
       .help = "Databases that the database collector leaves out.",
       .repeatable = true},
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
  RETURN_IF_ERROR(RefuseUnsupported(environment));
  ASSIGN_OR_RETURN(pq::Conninfo conninfo, pq::ConninfoFromEnvironment(environment));
  ASSIGN_OR_RETURN(StatStatementsOptions stat_statements, ParseStatStatements(flags));
  PostgresOptions options{.conninfo = std::move(conninfo),
                          .selection = ParseSelection(flags),
                          .stat_statements = std::move(stat_statements),
                          .exclude_databases = ListOf(flags, "exclude-databases"),
                          .collection_timeout = flags.Duration("collection-timeout"),
                          .statement_timeout = flags.Duration("statement-timeout"),
                          .lock_timeout = flags.Duration("lock-timeout"),
                          .sizes_interval = flags.Duration("sizes-interval")};
  for (const auto& [name, value] : {std::pair("collection-timeout", options.collection_timeout),
                                    std::pair("statement-timeout", options.statement_timeout),
                                    std::pair("lock-timeout", options.lock_timeout),
                                    std::pair("sizes-interval", options.sizes_interval)}) {
    if (value.count() < 1) {
      return BadUsage(fmt::format("--{}: must be at least 1ms", name));
    }
  }
  return options;
}

}  // namespace exporters::postgres
