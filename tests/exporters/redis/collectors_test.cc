// What the collectors make of recorded replies, as whole pages. TARSIER_UPDATE_GOLDEN=1 rewrites
// the pages; the difference is for review.
#include "exporters/redis/collectors.h"

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "lib/base/file.h"
#include "lib/exposition/writer.h"
#include "tests/exporters/redis/replay.h"

namespace exporters::redis {
namespace {

struct Page {
  std::string text;
  std::vector<std::string> failures;  // "config: CONFIG GET maxmemory: NOPERM …"
};

Page Render(const Snapshot& snapshot) {
  Scrape scrape(std::chrono::steady_clock::now() + std::chrono::hours(1));
  Page page;
  for (const RedisCollector* collector : AllCollectors()) {
    const auto outcome = collector->collect(snapshot, scrape);
    if (!outcome.ok()) {
      page.failures.push_back(std::string(collector->name) + ": " + outcome.error().message());
    }
  }
  size_t duplicates = 0;
  exposition::WriteText(scrape.TakeFamilies(&duplicates), &page.text);
  EXPECT_EQ(duplicates, 0U);
  return page;
}

Page RenderStream(std::string_view stream, const Options& options = {}) {
  const auto snapshot = ReplaySnapshot(stream, options);
  EXPECT_TRUE(snapshot.ok());
  return Render(*snapshot);
}

Page RenderInfo(const std::string& info, const Options& options = {}) {
  return RenderStream("$" + std::to_string(info.size()) + "\r\n" + info + "\r\n", options);
}

std::string ReadTestFile(const std::string& name) {
  const auto content = base::ReadFile(std::string(TESTDATA_DIR) + "/" + name);
  EXPECT_TRUE(content.ok()) << name;
  return content.ok() ? *content : "";
}

bool Contains(const std::string& page, std::string_view line) {
  return ("\n" + page).find("\n" + std::string(line) + "\n") != std::string::npos;
}

class Recorded : public testing::TestWithParam<const char*> {};

TEST_P(Recorded, GivesTheGoldenPage) {
  const std::string name = GetParam();
  Page page = RenderStream(ReadTestFile(name + ".resp"));
  EXPECT_TRUE(page.failures.empty()) << page.failures[0];
  const std::string golden = name + ".metrics";
  if (std::getenv("TARSIER_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(std::string(TESTDATA_DIR) + "/" + golden) << page.text;
  }
  EXPECT_EQ(page.text, ReadTestFile(golden));
}

INSTANTIATE_TEST_SUITE_P(Servers, Recorded,
                         testing::Values("redis-7.0.15-master", "redis-7.0.15-replica",
                                         "redis-8.0.2-cluster", "valkey-8.1.1"),
                         [](const auto& test) {
                           std::string name = test.param;
                           for (char& c : name) {
                             c = c == '-' || c == '.' ? '_' : c;
                           }
                           return name;
                         });

TEST(Keyspace, IsReadByNameWhateverTheForkAdds) {
  const auto check = [](const std::string& db0, std::vector<std::string> lines) {
    const Page page = RenderInfo("# Keyspace\r\ndb0:" + db0 + "\r\n");
    for (const std::string& line : lines) {
      EXPECT_TRUE(Contains(page.text, line)) << db0 << ": " << line << "\n" << page.text;
    }
    EXPECT_EQ(page.text.find("redis_db_keys_cached") != std::string::npos,
              db0.find("cached_keys") != std::string::npos)
        << db0;
  };
  // Redis 7.0, 7.4, Valkey 9, KeyDB, Dragonfly.
  check("keys=5,expires=2,avg_ttl=1500",
        {"redis_db_keys{db=\"db0\"} 5", "redis_db_keys_expiring{db=\"db0\"} 2",
         "redis_db_avg_ttl_seconds{db=\"db0\"} 1.5"});
  check("keys=5,expires=2,avg_ttl=1500,subexpiry=9", {"redis_db_keys{db=\"db0\"} 5"});
  check("keys=5,expires=2,avg_ttl=1500,keys_with_volatile_items=9",
        {"redis_db_keys{db=\"db0\"} 5"});
  check("keys=5,expires=2,avg_ttl=1500,cached_keys=3", {"redis_db_keys_cached{db=\"db0\"} 3"});
  check("keys=5,expires=2,hits=100,misses=7,hit_ratio=0.9,avg_ttl=-1",
        {"redis_db_keys{db=\"db0\"} 5", "redis_db_keys_expiring{db=\"db0\"} 2"});
  EXPECT_EQ(RenderInfo("# Keyspace\r\ndb0:keys=5,expires=0,avg_ttl=-1\r\n")
                .text.find("redis_db_avg_ttl_seconds"),
            std::string::npos);
}

TEST(Keyspace, IsNotMistakenForKeysizes) {
  const Page page =
      RenderInfo("# Keysizes\r\ndb0_distrib_strings_sizes:1=2,4=1\r\n# Keyspace\r\ndb0:keys=3\r\n");
  EXPECT_TRUE(Contains(page.text, "redis_db_keys{db=\"db0\"} 3"));
  EXPECT_EQ(page.text.find("distrib"), std::string::npos);
}

TEST(Cpu, IsReadAsDragonflyWritesIt) {
  const std::string line = "used_cpu_sys:1.5\r\n";
  EXPECT_TRUE(Contains(RenderInfo(line).text, "redis_cpu_sys_seconds_total 1.5"));
  EXPECT_TRUE(Contains(RenderInfo("dragonfly_version:df-1.40\r\n" + line).text,
                       "redis_cpu_sys_seconds_total 1.000005"));
}

TEST(Errorstats, AreFoundWithAndWithoutPrefix) {
  const Page page = RenderInfo("# Errorstats\r\nerrorstat_ERR:count=2\r\nWRONGTYPE:count=3\r\n");
  EXPECT_TRUE(Contains(page.text, "redis_errors_total{err=\"ERR\"} 2"));
  EXPECT_TRUE(Contains(page.text, "redis_errors_total{err=\"WRONGTYPE\"} 3"));
}

TEST(MasterLink, KnowsSeveralMasters) {
  const Page page = RenderInfo(
      "role:active-replica\r\nmaster_host:a\r\nmaster_port:1\r\nmaster_link_status:up\r\n"
      "master_1_host:b\r\nmaster_1_port:2\r\nmaster_1_link_status:down\r\n");
  EXPECT_TRUE(Contains(page.text, "redis_master_link_up{master_host=\"a\",master_port=\"1\"} 1"));
  EXPECT_TRUE(Contains(page.text, "redis_master_link_up{master_host=\"b\",master_port=\"2\"} 0"));
}

TEST(LatencyHistogram, HasTheSameBoundsForEveryCommand) {
  const Page page = RenderStream(ReadTestFile("redis-7.0.15-master.resp"));
  std::map<std::string, std::set<std::string>> bounds;
  std::istringstream lines(page.text);
  for (std::string line; std::getline(lines, line);) {
    const std::string start = "redis_commands_latencies_usec_bucket{cmd=\"";
    if (line.rfind(start, 0) == 0) {
      const size_t end = line.find('"', start.size());
      bounds[line.substr(start.size(), end - start.size())].insert(
          line.substr(end, line.find('}') - end));
    }
  }
  ASSERT_GT(bounds.size(), 3U);
  for (const auto& [command, set] : bounds) {
    EXPECT_EQ(set, bounds.begin()->second) << command;
  }
}

TEST(LatencyHistogram, DoesNotTrustTheServersCounts) {
  // Counts that fall, exceed the calls or are negative; odd lists; words for numbers.
  const Page page = RenderStream(
      "$5\r\na:1\r\n\r\n*0\r\n*0\r\n*0\r\n*0\r\n*0\r\n*0\r\n*0\r\n"
      "*5\r\n$1\r\nx\r\n*4\r\n$5\r\ncalls\r\n:3\r\n$14\r\nhistogram_usec\r\n"
      "*7\r\n:1\r\n:2\r\n:2\r\n:1\r\n:4\r\n:9\r\n:8\r\n"
      "$1\r\ny\r\n*1\r\n$5\r\ncalls\r\n$1\r\nz\r\n:0\r\n*0\r\n");
  EXPECT_TRUE(Contains(page.text, "redis_commands_latencies_usec_bucket{cmd=\"x\",le=\"1\"} 2"))
      << page.text;
  EXPECT_TRUE(Contains(page.text, "redis_commands_latencies_usec_bucket{cmd=\"x\",le=\"2\"} 2"));
  EXPECT_TRUE(Contains(page.text, "redis_commands_latencies_usec_bucket{cmd=\"x\",le=\"8\"} 3"));
  EXPECT_EQ(page.text.find("cmd=\"y\""), std::string::npos);
}

TEST(Collectors, SayWhichCommandWasRefused) {
  const std::string noperm = "-NOPERM no permissions\r\n";
  std::string stream = "$5\r\na:1\r\n\r\n";
  for (int i = 0; i < 10; ++i) {
    stream += noperm;
  }
  const Page page = RenderStream(stream);
  EXPECT_EQ(page.failures,
            (std::vector<std::string>{"latency_histogram: LATENCY HISTOGRAM: NOPERM no permissions",
                                      "latency_events: LATENCY LATEST: NOPERM no permissions",
                                      "slowlog: SLOWLOG LEN: NOPERM no permissions",
                                      "slowlog_shapes: SLOWLOG GET 16: NOPERM no permissions",
                                      "config: CONFIG GET maxmemory: NOPERM no permissions"}));
}

TEST(Collectors, EmitNothingForWhatIsNoNumber) {
  const Page page = RenderInfo("used_memory:\r\nmaxmemory:lots\r\nallocator_frag_ratio:-nan\r\n");
  EXPECT_EQ(page.text.find("redis_mem"), std::string::npos) << page.text;
  EXPECT_EQ(page.text.find("redis_allocator"), std::string::npos) << page.text;
}

TEST(Config, NeverShowsSecrets) {
  Options options;
  options.include_config_metrics = true;
  std::string all = "*8\r\n";
  for (const char* word : {"requirepass", "canary", "masterauth", "canary", "tls-key-file-pass",
                           "canary", "maxmemory", "100"}) {
    all += "$" + std::to_string(std::string_view(word).size()) + "\r\n" + word + "\r\n";
  }
  const Page page = RenderStream("$5\r\na:1\r\n\r\n" + all, options);
  EXPECT_EQ(page.text.find("canary"), std::string::npos);
  EXPECT_TRUE(Contains(page.text, "redis_config_key_value{key=\"maxmemory\",value=\"100\"} 1"));
  EXPECT_TRUE(Contains(page.text, "redis_config_value{key=\"maxmemory\"} 100"));
  EXPECT_TRUE(Contains(page.text, "redis_config_maxmemory 100"));
}

TEST(Collectors, HaveHelpThatIsASentence) {
  for (const RedisCollector* collector : AllCollectors()) {
    EXPECT_EQ(collector->help.back(), '.') << collector->name;
  }
  std::istringstream lines(ReadTestFile("redis-7.0.15-master.metrics"));
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("# HELP", 0) == 0) {
      EXPECT_EQ(line.back(), '.') << line;
    }
  }
}

}  // namespace
}  // namespace exporters::redis
