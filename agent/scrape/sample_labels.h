// From the labels on a page to those in the store.
#pragma once

#include <optional>

#include "agent/scrape/job.h"
#include "lib/base/result.h"
#include "lib/model/labels.h"

namespace scrape {

// Adds the target's labels to `builder`, which holds a sample's. Of a label that both have the
// target's wins and the sample's becomes exported_NAME, or with honor_labels the sample's stays.
void AddTargetLabels(const model::Labels& target, bool honor_labels, model::LabelsBuilder* builder);

// The same, then metric_relabel_configs. Nothing when the rules drop the series. Errors:
// kInvalidArgument for a series without a name.
base::Result<std::optional<model::Labels>> StoredLabels(const model::Labels& target,
                                                        const JobOptions& job,
                                                        model::LabelsBuilder builder);

// Errors: kResourceExhausted naming the limit, the metric and the label.
base::Result<void> CheckLabelLimits(const model::Labels& labels, const Limits& limits);

}  // namespace scrape
