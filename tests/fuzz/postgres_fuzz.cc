// What PostgreSQL and whoever asks for a probe may say: settings, error texts, rows, targets.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "exporters/postgres/collectors/settings.h"
#include "exporters/postgres/collectors/synchronous_standbys.h"
#include "exporters/postgres/custom_queries.h"
#include "exporters/postgres/probe.h"
#include "exporters/pq/failure.h"
#include "exporters/toolkit/query_table.h"
#include "exporters/toolkit/scrape.h"
#include "lib/base/strings.h"
#include "lib/model/labels.h"

namespace {

constexpr exporters::ColumnTable kTable({
    {.name = "a", .usage = exporters::Usage::kLabel},
    {.name = "b", .metric = "t_b", .help = "B.", .scale = 1e-3},
});

void Require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

void CheckSetting(const std::vector<std::string_view>& words) {
  const auto sample = exporters::postgres::ParseSetting(words[0], words[1], words[2]);
  Require(!sample.ok() || model::IsLegacyMetricName(sample->name));
}

void CheckRows(const std::vector<std::string_view>& words) {
  exporters::TextRows rows({"a", "b"});
  for (size_t i = 0; i + 1 < words.size(); i += 2) {
    rows.Add({std::string(words[i]), std::string(words[i + 1])});
  }
  exporters::Scrape scrape({});
  static_cast<void>(exporters::EmitRows(kTable, rows, 150000, scrape).ok());
  for (const model::MetricFamily& family : scrape.TakeFamilies()) {
    for (const model::Metric& metric : family.metrics) {
      Require(base::IsValidUtf8(*metric.labels.begin()));
    }
  }
}

// Whatever a file of queries says, their answers become samples or errors.
void CheckCustomQueries(std::string_view text) {
  const auto queries = exporters::postgres::CustomQueries::Parse(text, "f.yml", true);
  if (!queries.ok()) {
    return;
  }
  const exporters::TextRows rows(
      {"a", "b", "b_bucket", "b_sum", "b_count"},
      {{"2026-11-20 00:00:01.5+05:30", "{1,2}", "{3,4}", "5", "6"}, {"1m", "7", "x", "", "\xff"}});
  const exporters::postgres::PostgresOptions options;
  exporters::postgres::Server server{.options = &options, .version = 150000};
  for (const exporters::postgres::PostgresCollector* collector : (*queries)->Collectors()) {
    exporters::Scrape scrape({});
    const exporters::postgres::Query& query = collector->queries[0];
    static_cast<void>(exporters::postgres::EmitAnswer(query, server, rows, scrape).ok());
    static_cast<void>(scrape.TakeFamilies());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string_view> words = base::Split(text, '\n');
  CheckRows(words);
  words.resize(std::max<size_t>(words.size(), 3));
  CheckSetting(words);
  const exporters::pq::ConnectFailure failure = exporters::pq::ClassifyConnectFailure(text);
  Require(base::IsValidUtf8(failure.error.message()));
  static_cast<void>(exporters::postgres::ParseVersions(text).ok());
  static_cast<void>(exporters::postgres::ParseRequiredStandbys(text));
  CheckCustomQueries(text);
  const auto config = exporters::postgres::ParseProbeConfig(text, "f.yml");
  Require(config.ok() || config.error().message().starts_with("f.yml:"));
  // libpq takes zero-terminated text.
  const std::string target(words[0].substr(0, words[0].find('\0')));
  const auto conninfo = exporters::postgres::ProbeConninfo({}, target, "");
  Require(!conninfo.ok() || (!conninfo->Has("passfile") && conninfo->Has("password")));
  return 0;
}
