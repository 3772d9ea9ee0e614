#include "agent/alert_sink.h"

#include <utility>
#include <variant>

#include <fmt/format.h>

#include "agent/config/alertmanager_config.h"
#include "lib/base/url.h"

namespace agent {
namespace {

std::string ShownUrl(const base::Secret& secret) {
  const auto url = base::ParseUrl(secret.Reveal());
  // The path of a webhook is often its password.
  return url.ok()
             ? fmt::format("{}://{}", url->scheme,
                           url->port == 0 ? url->host : base::FormatHostPort(url->host, url->port))
             : "?";
}

// Where a receiver's messages go, without secrets.
std::string Place(const std::string& id, const notify::Integration& integration) {
  if (const auto* webhook = std::get_if<notify::WebhookConfig>(&integration.config)) {
    return webhook->url.file.empty() ? ShownUrl(webhook->url.text) : id;
  }
  return id;
}

}  // namespace

base::Result<std::shared_ptr<const notify::Routing>> MakeRouting(const Destinations& destinations) {
  auto routing = std::make_shared<notify::Routing>();
  if (!destinations.alertmanager_config_file.empty()) {
    ASSIGN_OR_RETURN(*routing, config::LoadAlertmanager(destinations.alertmanager_config_file));
  }
  for (const base::Secret& secret : destinations.webhook_urls) {
    const auto url = base::ParseUrl(secret.Reveal());
    if (!url.ok() || (url->scheme != "http" && url->scheme != "https") || url->host.empty()) {
      return base::Error("flag --alert.webhook-url: the URL must be http://HOST… or https://HOST…",
                         base::ErrorKind::kInvalidArgument);
    }
  }
  notify::AddPlainWebhooks(destinations.webhook_urls, destinations.webhook_key, routing.get());
  return std::shared_ptr<const notify::Routing>(std::move(routing));
}

base::Result<std::vector<notify::AlertmanagerTarget>> MakeTargets(
    const std::vector<config::AlertmanagerConfig>& alertmanagers) {
  std::vector<notify::AlertmanagerTarget> targets;
  for (const config::AlertmanagerConfig& config : alertmanagers) {
    ASSIGN_OR_RETURN(const notify::HttpConfig http,
                     config::MakeHttpConfig(config.auth, config.http));
    for (const discovery::TargetGroup& group : config.static_configs) {
      for (const std::string& target : group.targets) {
        const std::string slash =
            config.path_prefix.empty() || config.path_prefix.front() == '/' ? "" : "/";
        std::string url =
            fmt::format("{}://{}{}{}", config.scheme, target, slash, config.path_prefix);
        while (url.ends_with('/')) {
          url.pop_back();
        }
        targets.push_back({.name = fmt::format("alertmanager-{}", target),
                           .url = std::move(url),
                           .http = http,
                           .timeout = config.timeout});
      }
    }
  }
  return targets;
}

std::vector<notify::Alert> RelabelAlerts(std::vector<notify::Alert> alerts,
                                         const model::Labels& external,
                                         const std::vector<relabel::Rule>& rules) {
  std::vector<notify::Alert> kept;
  for (notify::Alert& alert : alerts) {
    model::LabelsBuilder labels(alert.labels);
    for (const model::Label label : external) {
      if (labels.Get(label.name).empty()) {
        labels.Set(label.name, label.value);
      }
    }
    if (relabel::Apply(rules, &labels)) {
      alert.labels = labels.Build();
      kept.push_back(std::move(alert));
    }
  }
  return kept;
}

std::shared_ptr<const AlertSink::State> AlertSink::Current() const {
  const base::MutexLock lock(mutex_);
  return state_;
}

base::Result<void> AlertSink::Configure(Settings settings, const state::StateFile* file) {
  const std::shared_ptr<const State> before = Current();
  auto next = std::make_shared<State>();
  notify::NotifierConfig config{.routing = settings.routing,
                                .alertmanagers = settings.alertmanagers,
                                .external_url = settings.external_url};
  if (before != nullptr) {
    next->notifier = before->notifier;
    RETURN_IF_ERROR(next->notifier->Configure(std::move(config)));
  } else {
    ASSIGN_OR_RETURN(next->notifier,
                     notify::Notifier::Make(std::move(config), file, clock_, logger_));
  }
  next->settings = std::move(settings);
  const base::MutexLock lock(mutex_);
  state_ = std::move(next);
  return {};
}

std::shared_ptr<notify::Notifier> AlertSink::notifier() const {
  const auto state = Current();
  return state == nullptr ? nullptr : state->notifier;
}

void AlertSink::Notify(std::vector<notify::Alert> alerts) {
  const std::shared_ptr<const State> state = Current();
  if (state == nullptr) {
    return;
  }
  alerts = RelabelAlerts(std::move(alerts), state->settings.external_labels,
                         state->settings.relabel_rules);
  if (!alerts.empty()) {
    state->notifier->Notify(std::move(alerts));
  }
}

void AlertSink::Stop(std::chrono::milliseconds drain) {
  if (const auto state = Current(); state != nullptr) {
    state->notifier->Stop(drain);
  }
}

std::vector<std::string> AlertSink::ReceiverUrls() const {
  std::vector<std::string> urls;
  if (const auto state = Current(); state != nullptr) {
    for (const notify::Receiver& receiver : state->settings.routing->receivers) {
      const std::vector<std::string> ids = IntegrationIds(receiver);
      for (size_t i = 0; i < ids.size(); ++i) {
        urls.push_back(Place(ids[i], receiver.integrations[i]));
      }
    }
    for (std::string& url : AlertmanagerUrls()) {
      urls.push_back(std::move(url));
    }
  }
  return urls;
}

std::vector<std::string> AlertSink::AlertmanagerUrls() const {
  std::vector<std::string> urls;
  if (const auto state = Current(); state != nullptr) {
    for (const notify::AlertmanagerTarget& target : state->settings.alertmanagers) {
      const auto url = base::ParseUrl(target.url);
      urls.push_back((url.ok() ? url->Redacted() : "?") + "/api/v2/alerts");
    }
  }
  return urls;
}

std::vector<model::MetricFamily> AlertSink::Metrics() const {
  const auto state = Current();
  return state == nullptr ? std::vector<model::MetricFamily>() : state->notifier->Metrics();
}

}  // namespace agent
