#include "agent/scrape/counters.h"

namespace scrape {
namespace {

using model::MetricType;

struct CounterRow {
  model::MetricDesc desc;
  std::atomic<uint64_t> Counters::*counter;
};

constexpr CounterRow kRows[] = {
    {{"tarsier_scrape_body_limit_hits_total",
      "Scrapes that failed because the answer was longer than body_size_limit.",
      MetricType::kCounter},
     &Counters::body_limit_hits},
    {{"tarsier_scrape_label_limit_hits_total",
      "Scrapes that failed because a series had more or longer labels than the job allows.",
      MetricType::kCounter},
     &Counters::label_limit_hits},
    {{"tarsier_scrape_sample_limit_hits_total",
      "Scrapes that failed because they had more samples than sample_limit.", MetricType::kCounter},
     &Counters::sample_limit_hits},
    {{"tarsier_scrape_samples_duplicate_total",
      "Samples dropped because their series came twice on one page.", MetricType::kCounter},
     &Counters::duplicate_samples},
    {{"tarsier_scrape_samples_refused_total",
      "Samples dropped because the store takes no more series.", MetricType::kCounter},
     &Counters::refused_series},
    {{"tarsier_scrape_samples_rejected_total",
      "Samples dropped because they were out of order, too old, or a second value at one time.",
      MetricType::kCounter},
     &Counters::rejected_samples},
    {{"tarsier_scrape_samples_total", "Samples read from targets.", MetricType::kCounter},
     &Counters::samples},
    {{"tarsier_scrape_stale_markers_total", "Stale markers written for series that vanished.",
      MetricType::kCounter},
     &Counters::stale_markers},
    {{"tarsier_scrapes_failed_total", "Scrapes that failed.", MetricType::kCounter},
     &Counters::failed_scrapes},
    {{"tarsier_scrapes_skipped_total", "Scrapes left out because the one before was still running.",
      MetricType::kCounter},
     &Counters::skipped_scrapes},
    {{"tarsier_scrapes_total", "Scrapes done.", MetricType::kCounter}, &Counters::scrapes},
};

constexpr model::MetricDesc kSeriesRefused{
    .name = "tarsier_scrape_series_refused_total",
    .help =
        "New series refused because their target has too many, by the label with the most "
        "values among them.",
    .type = MetricType::kCounter,
    .labels = {"job", "label"}};

}  // namespace

void RefusedSeries::Add(const std::string& job, const std::string& label, uint64_t count) {
  const base::MutexLock lock(mutex_);
  const bool room = counts_.size() < kMaxRefusedRows || counts_.contains({job, label});
  counts_[room ? std::pair(job, label) : std::pair(std::string(), std::string())] += count;
}

std::map<std::pair<std::string, std::string>, uint64_t> RefusedSeries::Get() const {
  const base::MutexLock lock(mutex_);
  return counts_;
}

std::vector<model::MetricFamily> CounterFamilies(const Counters& counters) {
  std::vector<model::MetricFamily> families;
  for (const CounterRow& row : kRows) {
    model::MetricFamily family{.desc = &row.desc};
    family.Add(static_cast<double>((counters.*row.counter).load()));
    families.push_back(std::move(family));
  }
  model::MetricFamily refused{.desc = &kSeriesRefused};
  for (const auto& [key, count] : counters.series_limit.Get()) {
    refused.Add(static_cast<double>(count), {key.first, key.second});
  }
  families.push_back(std::move(refused));
  return families;
}

}  // namespace scrape
