// What PostgreSQL and whoever asks for a probe may say: settings, error texts, rows, targets.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "exporters/postgres/collectors/settings.h"
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string_view> words = base::Split(text, '\n');
  CheckRows(words);
  words.resize(std::max<size_t>(words.size(), 3));
  CheckSetting(words);
  const exporters::pq::ConnectFailure failure = exporters::pq::ClassifyConnectFailure(text);
  Require(base::IsValidUtf8(failure.error.message()));
  const auto config = exporters::postgres::ParseProbeConfig(text, "f.yml");
  Require(config.ok() || config.error().message().starts_with("f.yml:"));
  // libpq takes zero-terminated text.
  const std::string target(words[0].substr(0, words[0].find('\0')));
  const auto conninfo = exporters::postgres::ProbeConninfo({}, target, "");
  Require(!conninfo.ok() || (!conninfo->Has("passfile") && conninfo->Has("password")));
  return 0;
}
