// The server's own parameters (not those our session sets for itself): booleans and numbers, in
// seconds and bytes.
#include "exporters/postgres/collectors/settings.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "exporters/postgres/collector.h"
#include "lib/base/strings.h"
#include "lib/model/labels.h"

namespace exporters::postgres {
namespace {

constexpr size_t kMaxSettings = 2000;  // PostgreSQL 15 has 250; extensions add a few.

struct UnitRow {
  std::string_view unit;
  std::string_view suffix;
  double scale;
};

constexpr UnitRow kUnits[] = {
    {"ms", "seconds", 1e-3},    {"us", "seconds", 1e-6},    {"s", "seconds", 1},
    {"min", "seconds", 60},     {"h", "seconds", 3600},     {"d", "seconds", 86400},
    {"B", "bytes", 1},          {"kB", "bytes", 1LL << 10}, {"MB", "bytes", 1LL << 20},
    {"GB", "bytes", 1LL << 30}, {"TB", "bytes", 1LL << 40},
};

// A unit may have a factor before it: "8kB", "16MB".
struct Unit {
  std::string_view suffix;  // "" without a unit.
  double scale = 1;
};

std::optional<Unit> ParseUnit(std::string_view text) {
  if (text.empty()) {
    return Unit();
  }
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const double factor = digits == 0 ? 1 : base::ParseDouble(text.substr(0, digits)).value_or(1);
  for (const UnitRow& row : kUnits) {
    if (row.unit == text.substr(digits)) {
      return Unit{.suffix = row.suffix, .scale = factor * row.scale};
    }
  }
  return std::nullopt;
}

// Aurora writes the unit into the value: "0.0 kB".
std::string_view WithoutUnit(std::string_view value) { return value.substr(0, value.find(' ')); }

double Scaled(double value, double scale) {
  if (value == -1) {
    return value;
  }
  return scale < 1 ? value / (1 / scale) : value * scale;
}

base::Error BadSetting(std::string_view name, std::string_view what, std::string_view text) {
  constexpr size_t kMaxQuotedBytes = 40;
  return base::Error(
      fmt::format("setting {}: {}: \"{}\"", name, what, text.substr(0, kMaxQuotedBytes)),
      base::ErrorKind::kInvalidArgument);
}

// Our session has values of its own for some; transaction_read_only follows one of them.
constexpr std::string_view kSql =
    "SELECT name, unit, CASE WHEN name = 'transaction_read_only' THEN CASE WHEN "
    "pg_is_in_recovery() THEN 'on' ELSE (SELECT reset_val FROM pg_settings WHERE name = "
    "'default_transaction_read_only') END WHEN source = 'session' THEN reset_val ELSE setting END "
    "AS value FROM pg_settings WHERE vartype IN ('bool', 'integer', 'real') AND name NOT IN "
    "('sync_commit_cancel_wait', 'google_dataplex.max_messages')";

base::Result<std::string> Sql(const Server&) { return std::string(kSql); }

// Descs are kept: they are the same at every scrape.
void EmitSetting(SettingSample sample, Server& server, Scrape& scrape) {
  auto found = server.descs.find(sample.name);
  if (found == server.descs.end()) {
    if (server.descs.size() >= kMaxSettings) {
      return;
    }
    model::DescPtr desc = model::DynamicDesc::Make(
        {.name = sample.name, .help = std::move(sample.help), .labels = {"server"}});
    found = server.descs.emplace(std::move(sample.name), std::move(desc)).first;
  }
  scrape.Emit(found->second, sample.value, {server.address});
}

base::Result<void> Emit(Server& server, const Rows& rows, Scrape& scrape) {
  constexpr size_t kName = 0;
  constexpr size_t kUnit = 1;
  constexpr size_t kValue = 2;
  std::optional<base::Error> first_error;
  for (size_t row = 0; row < rows.row_count(); ++row) {
    const Cell value = rows.at(row, kValue);
    if (!value.has_value()) {
      continue;
    }
    base::Result<SettingSample> sample =
        ParseSetting(rows.at(row, kName).value_or(""), rows.at(row, kUnit).value_or(""), *value);
    if (sample.ok()) {
      EmitSetting(*std::move(sample), server, scrape);
    } else if (!first_error.has_value()) {
      first_error = sample.error();
    }
  }
  if (first_error.has_value()) {
    return *std::move(first_error);
  }
  return {};
}

constexpr Query kQueries[] = {{.sql = Sql, .emit = Emit, .refresh = Refresh::kMinute}};

}  // namespace

base::Result<SettingSample> ParseSetting(std::string_view name, std::string_view unit,
                                         std::string_view value) {
  const std::optional<Unit> known = ParseUnit(unit);
  if (!known.has_value()) {
    return BadSetting(name, "unknown unit", unit);
  }
  const std::optional<double> number = ParseCell(WithoutUnit(value));
  if (!number.has_value()) {
    return BadSetting(name, "not a number", value);
  }
  std::string metric = fmt::format("pg_settings_{}", name);
  for (char& c : metric) {
    if (c == '.' || c == '-') {
      c = '_';
    }
  }
  if (!model::IsLegacyMetricName(metric)) {
    return BadSetting(name, "no metric name", name);
  }
  std::string help = fmt::format("Server parameter {}", name);
  if (!known->suffix.empty()) {
    metric += fmt::format("_{}", known->suffix);
    help += fmt::format(", in {}", known->suffix);
  }
  return SettingSample{
      .name = std::move(metric), .help = help + ".", .value = Scaled(*number, known->scale)};
}

extern constexpr PostgresCollector kSettings{
    .name = "settings",
    .help = "Server parameters with a number or a boolean.",
    .queries = kQueries};

}  // namespace exporters::postgres
