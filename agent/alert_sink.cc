#include "agent/alert_sink.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "agent/scrape/http_source.h"
#include "lib/base/file.h"
#include "lib/base/strings.h"
#include "lib/base/url.h"

namespace agent {
namespace {

constexpr std::chrono::milliseconds kSwapDrain{5000};

base::Result<base::Secret> ReadSecret(const base::Secret& text, const std::string& file) {
  if (file.empty()) {
    return text;
  }
  ASSIGN_OR_RETURN(const std::string content, base::ReadFile(file));
  return base::Secret(std::string(base::TrimSpace(content)));
}

base::Result<http::ClientOptions> MakeClientOptions(const config::AlertmanagerConfig& config) {
  http::ClientOptions options = config.http;
  const scrape::Auth& auth = config.auth;
  if (auth.basic) {
    ASSIGN_OR_RETURN(const base::Secret user,
                     ReadSecret(base::Secret(auth.username), auth.username_file));
    options.basic_auth_user = user.Reveal();
    ASSIGN_OR_RETURN(options.basic_auth_password, ReadSecret(auth.password, auth.password_file));
  } else if (base::EqualsIgnoreCase(auth.authorization_type, "bearer")) {
    ASSIGN_OR_RETURN(options.bearer_token, ReadSecret(auth.credentials, auth.credentials_file));
  } else if (!auth.authorization_type.empty()) {
    return base::Error(fmt::format("alertmanagers: authorization type \"{}\" is not supported yet",
                                   auth.authorization_type),
                       base::ErrorKind::kInvalidArgument);
  }
  return options;
}

auto ReceiverFields(const notify::ReceiverConfig& receiver) {
  const http::ClientOptions& http = receiver.http;
  return std::tie(receiver.kind, receiver.name, receiver.url, receiver.timeout,
                  receiver.send_resolved, http.basic_auth_user, http.basic_auth_password,
                  http.bearer_token, http.ca_file, http.cert_file, http.key_file, http.server_name,
                  http.insecure_skip_verify, http.follow_redirects, http.proxy_url);
}

bool SameReceivers(const std::vector<notify::ReceiverConfig>& a,
                   const std::vector<notify::ReceiverConfig>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return ReceiverFields(x) == ReceiverFields(y);
  });
}

std::vector<std::string> Urls(const std::vector<notify::ReceiverConfig>& receivers,
                              bool alertmanagers_only) {
  std::vector<std::string> urls;
  for (const notify::ReceiverConfig& receiver : receivers) {
    const bool alertmanager = receiver.kind == notify::ReceiverKind::kAlertmanager;
    if (alertmanager || !alertmanagers_only) {
      const auto url = base::ParseUrl(receiver.url);
      // The path of a webhook is often its password.
      const std::string shown =
          !url.ok()      ? "?"
          : alertmanager ? url->Redacted()
                         : fmt::format("{}://{}", url->scheme,
                                       url->port == 0 ? url->host
                                                      : base::FormatHostPort(url->host, url->port));
      urls.push_back(alertmanager ? shown + "/api/v2/alerts" : shown);
    }
  }
  return urls;
}

}  // namespace

base::Result<std::vector<notify::ReceiverConfig>> MakeReceivers(
    const std::vector<base::Secret>& webhooks,
    const std::vector<config::AlertmanagerConfig>& alertmanagers) {
  std::vector<notify::ReceiverConfig> receivers;
  for (const base::Secret& url : webhooks) {
    const std::string name =
        receivers.empty() ? "webhook" : fmt::format("webhook-{}", receivers.size() + 1);
    receivers.push_back(
        {.kind = notify::ReceiverKind::kWebhook, .name = name, .url = url.Reveal()});
  }
  for (const config::AlertmanagerConfig& config : alertmanagers) {
    ASSIGN_OR_RETURN(const http::ClientOptions http, MakeClientOptions(config));
    for (const discovery::TargetGroup& group : config.static_configs) {
      for (const std::string& target : group.targets) {
        const std::string slash =
            config.path_prefix.empty() || config.path_prefix.front() == '/' ? "" : "/";
        std::string url =
            fmt::format("{}://{}{}{}", config.scheme, target, slash, config.path_prefix);
        while (url.ends_with('/')) {
          url.pop_back();
        }
        receivers.push_back({.kind = notify::ReceiverKind::kAlertmanager,
                             .name = fmt::format("alertmanager-{}", target),
                             .url = std::move(url),
                             .http = http,
                             .timeout = config.timeout});
      }
    }
  }
  return receivers;
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

base::Result<void> AlertSink::Configure(Settings settings) {
  const std::shared_ptr<const State> before = Current();
  auto next = std::make_shared<State>();
  const bool same = before != nullptr && before->settings.external_url == settings.external_url &&
                    SameReceivers(before->settings.receivers, settings.receivers);
  if (same) {
    next->notifier = before->notifier;
  } else {
    ASSIGN_OR_RETURN(next->notifier, notify::Notifier::Make({.receivers = settings.receivers,
                                                             .external_labels = {},
                                                             .external_url = settings.external_url},
                                                            clock_, logger_));
  }
  next->settings = std::move(settings);
  {
    const base::MutexLock lock(mutex_);
    state_ = next;
  }
  if (!same && before != nullptr) {
    before->notifier->Stop(kSwapDrain);
  }
  return {};
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
  const auto state = Current();
  return state == nullptr ? std::vector<std::string>() : Urls(state->settings.receivers, false);
}

std::vector<std::string> AlertSink::AlertmanagerUrls() const {
  const auto state = Current();
  return state == nullptr ? std::vector<std::string>() : Urls(state->settings.receivers, true);
}

std::vector<model::MetricFamily> AlertSink::Metrics() const {
  const auto state = Current();
  return state == nullptr ? std::vector<model::MetricFamily>() : state->notifier->Metrics();
}

}  // namespace agent
