#include "exporters/toolkit/exporter_front.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "exporters/toolkit/landing_page.h"
#include "exporters/toolkit/metrics_page.h"

namespace exporters {
namespace {

model::DescPtr BuildInfoDesc(const FrontOptions& options) {
  model::DynamicDesc::Spec spec{.name = options.build_info_name,
                                .help = "What was built, in its labels. Always 1."};
  for (const auto& [name, value] : options.build_info) {
    spec.labels.push_back(name);
  }
  return model::DynamicDesc::Make(std::move(spec));
}

http::Response Healthy() { return {.body = "Healthy\n"}; }

}  // namespace

ExporterFront::ExporterFront(FrontOptions options, Exporter& exporter,
                             const std::vector<Route>& routes)
    : options_(std::move(options)),
      exporter_(exporter),
      routes_(routes),
      build_info_(BuildInfoDesc(options_)),
      router_([this] {
        const auto page = [](auto handler) {
          return [handler](const http::Request& request, const http::PathParameters&) {
            return handler(request);
          };
        };
        std::vector<http::Route> table = {
            {"GET", options_.telemetry_path,
             page([this](const http::Request& request) { return Metrics(request); })},
            {"GET", "/-/healthy", page([](const http::Request&) { return Healthy(); })},
            {"GET", "/health", page([](const http::Request&) { return Healthy(); })},
            {"GET", "/", page([this](const http::Request&) { return Landing(); })},
        };
        for (const Route& route : routes_) {
          table.push_back({"GET", route.path, page(route.handler)});
        }
        return table;
      }()) {}

http::Response ExporterFront::Handle(const http::Request& request) {
  return router_.Handle(request);
}

http::Response ExporterFront::Landing() const {
  std::vector<LandingLink> links{{options_.telemetry_path, "Metrics, for Prometheus to scrape."}};
  for (const Route& route : routes_) {
    links.push_back({route.path, route.description});
  }
  links.push_back({"/-/healthy", "Whether this program is alive."});
  return LandingPage(options_.name, options_.description, links);
}

http::Response ExporterFront::Metrics(const http::Request& request) {
  const auto start = std::chrono::steady_clock::now();
  const int running = self_.Begin();
  http::Response response;
  if (options_.max_requests > 0 && running > options_.max_requests) {
    response = ErrorResponse(base::Error("more scrapes at once than --web.max-requests allows",
                                         base::ErrorKind::kResourceExhausted));
  } else {
    response = Scrape(request);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  self_.End(response.status, took.count());
  return response;
}

http::Response ExporterFront::Scrape(const http::Request& request) {
  auto families = exporter_.Collect(ParseScrapeRequest(request, std::chrono::steady_clock::now()));
  if (!families.ok()) {
    return ErrorResponse(families.error());
  }
  AddOwn(&*families);
  return MetricsResponse(request, *families);
}

// Where the exporter has a family of the same name, its own stays and ours is left out.
void ExporterFront::AddOwn(std::vector<model::MetricFamily>* families) const {
  std::vector<model::MetricFamily> own;
  if (options_.exporter_metrics) {
    own = self_.Collect();
  }
  own.push_back({.desc = &build_info_->desc(), .owner = build_info_});
  model::LabelValues values;
  for (const auto& [name, value] : options_.build_info) {
    values.Add(value);
  }
  own.back().Add(1, std::move(values));

  const auto by_name = [](const model::MetricFamily& a, const model::MetricFamily& b) {
    return a.desc->name < b.desc->name;
  };
  std::sort(own.begin(), own.end(), by_name);
  std::erase_if(own, [&](const model::MetricFamily& family) {
    return std::binary_search(families->begin(), families->end(), family, by_name);
  });
  const auto middle = static_cast<std::ptrdiff_t>(families->size());
  std::move(own.begin(), own.end(), std::back_inserter(*families));
  std::inplace_merge(families->begin(), families->begin() + middle, families->end(), by_name);
}

}  // namespace exporters
