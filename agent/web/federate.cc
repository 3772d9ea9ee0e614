// /federate: the latest samples of chosen series as a metrics page, for another Prometheus.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/storage/querier.h"
#include "agent/web/api_handlers.h"
#include "agent/web/api_parameters.h"
#include "agent/web/api_response.h"
#include "lib/model/sample.h"

namespace web {
namespace {

constexpr std::string_view kInstanceLabel = "instance";
constexpr char kTextFormat[] = "text/plain; version=0.0.4; charset=utf-8";

std::optional<model::Sample> LatestOf(const storage::Series& series) {
  std::optional<model::Sample> latest;
  const auto cursor = series.Samples();
  for (model::Sample sample; cursor->Next(&sample);) {
    latest = sample;
  }
  return latest && model::IsStale(latest->value) ? std::nullopt : latest;
}

void AppendEscaped(std::string_view text, std::string* page) {
  for (const char c : text) {
    if (c == '\n') {
      *page += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') {
      *page += '\\';
    }
    *page += c;
  }
}

void AppendQuoted(std::string_view text, std::string* page) {
  *page += '"';
  AppendEscaped(text, page);
  *page += '"';
}

void AppendLabel(std::string_view name, std::string_view value, std::string* page) {
  if (page->back() != '{') {
    *page += ',';
  }
  if (model::IsLegacyLabelName(name)) {
    *page += name;
  } else {
    AppendQuoted(name, page);
  }
  *page += '=';
  AppendQuoted(value, page);
}

// An empty instance keeps the scraping side from setting its own.
void AppendSample(const model::Labels& labels, model::Sample sample, std::string* page) {
  const std::string_view name = labels.MetricName();
  const bool plain = model::IsLegacyMetricName(name);
  *page += plain ? name : "";
  *page += '{';
  if (!plain) {
    AppendQuoted(name, page);
  }
  for (const model::Label label : labels) {
    if (label.name != model::kMetricNameLabel) {
      AppendLabel(label.name, label.value, page);
    }
  }
  if (!labels.Has(kInstanceLabel)) {
    AppendLabel(kInstanceLabel, "", page);
  }
  *page +=
      "} " + FormatSampleValue(sample.value) + ' ' + std::to_string(sample.timestamp_ms) + '\n';
}

void AppendType(std::string_view metric, std::string* page) {
  *page += "# TYPE ";
  if (model::IsLegacyMetricName(metric)) {
    *page += metric;
  } else {
    AppendQuoted(metric, page);
  }
  *page += " untyped\n";
}

// By name, then labels, so that the samples of a metric stand together.
using Samples = std::map<std::string, std::map<model::Labels, model::Sample>>;

base::Result<Samples> Select(const Views& views,
                             const std::vector<std::vector<model::Matcher>>& selectors) {
  const int64_t now_ms = base::ToMillis(views.clock->Now());
  const storage::TimeRange range{now_ms - views.engine.lookback_delta.count() + 1, now_ms};
  const model::Labels external = views.external_labels ? views.external_labels() : model::Labels();
  const auto querier = views.storage->NewQuerier();
  Samples samples;
  for (const auto& matchers : selectors) {
    ASSIGN_OR_RETURN(const auto found, querier->Select(matchers, range));
    for (const auto& series : found) {
      const auto latest = LatestOf(*series);
      if (!latest || !series->labels().Has(model::kMetricNameLabel)) {
        continue;
      }
      model::LabelsBuilder labels(external);
      for (const model::Label label : series->labels()) {
        labels.Set(label.name, label.value);
      }
      samples[std::string(series->labels().MetricName())][labels.Build()] = *latest;
    }
  }
  return samples;
}

}  // namespace

http::Response Federate(const Views& views, const http::Request& request,
                        const http::PathParameters& /*path*/) {
  const auto selectors = Parameters(request).Selectors();
  if (!selectors.ok()) {
    return http::TextResponse(400, selectors.error().message());
  }
  const auto samples = Select(views, *selectors);
  if (!samples.ok()) {
    return http::TextResponse(500, samples.error().message());
  }
  http::Response response{.content_type = kTextFormat};
  for (const auto& [metric, series] : *samples) {
    AppendType(metric, &response.body);
    for (const auto& [labels, sample] : series) {
      AppendSample(labels, sample, &response.body);
    }
  }
  return response;
}

}  // namespace web
