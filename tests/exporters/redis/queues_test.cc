#include "exporters/redis/queues.h"

#include <chrono>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "exporters/redis/cluster_nodes.h"
#include "exporters/redis/key_selector.h"
#include "exporters/redis/lua_pattern.h"
#include "exporters/redis/walker.h"

namespace exporters::redis {
namespace {

using std::chrono::seconds;

Reply Integer(int64_t value) { return {.type = Reply::Type::kInteger, .integer = value}; }
Reply Text(std::string text) { return {.type = Reply::Type::kString, .text = std::move(text)}; }
Reply Array(std::vector<std::string> texts) {
  Reply reply{.type = Reply::Type::kArray};
  for (std::string& text : texts) {
    reply.elements.push_back(Text(std::move(text)));
  }
  return reply;
}

// Answers by the command's words; nil for what it does not know.
class FakeAsker final : public Asker {
 public:
  explicit FakeAsker(std::map<std::string, Reply> replies) : replies_(std::move(replies)) {}

  base::Result<std::vector<Reply>> Ask(std::string_view, std::span<const Command> commands,
                                       base::MonotonicTime) override {
    std::vector<Reply> answers;
    for (const Command& command : commands) {
      std::string words;
      for (const std::string& word : command.words) {
        words += (words.empty() ? "" : " ") + word;
      }
      asked.push_back(words);
      const auto found = replies_.find(words);
      answers.push_back(found == replies_.end() ? Reply{} : found->second);
    }
    return answers;
  }

  std::vector<std::string> asked;

 private:
  std::map<std::string, Reply> replies_;
};

constexpr double kNow = 1'800'000'000;

std::map<std::string, QueueFact> Fetch(FakeAsker& asker, std::string_view queues) {
  const auto selectors = ParseQueueSelectors(queues);
  EXPECT_TRUE(selectors.ok());
  const auto facts = FetchQueues(asker, QueueSet(selectors->begin(), selectors->end()), kNow, {});
  EXPECT_TRUE(facts.ok());
  std::map<std::string, QueueFact> by_label;
  for (const QueueFact& fact : *facts) {
    by_label.insert_or_assign(fact.label, fact);
  }
  return by_label;
}

TEST(Queues, OfLaravelHaveDelayedReservedAndAge) {
  FakeAsker asker({{"LLEN app_database_queues:mail", Integer(3)},
                   {"ZCARD app_database_queues:mail:delayed", Integer(2)},
                   {"ZCARD app_database_queues:mail:reserved", Integer(4)},
                   {"ZCOUNT app_database_queues:mail:delayed -inf 1799999940.000000", Integer(1)},
                   {"ZCOUNT app_database_queues:mail:reserved -inf 1800000000.000000", Integer(2)},
                   {"LINDEX app_database_queues:mail 0",
                    Text(R"({"uuid":"x","data":{"createdAt":1},"createdAt":1799999900})")}});
  const QueueFact fact = Fetch(asker, "laravel:app_database_queues:mail").at("mail");
  EXPECT_EQ(fact.depth, 3);
  EXPECT_EQ(fact.delayed, 2);
  EXPECT_EQ(fact.running, 4);
  EXPECT_EQ(fact.overdue, 1);
  EXPECT_EQ(fact.expired, 2);
  EXPECT_EQ(fact.oldest_age, 100);
  EXPECT_EQ(fact.failed, std::nullopt) << "Laravel keeps failed jobs in SQL";
}

TEST(Queues, OfSidekiqAreNamedByItsRegistry) {
  FakeAsker asker({{"SRANDMEMBER queues 500", Array({"default", "low"})},
                   {"LLEN queue:default", Integer(7)},
                   {"LLEN queue:low", Integer(0)},
                   {"LINDEX queue:default -1", Text(R"({"enqueued_at":1799999990000})")},
                   {"SISMEMBER paused low", Integer(1)},
                   {"ZCARD schedule", Integer(5)},
                   {"ZCARD retry", Integer(6)},
                   {"ZCARD dead", Integer(8)},
                   {"GET stat:processed", Text("100")},
                   {"SRANDMEMBER processes 200", Array({"host:1", "host:2"})},
                   {"HMGET host:1 busy concurrency", Array({"2", "5"})},
                   {"HMGET host:2 busy concurrency", Array({"1", "5"})}});
  const auto facts = Fetch(asker, "sidekiq");
  EXPECT_EQ(facts.at("default").depth, 7);
  EXPECT_EQ(facts.at("default").oldest_age, 10);
  EXPECT_EQ(facts.at("low").depth, 0);
  EXPECT_EQ(facts.at("low").oldest_age, std::nullopt);
  EXPECT_EQ(facts.at("low").paused, 1);
  EXPECT_EQ(facts.at("").delayed, 5);
  EXPECT_EQ(facts.at("").retrying, 6);
  EXPECT_EQ(facts.at("").failed, 8);
  EXPECT_EQ(facts.at("").processed, 100);
  EXPECT_EQ(facts.at("").failures, 0) << "a counter that has not begun is 0";
  EXPECT_EQ(facts.at("").workers, 10);
  EXPECT_EQ(facts.at("").busy_workers, 3);
}

TEST(Queues, OfBullmqLookUpTheirOldestJobs) {
  FakeAsker asker({{"LLEN bull:mail:wait", Integer(3)},
                   {"LLEN bull:mail:paused", Integer(0)},
                   {"ZCARD bull:mail:prioritized", Integer(2)},
                   {"LLEN bull:mail:active", Integer(1)},
                   {"GET bull:mail:id", Text("42")},
                   {"HEXISTS bull:mail:meta paused", Integer(0)},
                   {"LRANGE bull:mail:wait -2 -1", Array({"40", "0:0"})},
                   {"LRANGE bull:mail:active -1 -1", Array({"39"})},
                   {"HGET bull:mail:40 timestamp", Text("1799999970000")},
                   {"HGET bull:mail:39 processedOn", Text("1799999000000")},
                   {"EXISTS bull:mail:39:lock", Integer(0)}});
  const QueueFact fact = Fetch(asker, "bullmq:bull:mail").at("mail");
  EXPECT_EQ(fact.depth, 4) << "the marker of old versions is no job";
  EXPECT_EQ(fact.running, 1);
  EXPECT_EQ(fact.added, 42);
  EXPECT_EQ(fact.paused, 0);
  EXPECT_EQ(fact.oldest_age, 30);
  EXPECT_EQ(fact.oldest_running_age, 1000);
  EXPECT_EQ(fact.expired, 1);
}

TEST(Queues, OfRqCeleryAndHorizon) {
  FakeAsker asker({{"SRANDMEMBER rq:queues 500", Array({"rq:queue:high"})},
                   {"LLEN rq:queue:high", Integer(1)},
                   {"SCARD rq:workers:high", Integer(2)},
                   {"LRANGE rq:queue:high 0 0", Array({"j1"})},
                   {"HGET rq:job:j1 enqueued_at", Text("2027-01-15T07:59:20.000000Z")},
                   {"LLEN celery", Integer(1)},
                   {"LLEN celery\x06\x16"
                    "6",
                    Integer(2)},
                   {"HLEN unacked", Integer(5)},
                   {"ZRANGE unacked_index 0 0 WITHSCORES", Array({"tag", "1799999500.5"})},
                   {"SRANDMEMBER app_horizon:measured_queues 500", Array({"default"})},
                   {"ZCARD app_horizon:failed_jobs", Integer(9)},
                   {"HGET app_horizon:queue:default throughput", Text("12")}});
  const auto rq = Fetch(asker, "rq").at("high");
  EXPECT_EQ(rq.depth, 1);
  EXPECT_EQ(rq.workers, 2);
  EXPECT_EQ(rq.oldest_age, 40);
  const auto celery = Fetch(asker, "celery:celery");
  EXPECT_EQ(celery.at("celery").depth, 3);
  EXPECT_EQ(celery.at("").running, 5);
  EXPECT_EQ(celery.at("").oldest_running_age, 499.5);
  const auto horizon = Fetch(asker, "horizon:app_horizon:");
  EXPECT_EQ(horizon.at("").failed, 9);
  EXPECT_EQ(horizon.at("default").processed, 12);
}

TEST(Queues, AskNothingWhoseCostGrows) {
  FakeAsker asker({{"SRANDMEMBER queues 500", Array({"a"})},
                   {"SRANDMEMBER rq:queues 500", Array({"rq:queue:b"})}});
  Fetch(asker, "sidekiq,rq,laravel:queues:c,bullmq:bull:d,celery:e,horizon:f:");
  for (const std::string& command : asker.asked) {
    for (const char* dear : {"KEYS", "SMEMBERS", "HGETALL", "SCAN", "0 -1", "SORT"}) {
      EXPECT_EQ(command.find(dear), std::string::npos) << command;
    }
  }
}

TEST(QueueNames, AreToldFromKeys) {
  const auto check = [](std::vector<std::string> keys, const std::string& expected) {
    QueueNames names;
    for (const std::string& key : keys) {
      names.AddKey(2, key);
    }
    std::string found;
    for (const QueueSelector& queue : names.queues()) {
      found += (found.empty() ? "" : " ") + queue.system + "=" + queue.name;
    }
    EXPECT_EQ(found, expected) << keys[0];
  };
  check({"queues", "queue:default"}, "sidekiq=");
  check({"rq:queues", "rq:queue:x"}, "rq=");
  check({"queues:default"}, "laravel=queues:default");
  check({"app-database-queues:mail:delayed", "app-database-queues:mail"},
        "laravel=app-database-queues:mail");
  check({"app_horizon:measured_queues"}, "horizon=app_horizon:");
  check({"bull:mail:meta", "bull:mail:12"}, "bullmq=bull:mail");
  check({"jobs:mail:meta"}, "");
  check({"jobs:mail:meta", "jobs:mail:events"}, "bullmq=jobs:mail");
  check({"_kombu.binding.celery", "_kombu.binding.celeryev", "_kombu.binding.celery.pidbox"},
        "celery=celery");
  check({"user:1", "myqueues:x", "queues:", "a:meta", ""}, "");
}

TEST(QueueNames, AreBounded) {
  QueueNames names;
  for (size_t i = 0; i < 2 * kMaxQueues; ++i) {
    names.AddKey(0, "bull:" + std::to_string(i) + ":meta");
  }
  EXPECT_EQ(names.queues().size(), kMaxQueues);
}

TEST(QueueMemory, KeepsQueuesForADayAndEstimatesWhenTheyAreEmpty) {
  QueueMemory memory;
  const QueueSelector queue{.db = 0, .system = "laravel", .name = "queues:a"};
  const base::MonotonicTime start{};
  EXPECT_EQ(memory.Remember({queue}, start).size(), 1U);
  EXPECT_EQ(memory.Remember({}, start + std::chrono::hours(23)).size(), 1U);
  EXPECT_EQ(memory.Remember({}, start + std::chrono::hours(25)).size(), 0U);

  EXPECT_EQ(memory.DrainSeconds(queue, 100, start), std::nullopt);
  EXPECT_EQ(memory.DrainSeconds(queue, 100, start + seconds(60)),
            std::numeric_limits<double>::infinity());
  EXPECT_EQ(memory.DrainSeconds(queue, 40, start + seconds(60)), 40);
  EXPECT_EQ(memory.DrainSeconds(queue, 0, start + seconds(90)), 0);
}

TEST(JsonNumber, IsOfTheTopLevelOnly) {
  const auto check = [](std::string_view json, std::optional<double> expected) {
    EXPECT_EQ(JsonNumber(json, "t"), expected) << json;
  };
  check(R"({"t":1})", 1);
  check(R"({ "a" : [ {"t":2} ], "t" : 1.5e3 })", 1500);
  check(R"({"a":"{\"t\":2}","t":"7"})", 7);
  check(R"({"a":{"t":2}})", std::nullopt);
  check(R"({"t":null})", std::nullopt);
  check(R"({"t":)", std::nullopt);
  check(R"(["t",1])", std::nullopt);
  check(R"({"a":"t)", std::nullopt);
  check("", std::nullopt);
  check("}}}{\"t\":1", std::nullopt);
  check(std::string(1000, '['), std::nullopt);
}

TEST(IsoTime, IsReadAsUtc) {
  const auto check = [](std::string_view text, std::optional<double> expected) {
    EXPECT_EQ(ParseIsoTime(text), expected) << text;
  };
  check("1970-01-02T00:00:01Z", 86401);
  check("2027-01-15T08:00:00.500000Z", 1800000000.5);
  check("2027-01-15 08:00:00", 1800000000);
  check("2027-01-15T08:00:00+00:00", 1800000000);
  check("2027-01-15T08:00:00+02:00", std::nullopt);
  check("2027-13-15T08:00:00Z", std::nullopt);
  check("2027-02-30T08:00:00Z", std::nullopt);
  check("2027-01-15T25:00:00Z", std::nullopt);
  check("x027-01-15T08:00:00Z", std::nullopt);
  check("2027-01-15", std::nullopt);
  check("", std::nullopt);
}

TEST(KeySelectors, NameDatabasesAndKeys) {
  const auto selectors = ParseKeySelectors("db3=sess:*, plain ,4=x%2Cy,");
  ASSERT_TRUE(selectors.ok());
  EXPECT_EQ(*selectors, (std::vector<KeySelector>{{3, "sess:*"}, {0, "plain"}, {4, "x,y"}}));
  for (const char* bad : {"dbx=a", "=a", "db1=", "db-1=a", "a%zz"}) {
    EXPECT_FALSE(ParseKeySelectors(bad).ok()) << bad;
  }
  EXPECT_FALSE(ParseKeySelectors(std::string(2 * kMaxSelectors, 'a').insert(1, ",")).ok() &&
               ParseKeySelectors([] {
                 std::string many;
                 for (size_t i = 0; i <= kMaxSelectors; ++i) {
                   many += "a,";
                 }
                 return many;
               }())
                   .ok());
  for (const char* bad : {"resque", "bullmq", "laravel", "sidekiq:a,nope:b"}) {
    EXPECT_FALSE(ParseQueueSelectors(bad).ok()) << bad;
  }
}

TEST(Glob, MatchesAsRedisDoes) {
  const auto check = [](std::string_view pattern, std::string_view text, bool expected) {
    EXPECT_EQ(GlobMatches(pattern, text), expected) << pattern << " " << text;
  };
  check("*", "", true);
  check("", "", true);
  check("", "a", false);
  check("user:*", "user:1", true);
  check("user:*", "users", false);
  check("*:*:x", "a:b:x", true);
  check("h?llo", "hello", true);
  check("h[ae]llo", "hallo", true);
  check("h[^e]llo", "hello", false);
  check("h[a-c]llo", "hbllo", true);
  check("h[c-a]llo", "hbllo", true);
  check("a\\*b", "a*b", true);
  check("a\\*b", "axb", false);
  check("[", "[", false);
  check("[a", "a", true);
  check("a\\", "a\\", true);
  check("a**b***", "a--b", true);
  // Exponential in a careless matcher.
  check(std::string(50, '*').append("b"), std::string(5000, 'a'), false);
  check("*a*a*a*a*a*a*a*a*a*b", std::string(5000, 'a'), false);
}

TEST(LuaPattern, GroupsByWhatItCaptures) {
  const auto check = [](std::string_view pattern, std::string_view key,
                        const std::optional<std::string>& expected) {
    const auto parsed = LuaPattern::Parse(pattern);
    ASSERT_TRUE(parsed.ok()) << pattern;
    EXPECT_EQ(parsed->Group(key), expected) << pattern << " " << key;
  };
  check("^(user):%d+:(name)$", "user:12:name", "username");
  check("^(.*)_[^_]+$", "a_b_c", "a_b");
  check("^(.-)_", "a_b_c", "a");
  check("(%a+)[0-9]", "x-ab7", "ab");
  check("sess", "my sess key", "sess");
  check("%b()", "f(a(b)c)d", "(a(b)c)");
  check("^%u%l*$", "Hello", "Hello");
  check("[%w_]+", "-a_1-", "a_1");
  check("[^%d]", "12x", "x");
  check("[]x]", "]", "]");
  check("a?b", "b", "b");
  check("()a", "ba", "");
  check("x", "abc", std::nullopt);
  check("a$", "ab", std::nullopt);
  check("^b", "ab", std::nullopt);
  // Exponential: given up, not waited for.
  check(".-.-.-.-.-.-.-.-.-.-b$", std::string(400, 'a'), std::nullopt);
  for (const char* bad : {"", "(", ")", "a)(", "[a", "%", "%1", "%f[a]", "%b(", "[%"}) {
    EXPECT_FALSE(LuaPattern::Parse(bad).ok()) << bad;
  }
  EXPECT_FALSE(LuaPattern::Parse(std::string(2000, 'a')).ok());
  EXPECT_TRUE(LuaPattern::Parse(std::string(kMaxPatternBytes, 'a')).ok());
}

TEST(ClusterNodes, AreThoseThatCanBeTalkedTo) {
  const auto nodes = ParseClusterNodes(
      "a 10.0.0.1:6379@16379,db1.example myself,master - 0 0 1 connected 0-100\n"
      "b 10.0.0.2:6379@16379 slave a 0 0 1 connected\r\n"
      "c 10.0.0.3:6379@16379 master,fail - 0 0 1 disconnected\n"
      "d :0@0 master,noaddr - 0 0 1 disconnected\n"
      "e 10.0.0.5:6379 handshake - 0 0 1 connected\n"
      "f 10.0.0.6:6379@16379,,shard-id=x master,fail? - 0 0 1 connected\n"
      "g fe80::1:6379@16379 master - 0 0 1 connected\n"
      "garbage\n\n");
  ASSERT_EQ(nodes.size(), 4U);
  EXPECT_EQ(nodes[0].endpoint.ToString(), "10.0.0.1:6379");
  EXPECT_EQ(nodes[0].hostname, "db1.example");
  EXPECT_TRUE(nodes[0].master);
  EXPECT_FALSE(nodes[1].master);
  EXPECT_EQ(nodes[2].endpoint.host, "10.0.0.6");
  EXPECT_EQ(nodes[3].endpoint.host, "fe80::1");
}

TEST(KeyGroups, BeyondTheBiggestOverflow) {
  const DatabaseGroups kept =
      KeepBiggestGroups({{"a", {1, 10}}, {"b", {2, 30}}, {"c", {3, 20}}, {"d", {4, 5}}}, 2);
  EXPECT_EQ(kept.distinct, 4U);
  ASSERT_EQ(kept.groups.size(), 3U);
  EXPECT_EQ(kept.groups.at("b").keys, 2U);
  EXPECT_EQ(kept.groups.at("overflow").keys, 5U);
  EXPECT_EQ(kept.groups.at("overflow").memory_bytes, 15);
}

}  // namespace
}  // namespace exporters::redis
