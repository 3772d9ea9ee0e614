#include "agent/web/routes.h"

#include <memory>

#include "agent/web/api_alertmanager.h"
#include "agent/web/api_handlers.h"
#include "agent/web/api_response.h"
#include "agent/web/pages.h"
#include "lib/exposition/gzip.h"
#include "lib/exposition/negotiate.h"
#include "lib/exposition/writer.h"

namespace web {
namespace {

struct ApiRow {
  const char* path;
  ApiHandler* handler;
  bool also_post = false;
};

constexpr ApiRow kApi[] = {
    {"/api/v1/query", Query, true},
    {"/api/v1/query_range", QueryRange, true},
    {"/api/v1/query_exemplars", QueryExemplars, true},
    {"/api/v1/format_query", FormatQuery, true},
    {"/api/v1/parse_query", ParseQuery, true},
    {"/api/v1/series", Series, true},
    {"/api/v1/labels", LabelNames, true},
    {"/api/v1/label/{name}/values", LabelValues},
    {"/api/v1/metadata", Metadata},
    {"/api/v1/targets", Targets},
    {"/api/v1/targets/metadata", TargetsMetadata},
    {"/api/v1/scrape_pools", ScrapePools},
    {"/api/v1/rules", Rules},
    {"/api/v1/alerts", Alerts},
    {"/api/v1/alertmanagers", AlertmanagersList},
    {"/api/v1/status/buildinfo", BuildInfo},
    {"/api/v1/status/runtimeinfo", RuntimeInfo},
    {"/api/v1/status/flags", Flags},
    {"/api/v1/status/config", ConfigYaml},
    {"/api/v1/status/tsdb", Tsdb},
};

struct MethodRow {
  const char* method;
  const char* path;
  ApiHandler* handler;
};

constexpr MethodRow kAlertmanager[] = {
    {"GET", "/api/v2/status", AmStatus},
    {"GET", "/api/v2/receivers", AmReceivers},
    {"GET", "/api/v2/alerts", AmAlerts},
    {"POST", "/api/v2/alerts", AmPostAlerts},
    {"GET", "/api/v2/alerts/groups", AmGroups},
    {"GET", "/api/v2/silences", AmSilences},
    {"POST", "/api/v2/silences", AmPostSilence},
    {"GET", "/api/v2/silence/{id}", AmSilence},
    {"DELETE", "/api/v2/silence/{id}", AmDeleteSilence},
    {"GET", "/api/v1/notifications", Notifications},
    {"POST", "/api/v1/notifications/{key}/retry", RetryNotification},
    {"DELETE", "/api/v1/notifications/{key}", DiscardNotification},
};

http::Response Healthy(const Views& /*views*/, const http::Request& /*request*/,
                       const http::PathParameters& /*path*/) {
  return http::TextResponse(200, "Healthy.");
}

http::Response Ready(const Views& views, const http::Request& /*request*/,
                     const http::PathParameters& /*path*/) {
  return views.ready() ? http::TextResponse(200, "Ready.")
                       : http::TextResponse(503, "Not ready yet.");
}

http::Response Reload(const Views& views, const http::Request& /*request*/,
                      const http::PathParameters& /*path*/) {
  if (!views.reload) {
    return http::TextResponse(403, "Reloading over HTTP is switched off: --web.enable-lifecycle.");
  }
  const auto reloaded = views.reload();
  return reloaded.ok() ? http::Response{} : http::TextResponse(500, reloaded.error().message());
}

http::Response OwnMetrics(const Views& views, const http::Request& request,
                          const http::PathParameters& /*path*/) {
  const auto negotiated = exposition::NegotiateFormat(request.Header("Accept").value_or(""));
  http::Response response{.content_type = std::string(negotiated.content_type)};
  exposition::Write(negotiated.format, views.metrics(), &response.body);
  response.headers.emplace_back("Vary", "Accept, Accept-Encoding");
  return response;
}

constexpr ApiRow kPlain[] = {
    {"/-/healthy", Healthy}, {"/-/ready", Ready},   {"/metrics", OwnMetrics},
    {"/federate", Federate}, {"/", OverviewPage},   {"/targets", TargetsPage},
    {"/alerts", AlertsPage}, {"/rules", RulesPage}, {"/style.css", StylePage},
};

// Answers above this are worth compressing.
constexpr size_t kMinCompressedBytes = 1024;

void Compress(const http::Request& request, http::Response* response) {
  if (response->body.size() < kMinCompressedBytes ||
      !exposition::AcceptsGzip(request.Header("Accept-Encoding").value_or(""))) {
    return;
  }
  response->body = exposition::Gzip(response->body);
  response->headers.emplace_back("Content-Encoding", "gzip");
}

// Any page may read the API, as with Prometheus; without credentials of the user's browser.
void AllowOtherOrigins(const http::Request& request, http::Response* response) {
  response->headers.emplace_back("Vary", "Origin");
  if (!request.Header("Origin")) {
    return;
  }
  response->headers.emplace_back("Access-Control-Allow-Origin", "*");
  response->headers.emplace_back("Access-Control-Allow-Methods", "GET, POST, OPTIONS");
  response->headers.emplace_back("Access-Control-Allow-Headers",
                                 "Accept, Authorization, Content-Type, Origin");
  response->headers.emplace_back("Access-Control-Expose-Headers", "Date");
}

using SharedViews = std::shared_ptr<const Views>;

http::Route PlainRoute(const SharedViews& views, const char* method, const ApiRow& row) {
  return {method, row.path,
          [views, handler = row.handler](const http::Request& request,
                                         const http::PathParameters& path) {
            http::Response response = handler(*views, request, path);
            Compress(request, &response);
            return response;
          }};
}

http::Route ApiRoute(const SharedViews& views, const char* method, const ApiRow& row) {
  return {method, row.path,
          [views, handler = row.handler](const http::Request& request,
                                         const http::PathParameters& path) {
            http::Response response = handler(*views, request, path);
            AllowOtherOrigins(request, &response);
            Compress(request, &response);
            return response;
          }};
}

http::Route PreflightRoute(const ApiRow& row) {
  return {"OPTIONS", row.path, [](const http::Request& request, const http::PathParameters&) {
            http::Response response{.status = 204};
            AllowOtherOrigins(request, &response);
            return response;
          }};
}

}  // namespace

http::Router MakeRoutes(Views views) {
  const auto shared = std::make_shared<const Views>(std::move(views));
  std::vector<http::Route> routes;
  for (const ApiRow& row : kApi) {
    routes.push_back(ApiRoute(shared, "GET", row));
    if (row.also_post) {
      routes.push_back(ApiRoute(shared, "POST", row));
    }
    routes.push_back(PreflightRoute(row));
  }
  for (const MethodRow& row : kAlertmanager) {
    routes.push_back(PlainRoute(shared, row.method, ApiRow{row.path, row.handler}));
  }
  for (const ApiRow& row : kPlain) {
    routes.push_back(PlainRoute(shared, "GET", row));
  }
  const ApiRow reload{"/-/reload", Reload};
  routes.push_back(PlainRoute(shared, "POST", reload));
  routes.push_back(PlainRoute(shared, "PUT", reload));
  return http::Router(std::move(routes));
}

}  // namespace web
