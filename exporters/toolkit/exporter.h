// What an exporter is to whoever asks it for metrics: the HTTP front of the four binaries, and the
// agent that runs it in-process.
#pragma once

#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/model/metric_family.h"

namespace exporters {

struct ScrapeRequest {
  base::MonotonicTime
      deadline;  // What is not there by then is reported as failed; the rest is served.
  std::vector<std::string> collect;  // Only these collectors, when not empty.
  std::vector<std::string> exclude;  // All enabled ones but these.
};

// Thread-safe.
class Exporter {
 public:
  virtual ~Exporter() = default;

  // Families sorted by name, no series twice. A server that is down is a page with `*_up 0`, not an
  // error; errors are bad requests only: kInvalidArgument (unknown collector, collect with
  // exclude).
  virtual base::Result<std::vector<model::MetricFamily>> Collect(const ScrapeRequest& request) = 0;
};

}  // namespace exporters
