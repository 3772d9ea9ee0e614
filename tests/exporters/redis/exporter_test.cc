#include "exporters/redis/exporter.h"

#include <algorithm>
#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "exporters/redis/doctor.h"
#include "exporters/redis/targets.h"
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
            "+slowlog|len +slowlog|get +cluster|info +client|list");
  Options options;
  options.keys.single_keys = {{.db = 0, .text = "a"}};
  options.queues.discover = true;
  const std::string rule = AclRule(options);
  for (const char* grant : {" +type ", " +memory|usage ", " +scan ", " +llen ", " %R~*"}) {
    EXPECT_NE((rule + " ").find(grant), std::string::npos) << rule;
  }
  for (const char* dangerous : {"+keys", "+eval", "+set", "+get|", "@read"}) {
    EXPECT_EQ((rule + " ").find(std::string(dangerous) + " "), std::string::npos) << rule;
  }
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
  EXPECT_NE(report.find("  ok       SLOWLOG GET 16\n"), std::string::npos);
}

TargetOptions TargetsOf(std::vector<std::string> allowed = {}) {
  TargetOptions options;
  options.base.address = *ParseAddress("redis://main:6379");
  options.base.address.password = base::Secret("canary");
  options.allowed = std::move(allowed);
  return options;
}

TEST(Target, NeverGetsThePasswordOfAnotherServer) {
  for (const char* text : {"redis://evil:6379", "redis://main:6380", "rediss://main:6379", "evil",
                           "redis://main@evil:6379", "redis://:canary@evil"}) {
    const auto options = OptionsForTarget(TargetsOf(), {{"target", text}});
    ASSERT_TRUE(options.ok()) << text;
    EXPECT_TRUE(options->address.password.empty()) << text;
    EXPECT_TRUE(options->only_bound_passwords) << text;
  }
  const auto own = OptionsForTarget(TargetsOf(), {{"target", "redis://main:6379"}});
  ASSERT_TRUE(own.ok());
  EXPECT_EQ(own->address.password.Reveal(), "canary");
}

TEST(Target, IsOneOfThoseAllowed) {
  const auto check = [](std::vector<std::string> allowed, const char* target, bool expected) {
    const auto options = OptionsForTarget(TargetsOf(std::move(allowed)), {{"target", target}});
    EXPECT_EQ(options.ok(), expected) << target;
  };
  check({}, "redis://any:1", true);
  check({}, "unix:///run/redis.sock", false);
  check({"unix:///run/redis.sock"}, "unix:///run/redis.sock", true);
  check({"*.cache:6379"}, "redis://A.cache:6379", true);
  check({"*.cache:6379"}, "redis://a.cache:6380", false);
  check({"*.cache:6379"}, "redis://a.cache.evil:6379", false);
  check({"*.cache:6379"}, "redis://main:6379", true);
  check({}, "", false);
  check({}, "http://x", false);
  EXPECT_FALSE(OptionsForTarget(TargetsOf(), {}).ok());
  EXPECT_FALSE(OptionsForTarget(TargetsOf(), {{"target", "a"}, {"check-keys", "dbx=a"}}).ok());
}

http::Request ScrapeOf(const std::string& target) {
  return {.method = "GET", .path = "/scrape", .query = {{"target", target}}};
}

TEST(Targets, KeepTheirConnectionsAndForgetTheOldest) {
  FakeRedis server({{"INFO", Bulk(kInfoText)}});
  const base::Logger logger(base::LogLevel::kError);
  Targets targets(TargetsOf(), logger);
  const std::string target = "redis://127.0.0.1:" + std::to_string(server.port());
  for (int i = 0; i < 3; ++i) {
    const http::Response response = targets.Handle(ScrapeOf(target));
    EXPECT_EQ(response.status, 200);
    EXPECT_TRUE(Contains(response.body, "redis_up 1"));
  }
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(targets.Handle(ScrapeOf("http://x")).status, 400);
  for (size_t i = 0; i < kMaxTargets + 5; ++i) {  // Nothing listens there.
    http::Request request = ScrapeOf("redis://127.0.0.1:1");
    request.query.emplace_back("tls_server_name", std::to_string(i));
    EXPECT_EQ(targets.Handle(request).status, 200);
  }
  EXPECT_EQ(targets.kept(), kMaxTargets);
}

TEST(RedisExporter, ReadsSingleKeysThatAreNotThereAsNothing) {
  FakeRedis server({{"INFO", Bulk(kInfoText)},
                    {"TYPE there", "+list\r\n"},
                    {"TYPE gone", "+none\r\n"},
                    {"TYPE denied", "-NOPERM no\r\n"},
                    {"MEMORY USAGE", "$-1\r\n"},
                    {"MEMORY USAGE there", ":99\r\n"},
                    {"LLEN there", ":3\r\n"},
                    {"SELECT", "+OK\r\n"}});
  const base::Logger logger(base::LogLevel::kError);
  Options options = For(server.port());
  options.keys.single_keys = {
      {.db = 0, .text = "gone"}, {.db = 2, .text = "there"}, {.db = 0, .text = "denied"}};
  RedisExporter exporter(options, logger);
  for (int i = 0; i < 2; ++i) {
    const std::string page = PageOf(exporter);
    EXPECT_TRUE(Contains(page, "redis_key_size{db=\"db0\",key=\"gone\"} 0")) << page;
    EXPECT_TRUE(Contains(page, "redis_key_size{db=\"db2\",key=\"there\"} 3"));
    EXPECT_TRUE(Contains(page, "redis_key_memory_usage_bytes{db=\"db2\",key=\"there\"} 99"));
    EXPECT_EQ(page.find("denied"), std::string::npos);
  }
}

TEST(RedisExporter, SwitchesOffWhatTheServerRefusesAndSaysSo) {
  FakeRedis server({{"INFO", Bulk(kInfoText)},
                    {"TYPE", "-NOPERM no permission\r\n"},
                    {"MEMORY USAGE", "-NOPERM no permission\r\n"},
                    {"LATENCY HISTOGRAM", "-ERR unknown subcommand\r\n"}});
  const base::Logger logger(base::LogLevel::kError);
  Options options = For(server.port());
  options.keys.single_keys = {{.db = 0, .text = "a"}};
  RedisExporter exporter(options, logger);
  for (int i = 0; i < 3; ++i) {
    const std::string page = PageOf(exporter);
    EXPECT_TRUE(Contains(page, "redis_up 1"));
    EXPECT_TRUE(Contains(page, "redis_collector_off{collector=\"keys\",reason=\"noperm\"} 1"));
    EXPECT_TRUE(Contains(
        page, "redis_collector_off{collector=\"latency_histogram\",reason=\"unknown_command\"} 1"));
  }
  const auto commands = server.commands();
  EXPECT_EQ(std::count(commands.begin(), commands.end(), "TYPE a"), 1)
      << "each refusal is an error in the server's statistics";
}

TEST(Walker, GoesThroughAllKeysAndAddsWhatIsNotThereAsZero) {
  FakeRedis server({{"INFO", Bulk(std::string(kInfoText) + "db0:keys=3,expires=0\r\n")},
                    {"SCAN 0", "*2\r\n$1\r\n7\r\n*2\r\n$3\r\na:1\r\n$3\r\na:2\r\n"},
                    {"SCAN 7", "*2\r\n$1\r\n0\r\n*1\r\n$3\r\nb:1\r\n"},
                    {"TYPE", "+string\r\n"},
                    {"STRLEN", ":5\r\n"},
                    {"MEMORY USAGE", ":64\r\n"},
                    {"GETRANGE", "$2\r\n17\r\n"}});
  const base::Logger logger(base::LogLevel::kError);
  Options options = For(server.port());
  options.keys.counts = {{.db = 0, .text = "a:*"}, {.db = 0, .text = "none*"}};
  options.keys.patterns = {{.db = 0, .text = "b:*"}};
  options.keys.groups = {"^(%a)"};
  Resolver resolver;
  const auto walker = Walker::Start(options, resolver, logger);
  ASSERT_TRUE(walker.ok());
  const auto walk = (*walker)->Latest(std::chrono::steady_clock::now() + std::chrono::seconds(60));
  ASSERT_NE(walk, nullptr);
  EXPECT_EQ(walk->key_count, 3U);
  EXPECT_EQ(walk->counts.at({0, "a:*"}), 2U);
  EXPECT_EQ(walk->counts.at({0, "none*"}), 0U);
  EXPECT_EQ(walk->keys.at({0, "b:1"}).size, 5);
  EXPECT_EQ(walk->keys.at({0, "b:1"}).value, "17");
  EXPECT_EQ(walk->groups.at(0).groups.at("a").keys, 2U);
  EXPECT_EQ(walk->groups.at(0).groups.at("a").memory_bytes, 128);
  EXPECT_EQ(walk->groups.at(0).distinct, 2U);
  for (const std::string& command : server.commands()) {
    EXPECT_EQ(command.find("KEYS"), std::string::npos) << command;
    EXPECT_EQ(command.find("EVAL"), std::string::npos) << command;
  }
}

}  // namespace
}  // namespace exporters::redis
