#include "agent/self_metrics.h"

#include <string>

#include <gtest/gtest.h>

#include "lib/exposition/writer.h"

namespace agent {
namespace {

std::string Write(const std::vector<model::MetricFamily>& families) {
  std::string page;
  exposition::WriteText(families, &page);
  return page;
}

TEST(SelfMetrics, CountRequestsByStatusCode) {
  RequestCounter counter;
  counter.Count(200, std::chrono::milliseconds(5));
  counter.Count(200, std::chrono::milliseconds(5));
  counter.Count(404, std::chrono::milliseconds(5));
  const std::string page = Write(counter.Metrics());
  EXPECT_NE(page.find("tarsier_http_requests_total{code=\"200\"} 2\n"), std::string::npos) << page;
  EXPECT_NE(page.find("tarsier_http_requests_total{code=\"404\"} 1\n"), std::string::npos);
  EXPECT_NE(page.find("tarsier_http_request_duration_seconds_count 3\n"), std::string::npos);
}

TEST(SelfMetrics, ShowTheStore) {
  storage::StoreStats stats;
  stats.head.series = 12;
  stats.head.max_time_ms = 1500;
  const std::string page = Write(StoreFamilies(stats));
  EXPECT_NE(page.find("tarsier_store_series 12\n"), std::string::npos) << page;
  EXPECT_NE(page.find("tarsier_store_max_time_seconds 1.5\n"), std::string::npos);
  EXPECT_EQ(page.find("prometheus_tsdb_"), std::string::npos);
}

TEST(SelfMetrics, ShowTheStateFileWhenThereIsOne) {
  storage::StoreStats stats;
  stats.durable = true;
  stats.block_bytes = 77;
  stats.degraded = true;
  const std::string page = Write(StoreFamilies(stats));
  EXPECT_NE(page.find("prometheus_tsdb_storage_blocks_bytes 77\n"), std::string::npos) << page;
  EXPECT_NE(page.find("tarsier_store_degraded 1\n"), std::string::npos);
}

TEST(SelfMetrics, AreAnExporterToo) {
  const auto exporter = MakeSelfExporter([] {
    std::vector<model::MetricFamily> families;
    families.push_back(BuildInfo());
    return families;
  });
  const auto families = exporter->Collect({});
  ASSERT_TRUE(families.ok());
  EXPECT_NE(Write(*families).find("tarsier_agent_build_info{"), std::string::npos);
}

}  // namespace
}  // namespace agent
