#include "agent/scrape/target.h"

#include <gtest/gtest.h>

namespace scrape {
namespace {

using std::chrono::seconds;

JobOptions Job() {
  JobOptions job;
  job.name = "node";
  job.interval = seconds(15);
  job.timeout = seconds(10);
  return job;
}

relabel::Rule Rule(relabel::RuleSpec spec) { return *relabel::Rule::Make(std::move(spec)); }

Target Make(const JobOptions& job, const discovery::TargetGroup& group,
            const std::string& address) {
  auto made = MakeTarget(job, group, address);
  EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().message());
  EXPECT_TRUE(made->target.has_value());
  return *std::move(made->target);
}

TEST(Target, HasJobInstanceAndTheGroupsLabels) {
  const Target target =
      Make(Job(), {.labels = {{"env", "prod"}, {"__meta_x", "y"}}}, "localhost:9100");
  EXPECT_EQ(target.labels.ToString(), R"({env="prod", instance="localhost:9100", job="node"})");
  EXPECT_EQ(target.url, "http://localhost:9100/metrics");
  EXPECT_EQ(target.discovered_labels.ToString(),
            R"({__address__="localhost:9100", __meta_x="y", __metrics_path__="/metrics", )"
            R"(__scheme__="http", __scrape_interval__="15s", __scrape_timeout__="10s", )"
            R"(env="prod", job="node"})");
}

TEST(Target, LabelsOfTheGroupWinOverTheJob) {
  const Target target = Make(Job(),
                             {.labels = {{"job", "other"},
                                         {"instance", "db"},
                                         {"__scheme__", "https"},
                                         {"__metrics_path__", "/m x"},
                                         {"__scrape_interval__", "1m"}}},
                             "h:1");
  EXPECT_EQ(target.labels.ToString(), R"({instance="db", job="other"})");
  EXPECT_EQ(target.url, "https://h:1/m%20x");
  EXPECT_EQ(target.interval, seconds(60));
}

TEST(Target, ParametersAreSortedEncodedAndOverriddenByLabels) {
  JobOptions job = Job();
  job.params = {{"target", {"a b", "c"}}, {"module", {"m"}}};
  EXPECT_EQ(Make(job, {}, "h:1").url, "http://h:1/metrics?module=m&target=a%20b&target=c");
  EXPECT_EQ(Make(job, {.labels = {{"__param_target", "x&y"}, {"__param_new", "1"}}}, "h:1").url,
            "http://h:1/metrics?module=m&new=1&target=x%26y&target=c");
}

TEST(Target, RelabellingMayRedirectAProbe) {
  JobOptions job = Job();
  job.metrics_path = "/probe";
  job.relabel_rules = {
      Rule({.source_labels = {"__address__"}, .target_label = "__param_target"}),
      Rule({.source_labels = {"__param_target"}, .target_label = "instance"}),
      Rule({.target_label = "__address__", .replacement = "exporter:9187"}),
  };
  const Target target = Make(job, {}, "db1:5432");
  EXPECT_EQ(target.url, "http://exporter:9187/probe?target=db1%3A5432");
  EXPECT_EQ(target.labels.Get("instance"), "db1:5432");
}

TEST(Target, RelabellingMayDropIt) {
  JobOptions job = Job();
  job.relabel_rules = {
      Rule({.source_labels = {"env"}, .regex = "prod", .action = relabel::Action::kKeep})};
  const auto made = MakeTarget(job, {.labels = {{"env", "dev"}}}, "h:1");
  ASSERT_TRUE(made.ok());
  EXPECT_FALSE(made->target.has_value());
  EXPECT_EQ(made->discovered_labels.Get("env"), "dev");
}

TEST(Target, RefusesWhatCannotBeScraped) {
  const auto check = [](const model::Labels& labels, const std::string& address,
                        std::string_view why) {
    const auto made = MakeTarget(Job(), {.labels = labels}, address);
    ASSERT_FALSE(made.ok()) << why;
    EXPECT_NE(made.error().message().find(why), std::string::npos) << made.error().message();
  };
  check({}, "", "no __address__");
  check({}, "http://h:1/x", "must be host:port");
  check({}, "user@h:1", "must be host:port");
  check({{"__scheme__", "ftp"}}, "h:1", "must be http or https");
  check({{"__scrape_interval__", "soon"}}, "h:1", "__scrape_interval__");
  check({{"__scrape_interval__", "0"}}, "h:1", "longer than 0");
  check({{"__scrape_timeout__", "16s"}}, "h:1", "scrape timeout 16s is longer than interval 15s");
  check({{"x", "\xff"}}, "h:1", "not UTF-8");
}

TEST(Target, GlobalUrlNamesThisHost) {
  EXPECT_EQ(GlobalUrl("http://localhost:9100/metrics", "db7"), "http://db7:9100/metrics");
  EXPECT_EQ(GlobalUrl("https://127.0.0.1/metrics", "db7"), "https://db7/metrics");
  EXPECT_EQ(GlobalUrl("http://[::1]:1/", "db7"), "http://db7:1/");
  EXPECT_EQ(GlobalUrl("http://localhost.example:1/", "db7"), "http://localhost.example:1/");
  EXPECT_EQ(GlobalUrl("embedded:redis/localhost:6379", "db7"), "embedded:redis/localhost:6379");
}

}  // namespace
}  // namespace scrape
