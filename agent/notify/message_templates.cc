#include "agent/notify/message_templates.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "agent/notify/time_zone.h"
#include "agent/template/notification_functions.h"
#include "lib/base/file.h"

namespace notify {
namespace {

using tmpl::List;
using tmpl::Object;
using tmpl::Value;

constexpr std::string_view kDefaults = R"(
{{- define "__tarsier.subject" -}}
[{{ if .Alerts.Firing }}FIRING:{{ len .Alerts.Firing }}{{ else }}RESOLVED{{ end }}] {{ join " " .GroupLabels.Values }} {{ with (.CommonLabels.Remove .GroupLabels.Names).Values }}({{ join " " . }}){{ end }}
{{- end -}}
{{- define "__tarsier.link" }}{{ .ExternalURL }}/#/alerts?receiver={{ urlquery .Receiver }}{{ end -}}
{{- define "__tarsier.list" }}{{ range . }}{{ "Labels:\n" }}
{{- range .Labels.SortedPairs }}{{ printf " - %s = %s\n" .Name .Value }}{{ end }}{{ "Annotations:\n" }}
{{- range .Annotations.SortedPairs }}{{ printf " - %s = %s\n" .Name .Value }}{{ end }}
{{- printf "Source: %s\n" .GeneratorURL }}{{ end }}{{ end -}}

{{- define "slack.default.title" }}{{ template "__tarsier.subject" . }}{{ end -}}
{{- define "slack.default.username" }}Tarsier{{ end -}}
{{- define "slack.default.fallback" }}{{ template "__tarsier.subject" . }} | {{ template "__tarsier.link" . }}{{ end -}}
{{- define "slack.default.titlelink" }}{{ template "__tarsier.link" . }}{{ end -}}
{{- define "slack.default.callbackid" }}{{ end -}}
{{- define "slack.default.pretext" }}{{ end -}}
{{- define "slack.default.iconemoji" }}{{ end -}}
{{- define "slack.default.iconurl" }}{{ end -}}
{{- define "slack.default.footer" }}{{ end -}}
{{- define "slack.default.text" }}{{ end -}}

{{- define "pagerduty.default.description" }}{{ template "__tarsier.subject" . }}{{ end -}}
{{- define "pagerduty.default.client" }}Tarsier{{ end -}}
{{- define "pagerduty.default.clientURL" }}{{ template "__tarsier.link" . }}{{ end -}}
{{- define "pagerduty.default.instances" }}{{ template "__tarsier.list" . }}{{ end -}}

{{- define "email.default.subject" }}{{ template "__tarsier.subject" . }}{{ end -}}
{{- define "__tarsier.html_list" }}{{ range . }}
<p><b>{{ html .Labels.alertname }}</b>{{ with .Annotations.summary }} &ndash; {{ html . }}{{ end }}</p>
<table>
{{ range .Labels.SortedPairs }}<tr><td>{{ html .Name }}</td><td>{{ html .Value }}</td></tr>
{{ end }}{{ range .Annotations.SortedPairs }}<tr><td><i>{{ html .Name }}</i></td><td>{{ html .Value }}</td></tr>
{{ end }}</table>
<p>since {{ .StartsAt.Format "2006-01-02 15:04:05 MST" }}{{ with .GeneratorURL }} &middot; <a href="{{ html . }}">source</a>{{ end }}</p>
{{ end }}{{ end -}}
{{- define "email.default.html" }}<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>{{ html (printf "%s: %d alerts" .Status (len .Alerts)) }}</title></head>
<body style="font-family: sans-serif">
<h2>{{ len .Alerts }} alert{{ if gt (len .Alerts) 1 }}s{{ end }}{{ with .GroupLabels.SortedPairs }} for{{ range . }} {{ html .Name }}={{ html .Value }}{{ end }}{{ end }}</h2>
<p><a href="{{ html .ExternalURL }}">Open Tarsier</a></p>
{{ with .Alerts.Firing }}<h3 style="color: #b00020">Firing: {{ len . }}</h3>{{ template "__tarsier.html_list" . }}{{ end }}
{{ with .Alerts.Resolved }}<h3 style="color: #2e7d32">Resolved: {{ len . }}</h3>{{ template "__tarsier.html_list" . }}{{ end }}
</body></html>
{{ end -}}
{{- define "email.default.text" }}{{ with .Alerts.Firing }}Firing:
{{ template "__tarsier.list" . }}{{ end }}{{ with .Alerts.Resolved }}Resolved:
{{ template "__tarsier.list" . }}{{ end }}{{ end -}}
)";

Value Kv(const model::Labels& labels) {
  Object map{.kind = Object::Kind::kTextMap, .type_name = tmpl::kKvType, .fields = {}};
  for (const model::Label label : labels) {
    map.fields.emplace(label.name, Value(label.value));
  }
  return Value(std::move(map));
}

Value OneAlert(const Alert& alert) {
  const auto time = [](base::WallTime at) {
    return Value(tmpl::Time{.unix_ms = base::ToMillis(at)});
  };
  return Value(Object{
      .kind = Object::Kind::kStruct,
      .type_name = "template.Alert",
      .fields = {{"Status", Value(alert.resolved ? "resolved" : "firing")},
                 {"Labels", Kv(alert.labels)},
                 {"Annotations", Kv(alert.annotations)},
                 {"StartsAt", time(alert.starts_at)},
                 {"EndsAt", alert.resolved ? time(alert.ends_at)
                                           : Value(tmpl::Time{.unix_ms = tmpl::kGoZeroTimeMs})},
                 {"GeneratorURL", Value(alert.generator_url)},
                 {"Fingerprint", Value(fmt::format("{:016x}", alert.labels.Fingerprint()))}}});
}

Value DataOf(const Notification& notification, const std::string& external_url) {
  List alerts;
  std::transform(notification.alerts.begin(), notification.alerts.end(), std::back_inserter(alerts),
                 OneAlert);
  return Value(Object{
      .kind = Object::Kind::kStruct,
      .type_name = "template.Data",
      .fields = {{"Receiver", Value(notification.receiver)},
                 {"Status", Value(notification.resolved() ? "resolved" : "firing")},
                 {"Alerts", Value(std::move(alerts))},
                 {"GroupLabels", Kv(notification.group_labels)},
                 {"CommonLabels", Kv(CommonPairs(notification.alerts, &Alert::labels))},
                 {"CommonAnnotations", Kv(CommonPairs(notification.alerts, &Alert::annotations))},
                 {"ExternalURL", Value(external_url)}}});
}

base::Result<tmpl::Time> InZone(const std::string& name, tmpl::Time time) {
  ASSIGN_OR_RETURN(const TimeZone zone, TimeZone::Load(name));
  const TimeZone::Offset offset = zone.At(
      std::chrono::floor<std::chrono::seconds>(std::chrono::milliseconds(time.unix_ms)).count());
  time.utc_offset_seconds = static_cast<int32_t>(offset.seconds);
  time.zone = offset.abbreviation;
  return time;
}

}  // namespace

model::Labels CommonPairs(const std::vector<Alert>& alerts, model::Labels Alert::*of) {
  model::LabelsBuilder builder;
  if (!alerts.empty()) {
    for (const model::Label label : alerts.front().*of) {
      if (std::all_of(alerts.begin(), alerts.end(), [&](const Alert& alert) {
            return (alert.*of).Get(label.name) == label.value;
          })) {
        builder.Set(label.name, label.value);
      }
    }
  }
  return builder.Build();
}

base::Result<MessageTemplates> MessageTemplates::Make(const std::vector<TemplateFile>& files) {
  MessageTemplates templates;
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    ASSIGN_OR_RETURN(tmpl::Template parsed,
                     tmpl::ParseNotificationTemplate(file->name, file->text));
    templates.libraries_.push_back(std::move(parsed));
  }
  ASSIGN_OR_RETURN(tmpl::Template defaults, tmpl::ParseNotificationTemplate("defaults", kDefaults));
  templates.libraries_.push_back(std::move(defaults));
  return templates;
}

base::Result<MessageTemplates> MessageTemplates::Load(const std::vector<std::string>& patterns) {
  std::vector<TemplateFile> files;
  for (const std::string& pattern : patterns) {
    for (const std::string& path : base::Glob(pattern)) {
      ASSIGN_OR_RETURN(std::string text, base::ReadFile(path));
      files.push_back({.name = path, .text = std::move(text)});
    }
  }
  if (files.size() > kMaxTemplateFiles) {
    return base::Error(fmt::format("more than {} template files", kMaxTemplateFiles),
                       base::ErrorKind::kResourceExhausted);
  }
  return Make(files);
}

base::Result<void> MessageTemplates::Check(std::string_view text) const {
  const auto parsed = tmpl::ParseNotificationTemplate("", text);
  return parsed.ok() ? base::Result<void>() : parsed.error();
}

MessageTexts::MessageTexts(const MessageTemplates& templates, const Notification& notification,
                           const std::string& external_url, base::WallTime now)
    : templates_(templates), data_(DataOf(notification, external_url)) {
  environment_.external_url = external_url;
  environment_.now_ms = base::ToMillis(now);
  environment_.zone = InZone;
}

std::string MessageTexts::Expand(std::string_view text) {
  if (text.find("{{") == std::string_view::npos) {
    return std::string(text);
  }
  const auto parsed = tmpl::ParseNotificationTemplate("", text);
  auto expanded = parsed.ok() ? parsed->Execute(data_, {}, environment_, templates_.libraries_)
                              : base::Result<std::string>(parsed.error());
  if (!expanded.ok()) {
    if (status_.ok()) {
      status_ = expanded.error();
    }
    return "";
  }
  return *std::move(expanded);
}

}  // namespace notify
