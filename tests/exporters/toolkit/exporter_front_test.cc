#include "exporters/toolkit/exporter_front.h"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporters/toolkit/landing_page.h"
#include "exporters/toolkit/metrics_page.h"
#include "lib/exposition/gzip.h"

namespace exporters {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

constexpr model::MetricDesc kUp{.name = "test_up", .help = "Up."};
constexpr model::MetricDesc kOpenFds{.name = "process_open_fds", .help = "Of the server."};
constexpr model::MetricDesc kLong{.name = "test_long", .help = "Long.", .labels = {"n"}};

class FakeExporter final : public Exporter {
 public:
  base::Result<std::vector<model::MetricFamily>> Collect(const ScrapeRequest& request) override {
    last_request = request;
    if (error) {
      return *error;
    }
    std::vector<model::MetricFamily> families;
    families.push_back({.desc = &kOpenFds});
    families.back().Add(12345);
    families.push_back({.desc = &kLong});
    for (int i = 0; i < 200; ++i) {
      families.back().Add(i, {std::to_string(i)});
    }
    families.push_back({.desc = &kUp});
    families.back().Add(1);
    return families;
  }

  ScrapeRequest last_request;
  std::optional<base::Error> error;
};

http::Request Get(std::string path) {
  return {.method = "GET", .path = std::move(path), .remote_address = "192.0.2.7:4711"};
}

class ExporterFrontTest : public testing::Test {
 protected:
  static FrontOptions Options() {
    return {.name = "tarsier-test",
            .description = "Tests <everything>.",
            .build_info = {{"version", "1.2"}, {"goversion", ""}},
            .build_info_name = "test_exporter_build_info"};
  }

  FakeExporter exporter_;
  const std::vector<Route> routes_ = {
      {.path = "/probe",
       .description = "Many servers.",
       .handler = [](const http::Request& request) {
         return http::Response{.body = "probed " +
                                       std::string(request.Query("target").value_or("nothing"))};
       }}};
  ExporterFront front_{Options(), exporter_, routes_};
};

TEST_F(ExporterFrontTest, MetricsPageHasTheExportersFamiliesAndItsOwnSorted) {
  const http::Response response = front_.Handle(Get("/metrics"));
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.content_type, HasSubstr("version=0.0.4"));
  EXPECT_THAT(response.body,
              AllOf(HasSubstr("test_up 1\n"),
                    HasSubstr("test_exporter_build_info{version=\"1.2\",goversion=\"\"} 1\n"),
                    HasSubstr("promhttp_metric_handler_requests_total{code=\"200\"} 0\n"),
                    HasSubstr("promhttp_metric_handler_requests_in_flight 1\n"),
                    HasSubstr("tarsier_exporter_scrape_duration_seconds_count 0\n"),
                    HasSubstr("process_resident_memory_bytes ")));
  std::vector<std::string> names;
  for (size_t at = response.body.find("# TYPE "); at != std::string::npos;
       at = response.body.find("# TYPE ", at + 1)) {
    names.push_back(response.body.substr(at + 7, response.body.find(' ', at + 7) - at - 7));
  }
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end())) << testing::PrintToString(names);
}

TEST_F(ExporterFrontTest, FamilyOfTheExporterWinsOverItsOwn) {
  const std::string page = front_.Handle(Get("/metrics")).body;
  EXPECT_THAT(page, HasSubstr("process_open_fds 12345\n"));
  EXPECT_EQ(page.find("# TYPE process_open_fds"), page.rfind("# TYPE process_open_fds"));
}

TEST_F(ExporterFrontTest, RequestsAreCountedByCode) {
  front_.Handle(Get("/metrics"));
  exporter_.error = base::Error("missing collector: x", base::ErrorKind::kInvalidArgument);
  const http::Response bad = front_.Handle(Get("/metrics"));
  EXPECT_EQ(bad.status, 400);
  EXPECT_EQ(bad.body, "missing collector: x\n");
  exporter_.error.reset();
  EXPECT_THAT(front_.Handle(Get("/metrics")).body,
              AllOf(HasSubstr("promhttp_metric_handler_requests_total{code=\"200\"} 1\n"),
                    HasSubstr("promhttp_metric_handler_requests_total{code=\"400\"} 1\n"),
                    HasSubstr("promhttp_metric_handler_requests_total{code=\"503\"} 0\n")));
}

TEST_F(ExporterFrontTest, OwnMetricsCanBeLeftOutButNotBuildInfo) {
  FrontOptions options = Options();
  options.exporter_metrics = false;
  ExporterFront front(options, exporter_, routes_);
  EXPECT_THAT(front.Handle(Get("/metrics")).body,
              AllOf(HasSubstr("test_exporter_build_info"), Not(HasSubstr("promhttp_")),
                    Not(HasSubstr("process_resident"))));
}

TEST_F(ExporterFrontTest, AcceptChoosesOpenMetrics) {
  http::Request request = Get("/metrics");
  request.headers = {{"Accept", "application/openmetrics-text;version=1.0.0"}};
  const http::Response response = front_.Handle(request);
  EXPECT_THAT(response.content_type, HasSubstr("application/openmetrics-text"));
  EXPECT_THAT(response.body, testing::EndsWith("# EOF\n"));
}

TEST_F(ExporterFrontTest, GzipIsForClientsThatTakeItOverARealNetwork) {
  http::Request request = Get("/metrics");
  EXPECT_THAT(front_.Handle(request).headers, Not(Contains(Pair("Content-Encoding", "gzip"))));
  request.headers = {{"Accept-Encoding", "gzip"}};
  const http::Response response = front_.Handle(request);
  EXPECT_THAT(response.headers, Contains(Pair("Content-Encoding", "gzip")));
  const auto plain = exposition::Gunzip(response.body, 1 << 20);
  ASSERT_TRUE(plain.ok());
  EXPECT_THAT(*plain, HasSubstr("test_up 1\n"));
  request.remote_address = "127.0.0.1:4711";
  EXPECT_THAT(front_.Handle(request).headers, Not(Contains(Pair("Content-Encoding", "gzip"))));
}

TEST_F(ExporterFrontTest, FiltersReachTheExporter) {
  http::Request request = Get("/metrics");
  request.query = {{"collect[]", "cpu"}, {"collect[]", "meminfo"}, {"exclude[]", "x"}};
  front_.Handle(request);
  EXPECT_THAT(exporter_.last_request.collect, ElementsAre("cpu", "meminfo"));
  EXPECT_THAT(exporter_.last_request.exclude, ElementsAre("x"));
}

TEST_F(ExporterFrontTest, LandingPageLinksEverythingAndEscapes) {
  const http::Response response = front_.Handle(Get("/"));
  EXPECT_THAT(response.content_type, HasSubstr("text/html"));
  EXPECT_THAT(response.body,
              AllOf(HasSubstr("<h1>tarsier-test</h1>"), HasSubstr("Tests &lt;everything&gt;."),
                    HasSubstr("<a href=\"/metrics\">"), HasSubstr("<a href=\"/probe\">"),
                    HasSubstr("Version 0.")));
}

TEST_F(ExporterFrontTest, OtherPagesAnswerAsExpected) {
  const auto check = [this](std::string method, std::string path, int status) {
    http::Request request = Get(path);
    request.method = std::move(method);
    EXPECT_EQ(front_.Handle(request).status, status) << request.method << ' ' << path;
  };
  check("GET", "/-/healthy", 200);
  check("HEAD", "/-/healthy", 200);
  check("GET", "/health", 200);
  check("GET", "/nope", 404);
  check("GET", "/metrics/", 404);
  check("POST", "/metrics", 405);
  check("DELETE", "/", 405);
}

TEST_F(ExporterFrontTest, RoutesOfTheExporterAreServed) {
  http::Request request = Get("/probe");
  request.query = {{"target", "db1"}};
  EXPECT_EQ(front_.Handle(request).body, "probed db1");
}

TEST_F(ExporterFrontTest, TelemetryPathMayBeTheRoot) {
  FrontOptions options = Options();
  options.telemetry_path = "/";
  ExporterFront front(options, exporter_, routes_);
  EXPECT_THAT(front.Handle(Get("/")).body, HasSubstr("test_up 1\n"));
}

// Scrapes once more from within a scrape: two at once, without threads.
class NestedExporter final : public Exporter {
 public:
  base::Result<std::vector<model::MetricFamily>> Collect(const ScrapeRequest&) override {
    inner = front->Handle(Get("/metrics"));
    return std::vector<model::MetricFamily>();
  }
  ExporterFront* front = nullptr;
  http::Response inner;
};

TEST(ExporterFront, TooManyScrapesAtOnceAreRefused) {
  NestedExporter exporter;
  const std::vector<Route> routes;
  ExporterFront front({.build_info_name = "x_build_info", .max_requests = 1}, exporter, routes);
  exporter.front = &front;
  EXPECT_EQ(front.Handle(Get("/metrics")).status, 200);
  EXPECT_EQ(exporter.inner.status, 503);
  EXPECT_THAT(exporter.inner.body, HasSubstr("--web.max-requests"));
}

TEST(ParseScrapeRequest, DeadlineComesFromTheHeader) {
  const auto check = [](const char* header, milliseconds expected) {
    http::Request request = Get("/metrics");
    if (header != nullptr) {
      request.headers = {{"x-prometheus-scrape-timeout-seconds", header}};
    }
    const base::MonotonicTime now{std::chrono::hours(5)};
    EXPECT_EQ(ParseScrapeRequest(request, now).deadline - now, expected)
        << (header == nullptr ? "none" : header);
  };
  check(nullptr, milliseconds(10000));
  check("10", milliseconds(9500));
  check("1.5", milliseconds(1000));
  check("0.4", milliseconds(200));
  check("0.000001", milliseconds(0));
  check("1e9", milliseconds(119500));
  check("0", milliseconds(10000));
  check("-3", milliseconds(10000));
  check("NaN", milliseconds(10000));
  check("+Inf", milliseconds(10000));
  check("soon", milliseconds(10000));
  check("", milliseconds(10000));
}

TEST(ErrorResponse, KindBecomesStatus) {
  const auto check = [](base::ErrorKind kind, int status) {
    EXPECT_EQ(ErrorResponse(base::Error("x", kind)).status, status);
  };
  check(base::ErrorKind::kInvalidArgument, 400);
  check(base::ErrorKind::kPermissionDenied, 403);
  check(base::ErrorKind::kNotFound, 404);
  check(base::ErrorKind::kUnknown, 500);
  check(base::ErrorKind::kUnavailable, 503);
  check(base::ErrorKind::kDeadlineExceeded, 504);
}

}  // namespace
}  // namespace exporters
