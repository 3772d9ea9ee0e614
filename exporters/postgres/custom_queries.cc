#include "exporters/postgres/custom_queries.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "lib/base/duration.h"
#include "lib/base/strings.h"
#include "lib/model/labels.h"
#include "lib/yaml/reader.h"

namespace exporters::postgres {
namespace {

constexpr size_t kMaxUnnamedMetrics = 2000;  // Descs of columns the file does not name.
constexpr int kNoVersion = std::numeric_limits<int>::max();

struct UsageRow {
  std::string_view name;
  CustomUsage usage;
};
constexpr UsageRow kUsages[] = {
    {"DISCARD", CustomUsage::kDiscard},     {"LABEL", CustomUsage::kLabel},
    {"COUNTER", CustomUsage::kCounter},     {"GAUGE", CustomUsage::kGauge},
    {"MAPPEDMETRIC", CustomUsage::kMapped}, {"DURATION", CustomUsage::kDuration},
    {"HISTOGRAM", CustomUsage::kHistogram},
};

base::Error Invalid(std::string message) {
  return base::Error(std::move(message), base::ErrorKind::kInvalidArgument);
}

std::string Sha256(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
    return std::string();
  }
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) {
    hex += fmt::format("{:02x}", digest[i]);
  }
  return hex;
}

// "15.4.0" is 150004, "9.6.24" is 90624.
std::optional<int> ParseVersion(std::string_view text) {
  constexpr size_t kMaxParts = 3;
  constexpr int64_t kMaxPart = 999;
  std::array<int64_t, kMaxParts> parts{};
  const std::vector<std::string_view> given = base::Split(text, '.');
  if (given.size() > kMaxParts) {
    return std::nullopt;
  }
  for (size_t i = 0; i < given.size(); ++i) {
    const std::optional<int64_t> part = base::ParseInt(given[i]);
    if (!part.has_value() || *part < 0 || *part > kMaxPart) {
      return std::nullopt;
    }
    parts[i] = *part;
  }
  constexpr int kTwoPartsSince = 10;
  const int64_t number = parts[0] >= kTwoPartsSince ? parts[0] * 10000 + parts[1]
                                                    : parts[0] * 10000 + parts[1] * 100 + parts[2];
  return static_cast<int>(number);
}

// Narrows the range by one condition: ">=10.0.0".
base::Result<void> Narrow(std::string_view condition, VersionRange* range) {
  const size_t digits = std::min(condition.find_first_of("0123456789"), condition.size());
  const std::string_view comparison = condition.substr(0, digits);
  const std::optional<int> version = ParseVersion(condition.substr(digits));
  if (!version.has_value()) {
    return Invalid(fmt::format("\"{}\" is no version like \">=10.0.0\"", condition));
  }
  if (comparison == ">=") {
    range->first = std::max(range->first, *version);
  } else if (comparison == ">") {
    range->first = std::max(range->first, *version + 1);
  } else if (comparison == "<") {
    range->second = std::min(range->second, *version);
  } else if (comparison == "<=") {
    range->second = std::min(range->second, *version + 1);
  } else if (comparison.empty() || comparison == "=" || comparison == "==") {
    range->first = std::max(range->first, *version);
    range->second = std::min(range->second, *version + 1);
  } else {
    return Invalid(fmt::format("\"{}\" is no comparison: use >=, >, <=, < or =", comparison));
  }
  return {};
}

base::Result<void> ReadMapping(const yaml::Reader& reader, const yaml::Node& node,
                               CustomColumn& column) {
  RETURN_IF_ERROR(reader.Expect(node, yaml::Node::Kind::kMap));
  for (const auto& [text, value] : node.members) {
    const std::optional<double> number = base::ParseDouble(value.scalar);
    if (!number.has_value()) {
      return reader.ErrorAt(value,
                            fmt::format("metric_mapping: \"{}\" is no number", value.scalar));
    }
    column.mapping[text] = *number;
  }
  return {};
}

base::Result<void> ReadUsage(const yaml::Reader& reader, const yaml::Node& node,
                             CustomColumn& column) {
  for (const UsageRow& row : kUsages) {
    if (base::EqualsIgnoreCase(row.name, node.scalar)) {
      column.usage = row.usage;
      return {};
    }
  }
  return reader.ErrorAt(node, fmt::format("usage \"{}\" is none of DISCARD, LABEL, COUNTER, GAUGE, "
                                          "MAPPEDMETRIC, DURATION, HISTOGRAM",
                                          node.scalar));
}

base::Result<void> Ignore(const yaml::Reader&, const yaml::Node&, CustomColumn&) { return {}; }

constexpr yaml::Field<CustomColumn> kColumnFields[] = {
    {"usage", ReadUsage},
    {"description", yaml::Into<&CustomColumn::description>},
    {"metric_mapping", ReadMapping},
    {"pg_version", Ignore},  // postgres_exporter reads and never uses it.
};

base::Result<void> ReadColumns(const yaml::Reader& reader, const yaml::Node& node,
                               CustomQuery& custom) {
  RETURN_IF_ERROR(reader.Expect(node, yaml::Node::Kind::kSequence));
  for (const yaml::Node& item : node.items) {
    RETURN_IF_ERROR(reader.Expect(item, yaml::Node::Kind::kMap));
    for (const auto& [name, value] : item.members) {
      if (custom.columns.size() >= kMaxCustomColumns) {
        return reader.ErrorAt(value, fmt::format("more than {} columns", kMaxCustomColumns));
      }
      CustomColumn column{.name = name};
      RETURN_IF_ERROR(reader.ReadMap<CustomColumn>(value, kColumnFields, &column));
      custom.columns.push_back(std::move(column));
    }
  }
  return {};
}

base::Result<void> ReadVersions(const yaml::Reader& reader, const yaml::Node& node,
                                CustomQuery& custom) {
  base::Result<std::vector<VersionRange>> versions = ParseVersions(node.scalar);
  if (!versions.ok()) {
    return reader.ErrorAt(node, versions.error());
  }
  custom.versions = *std::move(versions);
  return {};
}

base::Result<void> ReadCache(const yaml::Reader& reader, const yaml::Node& node,
                             CustomQuery& custom) {
  constexpr uint64_t kMaxSeconds = 86400;
  uint64_t seconds = 0;
  RETURN_IF_ERROR(reader.Read(node, seconds));
  if (seconds > kMaxSeconds) {
    return reader.ErrorAt(node, fmt::format("cache_seconds is more than {}", kMaxSeconds));
  }
  custom.cache = std::chrono::seconds(seconds);
  return {};
}

constexpr yaml::Field<CustomQuery> kQueryFields[] = {
    {"query", yaml::Into<&CustomQuery::sql>},
    {"master", yaml::Into<&CustomQuery::master>},
    {"cache_seconds", ReadCache},
    {"runonserver", ReadVersions},
    {"metrics", ReadColumns},
};

std::string MetricName(const CustomQuery& custom, std::string_view column) {
  return fmt::format("{}_{}", custom.name, column);
}

model::DescPtr MakeDesc(const CustomQuery& custom, const CustomColumn& column) {
  model::MetricType type = model::MetricType::kGauge;
  std::string name = MetricName(custom, column.name);
  if (column.usage == CustomUsage::kCounter) {
    type = model::MetricType::kCounter;
  } else if (column.usage == CustomUsage::kHistogram) {
    type = model::MetricType::kHistogram;
  } else if (column.usage == CustomUsage::kDuration) {
    name += "_milliseconds";
  }
  return model::DynamicDesc::Make(
      {.name = std::move(name), .help = column.description, .type = type, .labels = custom.labels});
}

bool IsMetric(CustomUsage usage) {
  return usage != CustomUsage::kDiscard && usage != CustomUsage::kLabel;
}

base::Result<void> Finish(const yaml::Reader& reader, const yaml::Node& node, bool per_database,
                          CustomQuery* custom) {
  if (base::TrimSpace(custom->sql).empty()) {
    return reader.ErrorAt(node, fmt::format("{}: query is missing", custom->name));
  }
  if (!model::IsLegacyMetricName(custom->name)) {
    return reader.ErrorAt(node, fmt::format("\"{}\" cannot begin a metric's name", custom->name));
  }
  for (const CustomColumn& column : custom->columns) {
    if (!model::IsLegacyMetricName(column.name) || column.name.find(':') != std::string::npos) {
      return reader.ErrorAt(node,
                            fmt::format("column \"{}\" cannot be part of a name", column.name));
    }
    if (column.usage == CustomUsage::kLabel &&
        std::find(custom->labels.begin(), custom->labels.end(), column.name) ==
            custom->labels.end()) {
      custom->labels.push_back(column.name);
    }
  }
  const auto add_label = [&](const char* name) {
    if (std::find(custom->labels.begin(), custom->labels.end(), name) == custom->labels.end()) {
      custom->labels.emplace_back(name);
    }
  };
  add_label("server");
  if (per_database) {
    add_label("datname");
  }
  if (custom->labels.size() > model::LabelNames::kMax) {
    return reader.ErrorAt(
        node, fmt::format("{}: more than {} labels", custom->name, model::LabelNames::kMax));
  }
  for (CustomColumn& column : custom->columns) {
    if (IsMetric(column.usage)) {
      column.desc = MakeDesc(*custom, column);
    }
  }
  return {};
}

// "2026-11-20 14:05:06.5+00", as the server writes it, as a Unix time.
std::optional<double> ParseTimestamp(std::string_view text) {
  constexpr size_t kDateAndTime = 19;
  if (text.size() < kDateAndTime || text[4] != '-' || text[7] != '-' || text[13] != ':' ||
      text[16] != ':') {
    return std::nullopt;
  }
  const auto number = [&](size_t at, size_t length) {
    return base::ParseInt(text.substr(at, length)).value_or(-1);
  };
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(number(0, 4))),
                                         std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                         std::chrono::day(static_cast<unsigned>(number(8, 2)))};
  const int64_t hour = number(11, 2);
  const int64_t minute = number(14, 2);
  if (!date.ok() || hour < 0 || minute < 0) {
    return std::nullopt;
  }
  const size_t zone = std::min(text.find_first_of("+-", kDateAndTime), text.size());
  const std::optional<double> second = base::ParseDouble(text.substr(17, zone - 17));
  if (!second.has_value()) {
    return std::nullopt;
  }
  double offset = 0;
  if (zone < text.size()) {
    const std::vector<std::string_view> parts = base::Split(text.substr(zone + 1), ':');
    offset =
        static_cast<double>(base::ParseInt(parts[0]).value_or(0) * 3600 +
                            (parts.size() > 1 ? base::ParseInt(parts[1]).value_or(0) * 60 : 0));
    offset = text[zone] == '-' ? -offset : offset;
  }
  const auto days = std::chrono::sys_days(date).time_since_epoch().count();
  return static_cast<double>(days) * 86400 + static_cast<double>(hour * 3600 + minute * 60) +
         *second - offset;
}

std::optional<double> NumberOf(std::string_view text) {
  const std::optional<double> number = ParseCell(text);
  return number.has_value() ? number : ParseTimestamp(text);
}

// The elements of a one-dimensional array: {1,2.5,NULL}. NULL ends it.
std::vector<double> ParseArray(std::string_view text) {
  std::vector<double> numbers;
  if (text.size() < 2 || text.front() != '{') {
    return numbers;
  }
  for (const std::string_view part : base::Split(text.substr(1, text.size() - 2), ',')) {
    const std::optional<double> number = base::ParseDouble(part);
    if (!number.has_value()) {
      break;
    }
    numbers.push_back(*number);
  }
  return numbers;
}

// One row, on its way to samples.
struct CustomRow {
  const CustomQuery& custom;
  const Server& server;
  const Rows& rows;
  size_t row;

  Cell Find(const std::string& column) const {
    const std::optional<size_t> at = rows.Find(column);
    return at.has_value() ? rows.at(row, *at) : std::nullopt;
  }

  model::LabelValues Labels() const {
    model::LabelValues labels;
    for (const std::string& name : custom.labels) {
      const std::optional<size_t> at = rows.Find(name);
      if (at.has_value()) {
        labels.Add(base::ToValidUtf8(rows.at(row, *at).value_or("")));
      } else {
        labels.Add(name == "server" ? server.address : name == "datname" ? server.database : "");
      }
    }
    return labels;
  }
};

base::Error NotANumber(const CustomRow& row, std::string_view column, std::string_view text) {
  constexpr size_t kMaxQuotedBytes = 40;
  return Invalid(fmt::format("query {}: column \"{}\" is no number: \"{}\"", row.custom.name,
                             column, base::ToValidUtf8(text.substr(0, kMaxQuotedBytes))));
}

base::Result<void> EmitHistogram(const CustomRow& row, const CustomColumn& column, Scrape& scrape) {
  const Cell bounds = row.Find(column.name);
  const Cell counts = row.Find(column.name + "_bucket");
  const std::optional<double> sum = ParseCell(row.Find(column.name + "_sum").value_or(""));
  const std::optional<double> count = ParseCell(row.Find(column.name + "_count").value_or(""));
  if (!bounds.has_value() || !counts.has_value() || !sum.has_value() || !count.has_value()) {
    return Invalid(fmt::format(
        "query {}: the histogram {} needs the columns {}, {}_bucket, "
        "{}_sum and {}_count",
        row.custom.name, column.name, column.name, column.name, column.name, column.name));
  }
  const std::vector<double> upper = ParseArray(*bounds);
  const std::vector<double> below = ParseArray(*counts);
  if (upper.size() != below.size()) {
    return Invalid(fmt::format("query {}: {} and {}_bucket are arrays of different length",
                               row.custom.name, column.name, column.name));
  }
  auto histogram = std::make_unique<model::Histogram>();
  for (size_t i = 0; i < upper.size(); ++i) {
    histogram->buckets.push_back({.upper_bound = upper[i], .cumulative_count = below[i]});
  }
  histogram->sum = *sum;
  histogram->count = *count;
  scrape.Emit(column.desc->desc(),
              model::Metric{.labels = row.Labels(), .histogram = std::move(histogram)});
  return {};
}

base::Result<void> EmitColumn(const CustomRow& row, const CustomColumn& column,
                              const model::LabelValues& labels, Scrape& scrape) {
  if (column.usage == CustomUsage::kHistogram) {
    return EmitHistogram(row, column, scrape);
  }
  const Cell cell = row.Find(column.name);
  if (!cell.has_value()) {
    return {};
  }
  std::optional<double> value;
  if (column.usage == CustomUsage::kMapped) {
    if (const auto found = column.mapping.find(std::string(*cell)); found != column.mapping.end()) {
      value = found->second;
    } else {
      return {};  // A text without a number.
    }
  } else if (column.usage == CustomUsage::kDuration) {
    constexpr double kMilliseconds = 1000;
    const auto duration = base::ParseDuration(*cell);
    value =
        duration.ok() ? std::optional(base::ToSeconds(*duration) * kMilliseconds) : std::nullopt;
  } else {
    value = NumberOf(*cell);
  }
  if (!value.has_value()) {
    return NotANumber(row, column.name, *cell);
  }
  scrape.Emit(column.desc, *value, labels);
  return {};
}

// Whether a column of the answer belongs to one that the file names.
bool IsNamed(const CustomQuery& custom, std::string_view name) {
  constexpr std::string_view kParts[] = {"", "_bucket", "_sum", "_count"};
  return std::any_of(custom.columns.begin(), custom.columns.end(), [&](const CustomColumn& column) {
    for (const std::string_view part : kParts) {
      if (name == fmt::format("{}{}", column.name, part)) {
        return part.empty() || column.usage == CustomUsage::kHistogram;
      }
    }
    return false;
  });
}

void EmitUnnamed(const CustomRow& row, Server& server, const model::LabelValues& labels,
                 Scrape& scrape) {
  for (size_t i = 0; i < row.rows.column_count(); ++i) {
    const std::string_view name = row.rows.column_name(i);
    const Cell cell = row.rows.at(row.row, i);
    if (!cell.has_value() || IsNamed(row.custom, name)) {
      continue;
    }
    const std::optional<double> value = NumberOf(*cell);
    std::string metric = MetricName(row.custom, name);
    if (!value.has_value() || !model::IsLegacyMetricName(metric)) {
      continue;
    }
    auto found = server.descs.find(metric);
    if (found == server.descs.end()) {
      if (server.descs.size() >= kMaxUnnamedMetrics) {
        return;
      }
      model::DescPtr desc = model::DynamicDesc::Make(
          {.name = metric,
           .help = fmt::format("Column {} of the query {}.", name, row.custom.name),
           .type = model::MetricType::kUntyped,
           .labels = row.custom.labels});
      found = server.descs.emplace(std::move(metric), std::move(desc)).first;
    }
    scrape.Emit(found->second, *value, labels);
  }
}

}  // namespace

bool CustomQuery::RunsOn(int version) const {
  return versions.empty() ||
         std::any_of(versions.begin(), versions.end(), [&](const VersionRange& range) {
           return range.first <= version && version < range.second;
         });
}

base::Result<std::vector<VersionRange>> ParseVersions(std::string_view text) {
  std::vector<VersionRange> ranges;
  const std::string alternatives = base::ReplaceAll(text, "||", "|");
  for (const std::string_view alternative : base::Split(alternatives, '|')) {
    VersionRange range{0, kNoVersion};
    // ">= 10.0.0" is one condition.
    std::string conditions = base::ReplaceAll(alternative, ",", " ");
    for (const char* comparison : {"= ", "> ", "< "}) {
      while (conditions.find(comparison) != std::string::npos) {
        conditions =
            base::ReplaceAll(conditions, comparison, std::string_view(comparison).substr(0, 1));
      }
    }
    for (const std::string_view condition : base::Split(conditions, ' ')) {
      if (!condition.empty()) {
        RETURN_IF_ERROR(Narrow(condition, &range));
      }
    }
    ranges.push_back(range);
  }
  return ranges;
}

base::Result<std::shared_ptr<const CustomQueries>> CustomQueries::Parse(std::string_view text,
                                                                        const std::string& file,
                                                                        bool per_database) {
  ASSIGN_OR_RETURN(const yaml::Node root, yaml::Parse(text, file));
  const yaml::Reader reader(file);
  auto queries = std::make_shared<CustomQueries>();
  queries->file_ = file;
  queries->hash_ = Sha256(text);
  RETURN_IF_ERROR(reader.Expect(root, yaml::Node::Kind::kMap));
  for (const auto& [name, node] : root.members) {
    if (queries->entries_.size() >= kMaxCustomQueries) {
      return reader.ErrorAt(node, fmt::format("more than {} queries", kMaxCustomQueries));
    }
    auto entry = std::make_unique<Entry>();
    entry->custom.name = name;
    RETURN_IF_ERROR(reader.ReadMap<CustomQuery>(node, kQueryFields, &entry->custom));
    const bool everywhere = per_database && !entry->custom.master;
    RETURN_IF_ERROR(Finish(reader, node, everywhere, &entry->custom));
    entry->collector_name = fmt::format("custom.{}", name);
    entry->query = Query{
        .refresh = entry->custom.cache.count() > 0 ? Refresh::kOwnInterval : Refresh::kEveryScrape,
        .per_database = everywhere,
        .custom = &entry->custom};
    entry->collector = PostgresCollector{.name = entry->collector_name,
                                         .help = "A query of the user's own.",
                                         .queries = {&entry->query, 1}};
    queries->entries_.push_back(std::move(entry));
  }
  return std::shared_ptr<const CustomQueries>(std::move(queries));
}

std::vector<const PostgresCollector*> CustomQueries::Collectors() const {
  std::vector<const PostgresCollector*> collectors;
  for (const std::unique_ptr<Entry>& entry : entries_) {
    collectors.push_back(&entry->collector);
  }
  return collectors;
}

base::Result<void> EmitCustom(const CustomQuery& custom, Server& server, const Rows& rows,
                              Scrape& scrape) {
  std::optional<base::Error> first_error;
  for (size_t i = 0; i < rows.row_count(); ++i) {
    const CustomRow row{.custom = custom, .server = server, .rows = rows, .row = i};
    const model::LabelValues labels = row.Labels();
    for (const CustomColumn& column : custom.columns) {
      if (!IsMetric(column.usage)) {
        continue;
      }
      if (base::Result<void> emitted = EmitColumn(row, column, labels, scrape);
          !emitted.ok() && !first_error.has_value()) {
        first_error = emitted.error();
      }
    }
    EmitUnnamed(row, server, labels, scrape);
  }
  return first_error.has_value() ? base::Result<void>(*std::move(first_error))
                                 : base::Result<void>();
}

}  // namespace exporters::postgres
