// The API over a small store, answer by answer.
#include "agent/web/routes.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "agent/storage/head.h"
#include "agent/web/pages.h"
#include "lib/base/url.h"
#include "lib/exposition/gzip.h"

namespace web {
namespace {

constexpr int64_t kNowMs = 1'700'000'000'000;
// What a hostile target or rule file could call itself.
constexpr char kHostile[] = "\"><script>alert('x')</script>";

rules::RuleStatus FiringRule() {
  rules::RuleStatus rule{.name = "HighLoad",
                         .query = "load > 2",
                         .labels = {{"severity", "critical"}},
                         .health = rules::RuleHealth::kOk,
                         .evaluation_time = std::chrono::microseconds(1500),
                         .last_evaluation = base::FromMillis(kNowMs - 5000),
                         .state = rules::AlertState::kFiring,
                         .duration = std::chrono::minutes(5),
                         .annotations = {{"summary", "Load of {{ $labels.host }}"}}};
  rule.alerts.push_back({.labels = {{"alertname", "HighLoad"}, {"host", kHostile}},
                         .annotations = {{"summary", std::string("Load of ") + kHostile}},
                         .state = rules::AlertState::kFiring,
                         .active_at = base::FromMillis(kNowMs - 180'000),
                         .value = 3});
  return rule;
}

rules::RulesStatus MakeRules() {
  rules::RuleStatus recording{.type = rules::RuleType::kRecording,
                              .name = "job:up:sum",
                              .query = "sum by (job) (up)",
                              .health = rules::RuleHealth::kErr,
                              .last_error = "many-to-many",
                              .last_evaluation = base::FromMillis(kNowMs)};
  return {{.name = "first",
           .file = "a.yml",
           .interval = std::chrono::minutes(1),
           .last_evaluation = base::FromMillis(kNowMs),
           .rules = {FiringRule(), recording}},
          {.name = "second", .file = "b.yml", .interval = std::chrono::seconds(15)}};
}

scrape::TargetsStatus MakeTargets() {
  scrape::TargetsStatus status;
  status.active.push_back({.scrape_pool = "node",
                           .discovered_labels = {{"__address__", "a:9100"}},
                           .labels = {{"instance", "a:9100"}, {"job", "node"}},
                           .scrape_url = "http://a:9100/metrics",
                           .global_url = "http://a:9100/metrics",
                           .last_scrape = base::FromMillis(kNowMs - 12'000),
                           .last_scrape_duration = std::chrono::microseconds(2500),
                           .health = scrape::Health::kUp,
                           .scrape_interval = std::chrono::seconds(15),
                           .scrape_timeout = std::chrono::seconds(10)});
  status.active.push_back({.scrape_pool = "db",
                           .labels = {{"job", "db"}},
                           .scrape_url = "http://b:9187/metrics",
                           .last_error = std::string("connection refused ") + kHostile,
                           .last_scrape = base::FromMillis(kNowMs - 3000),
                           .health = scrape::Health::kDown,
                           .scrape_interval = std::chrono::minutes(1),
                           .scrape_timeout = std::chrono::seconds(10)});
  status.dropped.push_back({.scrape_pool = "node", .discovered_labels = {{"__address__", "c:1"}}});
  status.dropped_counts = {{"node", 1}};
  return status;
}

class RoutesTest : public testing::Test {
 protected:
  RoutesTest() : head_({}, clock_) {
    for (int i = 0; i <= 10; ++i) {
      Append({{"__name__", "up"}, {"job", "node"}}, i, 1);
      Append({{"__name__", "up"}, {"job", "db"}}, i, 0);
      Append({{"__name__", "temperature"}, {"room", "a"}}, i, 20.5 + i);
    }
    views_ = {
        .storage = &head_,
        .clock = &clock_,
        .targets = MakeTargets,
        .rules = MakeRules,
        .alertmanagers = [] { return Alertmanagers{.active = {"http://am:9093/api/v2/alerts"}}; },
        .metadata =
            [] {
              const auto make = [](scrape::Metadata metadata) {
                return std::make_shared<const scrape::Metadata>(std::move(metadata));
              };
              return std::vector<scrape::TargetMetadata>{
                  {"node",
                   {{"job", "node"}},
                   {make({"temperature", "gauge", "Degrees.", "celsius"}),
                    make({"up", "gauge", "Up.", ""})}},
                  {"db",
                   {{"job", "db"}},
                   {make({"up", "counter", "Other.", ""}), make({"up", "gauge", "Up.", ""})}}};
            },
        .store =
            [] { return StoreStats{.series = 3, .chunks = 3, .min_time_ms = 1, .max_time_ms = 2}; },
        .config =
            [] {
              return ConfigState{.yaml = "global: {}\n", .loaded_at = base::FromMillis(kNowMs)};
            },
        .metrics =
            [] {
              std::vector<model::MetricFamily> families(1);
              families[0].desc = &kDesc;
              families[0].Add(7);
              return families;
            },
        .notifier = [] { return std::shared_ptr<notify::Notifier>(); },
        .ready = [this] { return ready_; },
        .flags = {{"config.file", "prometheus.yml"}},
        .retention = "2d or 1GiB",
        .started_at = base::FromMillis(kNowMs - 60'000)};
  }

  // Samples every 15 s up to now.
  void Append(const model::Labels& labels, int step, double value) {
    const auto appender = head_.NewAppender();
    ASSERT_TRUE(appender->Append(labels, kNowMs - (10 - step) * 15'000, value).ok());
    ASSERT_TRUE(appender->Commit().ok());
  }

  http::Response Ask(const std::string& method, const std::string& target,
                     const std::vector<std::pair<std::string, std::string>>& headers = {},
                     const std::string& body = "") {
    const size_t question = target.find('?');
    http::Request request{
        .method = method, .path = target.substr(0, question), .headers = headers, .body = body};
    if (question != std::string::npos) {
      request.query = base::ParseQuery(target.substr(question + 1));
    }
    return MakeRoutes(views_).Handle(request);
  }
  std::string Get(const std::string& target) { return Ask("GET", target).body; }
  void ExpectError(const std::string& target, int status, const std::string& type) {
    const http::Response response = Ask("GET", target);
    EXPECT_EQ(response.status, status) << target << response.body;
    EXPECT_EQ(response.body.find(R"({"status":"error","errorType":")" + type + R"(","error":")"),
              0u)
        << target << response.body;
  }

  static constexpr model::MetricDesc kDesc{.name = "own_metric", .help = "Help."};
  base::FakeClock clock_{base::FromMillis(kNowMs)};
  storage::Head head_;
  Views views_;
  bool ready_ = true;
};

TEST_F(RoutesTest, AnswersInstantQueriesOfEveryType) {
  const auto check = [this](const std::string& query, const std::string& data) {
    EXPECT_EQ(Get("/api/v1/query?query=" + base::PercentEncode(query)),
              R"({"status":"success","data":)" + data + "}");
  };
  check("1", R"({"resultType":"scalar","result":[1700000000,"1"]})");
  check("\"text\"", R"({"resultType":"string","result":[1700000000,"text"]})");
  check("temperature",
        R"({"resultType":"vector","result":[{"metric":{"__name__":"temperature","room":"a"},)"
        R"("value":[1700000000,"30.5"]}]})");
  check("temperature[20s]",
        R"({"resultType":"matrix","result":[{"metric":{"__name__":"temperature","room":"a"},)"
        R"("values":[[1699999985,"29.5"],[1700000000,"30.5"]]}]})");
  check("absent_metric", R"({"resultType":"vector","result":[]})");
  check("0/0", R"({"resultType":"scalar","result":[1700000000,"NaN"]})");
}

TEST_F(RoutesTest, EvaluatesAtTheTimeThatIsAskedFor) {
  EXPECT_EQ(
      Get("/api/v1/query?query=time()&time=1699999985.5"),
      R"({"status":"success","data":{"resultType":"scalar","result":[1699999985.500,"1699999985.5"]}})");
  EXPECT_NE(Get("/api/v1/query?query=temperature&time=2023-11-14T22:13:05Z").find("\"29.5\""),
            std::string::npos);
}

TEST_F(RoutesTest, TakesAPostedFormLikeAQuery) {
  const auto response =
      Ask("POST", "/api/v1/query_range", {{"Content-Type", "application/x-www-form-urlencoded"}},
          "query=temperature&start=1699999970&end=1700000000&step=15");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body,
            R"({"status":"success","data":{"resultType":"matrix","result":[{"metric":)"
            R"({"__name__":"temperature","room":"a"},"values":[[1699999970,"28.5"],)"
            R"([1699999985,"29.5"],[1700000000,"30.5"]]}]}})");
}

TEST_F(RoutesTest, RefusesBadQueries) {
  ExpectError("/api/v1/query", 400, "bad_data");
  ExpectError("/api/v1/query?query=up%7B", 400, "bad_data");
  ExpectError("/api/v1/query?query=up&time=x", 400, "bad_data");
  ExpectError("/api/v1/query?query=up&timeout=x", 400, "bad_data");
  ExpectError("/api/v1/query?query=up&limit=x", 400, "bad_data");
  ExpectError("/api/v1/query?query=up&lookback_delta=0", 400, "bad_data");
  ExpectError("/api/v1/query?query=up%20%2B%20on()%20up", 422, "execution");
  const std::string range = "/api/v1/query_range?query=up&";
  ExpectError(range + "end=1&step=1", 400, "bad_data");
  ExpectError(range + "start=1&step=1", 400, "bad_data");
  ExpectError(range + "start=1&end=2", 400, "bad_data");
  ExpectError(range + "start=2&end=1&step=1", 400, "bad_data");
  ExpectError(range + "start=1&end=2&step=0", 400, "bad_data");
  ExpectError(range + "start=1&end=2&step=-1", 400, "bad_data");
  ExpectError(range + "start=0&end=11001&step=1", 400, "bad_data");
  ExpectError("/api/v1/query_range?query=up%5B1m%5D&start=0&end=1&step=1", 400, "bad_data");
  ExpectError("/api/v1/query_range?query=%22x%22&start=0&end=1&step=1", 400, "bad_data");
  ExpectError(range + "start=-292273086-05-16T16:47:06Z&end=1&step=1", 400, "bad_data");
  EXPECT_EQ(Ask("GET", range + "start=0&end=11000&step=1").status, 200);
}

TEST_F(RoutesTest, CutsResultsAtTheLimitAndSaysSo) {
  for (const char* target :
       {"/api/v1/query?query=up&limit=1", "/api/v1/labels?limit=1",
        "/api/v1/label/job/values?limit=1", "/api/v1/series?match[]=up&limit=1",
        "/api/v1/query_range?query=up&start=1700000000&end=1700000000&step=1&limit=1"}) {
    EXPECT_NE(Get(target).find(R"("warnings":["results truncated due to limit"])"),
              std::string::npos)
        << target;
  }
  EXPECT_EQ(Get("/api/v1/query?query=up&limit=2").find("warnings"), std::string::npos);
}

TEST_F(RoutesTest, ListsSeriesAndLabels) {
  const auto check = [this](const std::string& target, const std::string& data) {
    EXPECT_EQ(Get(target), R"({"status":"success","data":)" + data + "}") << target;
  };
  check("/api/v1/labels", R"(["__name__","job","room"])");
  check("/api/v1/labels?match[]=temperature", R"(["__name__","room"])");
  check("/api/v1/label/job/values", R"(["db","node"])");
  check("/api/v1/label/U__job/values", R"(["db","node"])");
  check("/api/v1/label/__name__/values?match[]=%7Bjob%3D%22db%22%7D&match[]=temperature",
        R"(["temperature","up"])");
  check("/api/v1/label/none/values", "[]");
  check("/api/v1/series?match[]=up%7Bjob%3D%22db%22%7D&match[]=up%7Bjob%3D~%22d.%22%7D",
        R"([{"__name__":"up","job":"db"}])");
  check("/api/v1/series?match[]=up&end=1", "[]");
  check("/api/v1/labels?start=-292273086-05-16T16:47:06Z&end=292277025-08-18T07:12:54.999999999Z",
        R"(["__name__","job","room"])");
  ExpectError("/api/v1/series", 400, "bad_data");
  ExpectError("/api/v1/series?match[]=1", 400, "bad_data");
  ExpectError("/api/v1/label/%FF/values?start=x", 400, "bad_data");
}

TEST_F(RoutesTest, ListsMetadata) {
  EXPECT_EQ(
      Get("/api/v1/metadata?limit=1"),
      R"({"status":"success","data":{"temperature":[{"type":"gauge","help":"Degrees.","unit":"celsius"}]}})");
  EXPECT_EQ(Get("/api/v1/metadata?metric=up&limit_per_metric=1"),
            R"({"status":"success","data":{"up":[{"type":"counter","help":"Other.","unit":""}]}})");
  EXPECT_EQ(Get("/api/v1/metadata?metric=up"),
            R"({"status":"success","data":{"up":[{"type":"counter","help":"Other.","unit":""},)"
            R"({"type":"gauge","help":"Up.","unit":""}]}})");
  EXPECT_EQ(Get("/api/v1/targets/metadata?match_target=%7Bjob=%22node%22%7D&limit=1"),
            R"({"status":"success","data":[{"target":{"job":"node"},"metric":"temperature",)"
            R"("type":"gauge","help":"Degrees.","unit":"celsius"}]})");
  EXPECT_EQ(Get("/api/v1/targets/metadata?metric=up&match_target=%7Bjob=%22node%22%7D"),
            R"({"status":"success","data":[{"target":{"job":"node"},)"
            R"("type":"gauge","help":"Up.","unit":""}]})");
  ExpectError("/api/v1/targets/metadata?match_target=x%7B", 400, "bad_data");
}

TEST_F(RoutesTest, DescribesTargets) {
  const std::string all = Get("/api/v1/targets");
  EXPECT_NE(
      all.find(
          R"({"discoveredLabels":{"__address__":"a:9100"},"labels":{"instance":"a:9100","job":"node"},)"
          R"("scrapePool":"node","scrapeUrl":"http://a:9100/metrics","globalUrl":"http://a:9100/metrics",)"
          R"("lastError":"","lastScrape":"2023-11-14T22:13:08Z","lastScrapeDuration":0.0025,)"
          R"("health":"up","scrapeInterval":"15s","scrapeTimeout":"10s"})"),
      std::string::npos)
      << all;
  EXPECT_NE(all.find(R"("droppedTargetCounts":{"node":1})"), std::string::npos);
  EXPECT_EQ(Get("/api/v1/targets?state=active").find(R"("c:1")"), std::string::npos);
  EXPECT_NE(Get("/api/v1/targets?state=dropped").find(R"("activeTargets":[])"), std::string::npos);
  EXPECT_EQ(Get("/api/v1/targets?scrapePool=node").find(R"("db")"), std::string::npos);
  EXPECT_EQ(Get("/api/v1/scrape_pools"),
            R"({"status":"success","data":{"scrapePools":["db","node"]}})");
}

TEST_F(RoutesTest, DescribesRulesAndAlerts) {
  const std::string all = Get("/api/v1/rules");
  EXPECT_NE(all.find(R"("name":"first","file":"a.yml")"), std::string::npos);
  EXPECT_NE(all.find(R"("type":"alerting","state":"firing","duration":300,"keepFiringFor":0)"),
            std::string::npos)
      << all;
  EXPECT_NE(all.find(R"("lastError":"many-to-many")"), std::string::npos);
  EXPECT_NE(
      all.find(
          R"("interval":60,"limit":0,"evaluationTime":0,"lastEvaluation":"2023-11-14T22:13:20Z")"),
      std::string::npos);
  const std::string alerts = Get("/api/v1/alerts");
  EXPECT_NE(alerts.find(R"("state":"firing","activeAt":"2023-11-14T22:10:20Z","value":"3e+00")"),
            std::string::npos)
      << alerts;
  EXPECT_EQ(
      Get("/api/v1/alertmanagers"),
      R"({"status":"success","data":{"activeAlertmanagers":[{"url":"http://am:9093/api/v2/alerts"}],)"
      R"("droppedAlertmanagers":[]}})");
}

TEST_F(RoutesTest, FiltersRules) {
  const auto names = [this](const std::string& query) {
    const std::string all = Get("/api/v1/rules?" + query);
    std::string found;
    for (const char* name : {"first", "second", "HighLoad", "job:up:sum"}) {
      found += all.find("\"name\":\"" + std::string(name) + "\"") == std::string::npos ? "-" : "+";
    }
    return found;
  };
  EXPECT_EQ(names(""), "++++");
  EXPECT_EQ(names("type=alert"), "+-+-");
  EXPECT_EQ(names("type=record"), "+--+");
  EXPECT_EQ(names("rule_name[]=HighLoad"), "+-+-");
  EXPECT_EQ(names("rule_group[]=second"), "-+--");
  EXPECT_EQ(names("file[]=a.yml"), "+-++");
  EXPECT_EQ(names("match[]=%7Bseverity%3D%22critical%22%7D"), "+-+-");
  EXPECT_EQ(Get("/api/v1/rules?exclude_alerts=true").find("\"alerts\""), std::string::npos);
  ExpectError("/api/v1/rules?type=none", 400, "bad_data");
  ExpectError("/api/v1/rules?exclude_alerts=perhaps", 400, "bad_data");
  ExpectError("/api/v1/rules?group_next_token=gone", 400, "bad_data");
}

TEST_F(RoutesTest, PagesThroughRuleGroups) {
  const std::string first = Get("/api/v1/rules?group_limit=1");
  const std::string key = "\"groupNextToken\":\"";
  const size_t at = first.find(key);
  ASSERT_NE(at, std::string::npos) << first;
  EXPECT_EQ(first.find("\"second\""), std::string::npos);
  const std::string token =
      first.substr(at + key.size(), first.find('"', at + key.size()) - at - key.size());
  const std::string next = Get("/api/v1/rules?group_limit=1&group_next_token=" + token);
  EXPECT_NE(next.find("\"second\""), std::string::npos);
  EXPECT_EQ(next.find("\"first\""), std::string::npos);
  EXPECT_EQ(next.find("groupNextToken"), std::string::npos);
}

TEST_F(RoutesTest, TellsItsStatus) {
  EXPECT_NE(Get("/api/v1/status/buildinfo").find(R"("version":"3.)"), std::string::npos);
  EXPECT_NE(Get("/api/v1/status/runtimeinfo").find(R"("startTime":"2023-11-14T22:12:20Z")"),
            std::string::npos);
  EXPECT_NE(Get("/api/v1/status/runtimeinfo").find(R"("storageRetention":"2d or 1GiB")"),
            std::string::npos);
  EXPECT_EQ(Get("/api/v1/status/flags"),
            R"({"status":"success","data":{"config.file":"prometheus.yml"}})");
  EXPECT_EQ(Get("/api/v1/status/config"), R"({"status":"success","data":{"yaml":"global: {}\n"}})");
  const std::string tsdb = Get("/api/v1/status/tsdb?limit=1");
  EXPECT_NE(
      tsdb.find(
          R"("headStats":{"numSeries":3,"numLabelPairs":5,"chunkCount":3,"minTime":1,"maxTime":2})"),
      std::string::npos)
      << tsdb;
  EXPECT_NE(tsdb.find(R"("seriesCountByMetricName":[{"name":"up","value":2}])"), std::string::npos);
  EXPECT_NE(tsdb.find(R"("labelValueCountByLabelName":[{"name":"__name__","value":2}])"),
            std::string::npos);
  ExpectError("/api/v1/status/tsdb?limit=x", 400, "bad_data");
}

TEST_F(RoutesTest, FormatsQueriesAndKnowsNoExemplars) {
  EXPECT_EQ(Get("/api/v1/format_query?query=sum(up)by(job)"),
            R"x({"status":"success","data":"sum by (job) (up)"})x");
  EXPECT_EQ(
      Get("/api/v1/format_query?query=sum(rate(a_metric_with_a_long_name%5B5m%5D))by(job)*on("
          "job)-rate(another_metric_with_a_long_name%7Bjob=%22x%22%7D%5B5m%5D)"),
      R"x({"status":"success","data":"  sum by (job) (rate(a_metric_with_a_long_name[5m]))\n)x"
      R"x(* on (job)\n  -rate(another_metric_with_a_long_name{job=\"x\"}[5m])"})x");
  EXPECT_EQ(Get("/api/v1/query_exemplars?query=up&start=1&end=2"),
            R"({"status":"success","data":[]})");
  ExpectError("/api/v1/format_query?query=(", 400, "bad_data");
  ExpectError("/api/v1/query_exemplars?query=(", 400, "bad_data");
}

TEST_F(RoutesTest, ShowsTheTreeOfAQuery) {
  EXPECT_EQ(Get("/api/v1/parse_query?query=1%2B2"),
            R"({"status":"success","data":{"type":"binaryExpr","op":"+",)"
            R"("lhs":{"type":"numberLiteral","val":"1"},"rhs":{"type":"numberLiteral","val":"2"},)"
            R"("matching":null,"bool":false}})");
  EXPECT_EQ(Get("/api/v1/parse_query?query=rate(up%7Bjob=%22a%22%7D%5B1m%5D%20offset%202m)"),
            R"({"status":"success","data":{"type":"call","func":{"name":"rate",)"
            R"("argTypes":["matrix"],"variadic":0,"returnType":"vector"},"args":[)"
            R"({"type":"matrixSelector","range":60000,"name":"up","matchers":[)"
            R"({"name":"job","value":"a","type":"="},{"name":"__name__","value":"up","type":"="}],)"
            R"("offset":120000,"timestamp":null,"startOrEnd":null}]}})");
  EXPECT_EQ(Get("/api/v1/parse_query?query=topk%20by(a)(1,up)"),
            R"({"status":"success","data":{"type":"aggregation","op":"topk",)"
            R"("expr":{"type":"vectorSelector","name":"up","matchers":[)"
            R"({"name":"__name__","value":"up","type":"="}],)"
            R"("offset":0,"timestamp":null,"startOrEnd":null},)"
            R"("param":{"type":"numberLiteral","val":"1"},"grouping":["a"],"without":false}})");
  ExpectError("/api/v1/parse_query?query=(", 400, "bad_data");
}

TEST_F(RoutesTest, FederatesTheLatestSamples) {
  views_.external_labels = [] { return model::Labels{{"region", "x\"y"}, {"job", "never"}}; };
  EXPECT_EQ(
      Get("/federate?match%5B%5D=up&match%5B%5D=%7Broom=%22a%22%7D"),
      "# TYPE temperature untyped\n"
      "temperature{job=\"never\",region=\"x\\\"y\",room=\"a\",instance=\"\"} 30.5 1700000000000\n"
      "# TYPE up untyped\n"
      "up{job=\"db\",region=\"x\\\"y\",instance=\"\"} 0 1700000000000\n"
      "up{job=\"node\",region=\"x\\\"y\",instance=\"\"} 1 1700000000000\n");
  EXPECT_EQ(Get("/federate"), "");
  EXPECT_EQ(Ask("GET", "/federate?match%5B%5D=up%7B").status, 400);
}

TEST_F(RoutesTest, IsHealthyAndReadyAndReloads) {
  EXPECT_EQ(Ask("GET", "/-/healthy").status, 200);
  EXPECT_EQ(Ask("GET", "/-/ready").status, 200);
  ready_ = false;
  EXPECT_EQ(Ask("GET", "/-/ready").status, 503);
  EXPECT_EQ(Ask("POST", "/-/reload").status, 403);
  EXPECT_EQ(Ask("GET", "/-/reload").status, 405);
  views_.reload = [] { return base::Result<void>(); };
  EXPECT_EQ(Ask("POST", "/-/reload").status, 200);
  views_.reload = [] { return base::Result<void>(base::Error("a.yml:3: bad")); };
  const http::Response failed = Ask("POST", "/-/reload");
  EXPECT_EQ(failed.status, 500);
  EXPECT_EQ(failed.body, "a.yml:3: bad\n");
}

TEST_F(RoutesTest, ExposesItsOwnMetrics) {
  const http::Response response = Ask("GET", "/metrics");
  EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_NE(response.body.find("own_metric 7\n"), std::string::npos);
  const http::Response open = Ask("GET", "/metrics", {{"Accept", "application/openmetrics-text"}});
  EXPECT_NE(open.body.find("# EOF\n"), std::string::npos);
}

TEST_F(RoutesTest, AllowsOtherOriginsAndCompresses) {
  const auto header = [](const http::Response& response, const std::string& name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) {
        return value;
      }
    }
    return std::string();
  };
  EXPECT_EQ(header(Ask("GET", "/api/v1/labels"), "Access-Control-Allow-Origin"), "");
  const auto crossed = Ask("GET", "/api/v1/labels", {{"Origin", "http://grafana"}});
  EXPECT_EQ(header(crossed, "Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(Ask("OPTIONS", "/api/v1/query", {{"Origin", "http://grafana"}}).status, 204);
  const std::string target = "/api/v1/query_range?query=up&start=1699999900&end=1700000000&step=1";
  const auto packed = Ask("GET", target, {{"Accept-Encoding", "gzip"}});
  EXPECT_EQ(header(packed, "Content-Encoding"), "gzip");
  EXPECT_EQ(exposition::Gunzip(packed.body, 1 << 20).value_or(""), Get(target));
}

TEST_F(RoutesTest, ShowsWhatIsWrongFirst) {
  const std::string page = Get("/");
  EXPECT_NE(page.find("<h1>1 alert is firing</h1>"), std::string::npos) << page;
  EXPECT_NE(page.find("<b>1 / 2</b>targets up"), std::string::npos);
  EXPECT_LT(page.find("<h2>Firing (1)</h2>"), page.find("<h2>Targets down (1)</h2>"));
  EXPECT_NE(page.find("firing, started 3 min ago"), std::string::npos);
  EXPECT_NE(Get("/alerts").find("HighLoad"), std::string::npos);
  EXPECT_NE(Get("/rules").find("<p class=\"error\">many-to-many</p>"), std::string::npos);
  const std::string targets = Get("/targets");
  EXPECT_NE(targets.find("scraped 12 s ago, took 2.5 ms"), std::string::npos) << targets;
  EXPECT_NE(targets.find("1 more were dropped"), std::string::npos);
  views_.rules = [] { return rules::RulesStatus(); };
  EXPECT_NE(Get("/").find("<h1>Nothing is firing</h1>"), std::string::npos);
}

TEST_F(RoutesTest, EscapesEverythingItShows) {
  for (const char* path : {"/", "/alerts", "/targets", "/rules"}) {
    const http::Response page = Ask("GET", path);
    EXPECT_EQ(page.status, 200);
    EXPECT_EQ(page.body.find("<script"), std::string::npos) << path;
  }
  EXPECT_NE(Get("/alerts").find("&lt;script&gt;"), std::string::npos);
}

TEST_F(RoutesTest, ListsOnlySoManyEntries) {
  views_.rules = [] {
    rules::RuleStatus rule = FiringRule();
    rule.alerts.resize(kMaxListed + 3, rule.alerts.front());
    return rules::RulesStatus{{.name = "g", .file = "f", .rules = {rule}}};
  };
  EXPECT_NE(Get("/alerts").find("… and 3 more"), std::string::npos);
}

TEST_F(RoutesTest, KnowsNothingElse) {
  for (const char* path : {"/api", "/api/v1/", "/api/v1/nothing", "/graph/../api", "/index.html"}) {
    EXPECT_EQ(Ask("GET", path).status, 404) << path;
  }
  EXPECT_EQ(Ask("DELETE", "/api/v1/query").status, 405);
}

}  // namespace
}  // namespace web
