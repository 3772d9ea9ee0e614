// From discovered labels to a target: job defaults, relabelling, URL. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "agent/discovery/target_group.h"
#include "agent/scrape/job.h"
#include "lib/base/result.h"
#include "lib/model/labels.h"

namespace scrape {

struct Target {
  model::Labels discovered_labels;  // With the job's defaults, before relabelling.
  model::Labels labels;             // Of every series; none starts with "__".
  std::string url;
  std::chrono::milliseconds interval{0};
  std::chrono::milliseconds timeout{0};

  // Tells targets of one job apart: two with equal keys are one.
  std::string Key() const { return url + '\xff' + labels.ToString(); }
};

struct MadeTarget {
  std::optional<Target> target;     // Nothing when relabelling dropped it.
  model::Labels discovered_labels;  // Also of a dropped one.
};

// Errors: kInvalidArgument for a target that cannot be scraped (no address, bad interval).
base::Result<MadeTarget> MakeTarget(const JobOptions& job, const discovery::TargetGroup& group,
                                    const std::string& address);

// `url` with "localhost" and addresses of this machine replaced by its name, for those who read the
// page elsewhere.
std::string GlobalUrl(const std::string& url, const std::string& host_name);

}  // namespace scrape
