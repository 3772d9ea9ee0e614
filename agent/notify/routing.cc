#include "agent/notify/routing.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "lib/base/file.h"
#include "lib/base/strings.h"

namespace notify {
namespace {

constexpr size_t kMaxSecretBytes = 64 << 10;
constexpr std::chrono::milliseconds kPlainGroupWait{2'000};
constexpr std::chrono::milliseconds kPlainGroupInterval{5'000};

constexpr std::string_view kKindNames[] = {"webhook", "slack", "email", "pagerduty"};
static_assert(std::size(kKindNames) == std::variant_size_v<decltype(Integration::config)>);

void AssignKeys(const std::string& parent, Route* route) {
  route->key = parent.empty() ? FormatMatchers(route->matchers)
                              : parent + "/" + FormatMatchers(route->matchers);
  for (Route& child : route->routes) {
    AssignKeys(route->key, &child);
  }
}

bool Collect(const Route& route, const model::Labels& labels, std::vector<const Route*>* found) {
  if (!MatchesAll(route.matchers, labels)) {
    return false;
  }
  bool any = false;
  for (const Route& child : route.routes) {
    const bool matched = Collect(child, labels, found);
    any = any || matched;
    if (matched && !child.continue_matching) {
      break;
    }
  }
  if (!any) {
    found->push_back(&route);
  }
  return true;
}

}  // namespace

base::Result<base::Secret> SecretSource::Read() const {
  if (file.empty()) {
    return text;
  }
  ASSIGN_OR_RETURN(const std::string content, base::ReadFile(file, kMaxSecretBytes));
  return base::Secret(std::string(base::TrimSpace(content)));
}

void AssignRouteKeys(Route* root) { AssignKeys("", root); }

std::vector<const Route*> MatchRoutes(const Route& root, const model::Labels& labels) {
  std::vector<const Route*> found;
  Collect(root, labels, &found);
  return found;
}

model::Labels GroupLabels(const Route& route, const model::Labels& labels) {
  if (route.group_by_all) {
    return labels;
  }
  model::LabelsBuilder builder;
  for (const std::string& name : route.group_by) {
    builder.Set(name, labels.Get(name));
  }
  return builder.Build();
}

const Receiver* FindReceiver(const Routing& routing, std::string_view name) {
  const auto at = std::find_if(routing.receivers.begin(), routing.receivers.end(),
                               [name](const Receiver& receiver) { return receiver.name == name; });
  return at == routing.receivers.end() ? nullptr : &*at;
}

std::string_view KindName(const Integration& integration) {
  return kKindNames[integration.config.index()];
}

std::vector<std::string> IntegrationIds(const Receiver& receiver) {
  std::map<std::string_view, size_t> count;
  std::vector<std::string> ids;
  for (const Integration& integration : receiver.integrations) {
    const std::string_view kind = KindName(integration);
    ids.push_back(fmt::format("{}/{}[{}]", receiver.name, kind, count[kind]++));
  }
  return ids;
}

void AddPlainWebhooks(const std::vector<base::Secret>& urls, const SecretSource& signing_key,
                      Routing* routing) {
  for (const base::Secret& url : urls) {
    std::string name = "webhook";
    for (size_t i = 2; FindReceiver(*routing, name) != nullptr; ++i) {
      name = fmt::format("webhook-{}", i);
    }
    routing->receivers.push_back(
        {.name = name,
         .integrations = {{.http = {},
                           .config = WebhookConfig{.url = {.text = url, .file = {}},
                                                   .signing_key = signing_key}}}});
    Route route{.receiver = name, .matchers = {}, .group_by = {"alertname"}};
    route.group_wait = kPlainGroupWait;
    route.group_interval = kPlainGroupInterval;
    AssignRouteKeys(&route);
    routing->routes.push_back(std::move(route));
  }
}

}  // namespace notify
