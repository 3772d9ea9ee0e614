#include "exporters/redis/exporter.h"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "exporters/redis/doctor.h"
#include "lib/exposition/writer.h"
#include "tests/exporters/redis/fake_redis.h"

namespace exporters::redis {
namespace {

using std::chrono::milliseconds;

const char kInfoText[] =
    "# Server\r\nredis_version:7.0.15\r\nconnected_clients:3\r\nrole:master\r\n";

Options For(int port) {
  Options options;
  options.address.endpoint = {.host = "127.0.0.1", .port = port};
  return options;
}

ScrapeRequest Request() {
  return {.deadline = std::chrono::steady_clock::now() + milliseconds(5000)};
}

std::string PageOf(Exporter& exporter, const ScrapeRequest& request = Request()) {
  const auto families = exporter.Collect(request);
  EXPECT_TRUE(families.ok());
  std::string page;
  exposition::WriteText(*families, &page);
  return page;
}

bool Contains(const std::string& page, std::string_view line) {
  return ("\n" + page).find("\n" + std::string(line) + "\n") != std::string::npos;
}

struct Log {
  std::vector<std::string> lines;
  base::Logger logger{base::LogLevel::kDebug, base::LogFormat::kLogfmt,
                      [this](std::string_view line) { lines.emplace_back(line); }};
};

TEST(RedisExporter, SaysThatTheServerIsUpAndThenWhyItIsNot) {
  Log log;
  auto server =
      std::make_unique<FakeRedis>(std::map<std::string, std::string>{{"INFO", Bulk(kInfoText)}});
  RedisExporter exporter(For(server->port()), log.logger);
  const std::string up = PageOf(exporter);
  EXPECT_TRUE(Contains(up, "redis_up 1"));
  EXPECT_TRUE(Contains(up, "redis_probe_failure{reason=\"refused\"} 0"));
  EXPECT_TRUE(Contains(up, "redis_exporter_last_scrape_error{err=\"\"} 0"));
  EXPECT_TRUE(Contains(up, "redis_connected_clients 3"));
  server.reset();
  for (int i = 0; i < 2; ++i) {
    const std::string down = PageOf(exporter);
    EXPECT_TRUE(Contains(down, "redis_up 0"));
    EXPECT_TRUE(Contains(down, "redis_probe_failure{reason=\"refused\"} 1"));
    EXPECT_TRUE(Contains(down, "redis_probe_failure{reason=\"timeout\"} 0"));
    EXPECT_TRUE(Contains(down, "redis_exporter_last_scrape_error{err=\"refused\"} 1"));
    EXPECT_EQ(down.find("redis_connected_clients"), std::string::npos);
  }
  size_t warnings = 0;
  for (const std::string& line : log.lines) {
    warnings += line.find("Redis cannot be read") != std::string::npos ? 1U : 0U;
  }
  EXPECT_EQ(warnings, 1U) << "a failure is logged once until it changes";
}

TEST(RedisExporter, LivesBesideAnother) {
  FakeRedis first({{"INFO", Bulk("connected_clients:1\r\n")}});
  FakeRedis second({{"INFO", Bulk("connected_clients:2\r\n")}});
  const base::Logger logger(base::LogLevel::kError);
  RedisExporter one(For(first.port()), logger);
  Options options = For(second.port());
  options.metric_namespace = "cache";
  RedisExporter two(options, logger);
  for (int i = 0; i < 2; ++i) {
    const std::string page_one = PageOf(one);
    const std::string page_two = PageOf(two);
    EXPECT_TRUE(Contains(page_one, "redis_connected_clients 1"));
    EXPECT_TRUE(Contains(page_two, "cache_connected_clients 2"));
    EXPECT_EQ(page_two.find("\nredis_"), std::string::npos) << page_two;
  }
}

TEST(RedisExporter, RunsTheCollectorsThatWereAskedFor) {
  FakeRedis server({{"INFO", Bulk(kInfoText)}});
  const base::Logger logger(base::LogLevel::kError);
  Options options = For(server.port());
  options.collectors.named["instance"] = false;
  RedisExporter exporter(options, logger);
  EXPECT_EQ(PageOf(exporter).find("redis_instance_info"), std::string::npos);
  ScrapeRequest only = Request();
  only.collect = {"clients"};
  const std::string page = PageOf(exporter, only);
  EXPECT_TRUE(Contains(page, "redis_connected_clients 3"));
  EXPECT_TRUE(Contains(page, "redis_scrape_collector_success{collector=\"clients\"} 1"));
  EXPECT_EQ(page.find("collector=\"memory\""), std::string::npos);
  only.collect = {"nonsense"};
  EXPECT_FALSE(exporter.Collect(only).ok());
}

TEST(RedisExporter, NeverShowsThePassword) {
  Log log;
  FakeRedis server({{"INFO", Bulk(kInfoText)},
                    {"AUTH",
                     "-ERR unknown command 'AUTH', with args beginning with: 'canary'"
                     "\r\n"}});
  Options options = For(server.port());
  options.address.user = "me";
  options.address.password = base::Secret("canary");
  RedisExporter exporter(options, log.logger);
  EXPECT_EQ(PageOf(exporter).find("canary"), std::string::npos);
  std::string report;
  EXPECT_FALSE(Diagnose(options, std::chrono::steady_clock::now() + milliseconds(5000), &report));
  EXPECT_EQ(report.find("canary"), std::string::npos);
  EXPECT_FALSE(log.lines.empty());
  for (const std::string& line : log.lines) {
    EXPECT_EQ(line.find("canary"), std::string::npos) << line;
  }
}

TEST(Doctor, NamesTheRuleThatASmallUserNeeds) {
  EXPECT_EQ(AclRule({}),
            "-@all +ping +client|setname +info +config|get +latency|latest +latency|histogram "
            "+slowlog|len +slowlog|get +cluster|info");
}

TEST(Doctor, ReportsEachCommand) {
  FakeRedis server({{"INFO", Bulk(kInfoText)},
                    {"SLOWLOG LEN", "-NOPERM not allowed\r\n"},
                    {"LATENCY HISTOGRAM", "-ERR unknown subcommand 'HISTOGRAM'\r\n"}});
  std::string report;
  EXPECT_FALSE(
      Diagnose(For(server.port()), std::chrono::steady_clock::now() + milliseconds(5000), &report));
  EXPECT_NE(report.find("reachable, version 7.0.15, role master"), std::string::npos) << report;
  EXPECT_NE(report.find("  refused  SLOWLOG LEN: NOPERM not allowed\n"), std::string::npos);
  EXPECT_NE(report.find("  unknown  LATENCY HISTOGRAM: ERR unknown subcommand"), std::string::npos);
  EXPECT_NE(report.find("  ok       SLOWLOG GET 1\n"), std::string::npos);
}

}  // namespace
}  // namespace exporters::redis
