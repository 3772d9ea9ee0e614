#include "exporters/toolkit/collector_set.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace exporters {
namespace {

base::Error BadRequest(std::string message) {
  return base::Error(std::move(message), base::ErrorKind::kInvalidArgument);
}

base::Result<size_t> IndexOf(std::span<const std::string_view> names,
                             const std::vector<bool>& enabled, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    return BadRequest(fmt::format("missing collector: {}", name));
  }
  const auto index = static_cast<size_t>(std::distance(names.begin(), found));
  if (!enabled[index]) {
    return BadRequest(fmt::format("disabled collector: {}", name));
  }
  return index;
}

}  // namespace

bool Selection::Enabled(std::string_view name, bool enabled_by_default) const {
  if (const auto found = named.find(name); found != named.end()) {
    return found->second;
  }
  return enabled_by_default && !disable_defaults;
}

base::Result<std::vector<bool>> SelectByName(std::span<const std::string_view> names,
                                             const std::vector<bool>& enabled,
                                             const ScrapeRequest& request) {
  if (!request.collect.empty() && !request.exclude.empty()) {
    return BadRequest("Combined collect and exclude queries are not allowed.");
  }
  std::vector<bool> chosen = request.collect.empty() ? enabled : std::vector<bool>(names.size());
  for (const std::string& name : request.collect) {
    ASSIGN_OR_RETURN(const size_t index, IndexOf(names, enabled, name));
    chosen[index] = true;
  }
  for (const std::string& name : request.exclude) {
    ASSIGN_OR_RETURN(const size_t index, IndexOf(names, enabled, name));
    chosen[index] = false;
  }
  return chosen;
}

CollectorOutcomes::CollectorOutcomes(std::string_view prefix, const base::Logger& logger)
    : duration_(model::DynamicDesc::Make(
          {.name = fmt::format("{}_scrape_collector_duration_seconds", prefix),
           .help = "How long the collector took in this scrape.",
           .labels = {"collector"}})),
      success_(model::DynamicDesc::Make({.name = fmt::format("{}_scrape_collector_success", prefix),
                                         .help = "Whether the collector succeeded in this scrape.",
                                         .labels = {"collector"}})),
      logger_(logger) {}

void CollectorOutcomes::Report(std::string_view collector, double seconds,
                               const base::Result<void>& outcome, Scrape& scrape) {
  scrape.Emit(duration_, seconds, {collector});
  scrape.Emit(success_, outcome.ok() ? 1 : 0, {collector});
  const std::string message = outcome.ok() ? std::string() : outcome.error().message();
  bool changed = false;
  {
    base::MutexLock lock(mutex_);
    const auto found = last_error_.find(collector);
    changed = (found == last_error_.end() ? std::string() : found->second) != message;
    if (changed) {
      last_error_.insert_or_assign(std::string(collector), message);
    }
  }
  if (!changed) {
    return;
  }
  if (outcome.ok()) {
    logger_.Info("collector recovered", {{"collector", std::string(collector)}});
  } else if (outcome.error().kind() == base::ErrorKind::kNotFound) {
    // The kernel or server has no such thing: normal on most machines.
    logger_.Debug("collector has nothing to read",
                  {{"collector", std::string(collector)}, {"err", message}});
  } else {
    logger_.Warn("collector failed", {{"collector", std::string(collector)}, {"err", message}});
  }
}

}  // namespace exporters
