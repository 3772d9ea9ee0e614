// Families to text. Values are the shortest text that reads back as the same double.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "lib/exposition/format.h"
#include "lib/model/metric_family.h"

namespace exposition {

// Prometheus text 0.0.4, appended to `out`. Families without metrics are left out. Exemplars have
// no place in it.
void WriteText(std::span<const model::MetricFamily> families, std::string* out);

// OpenMetrics 1.0, appended to `out`, closed with # EOF. Sample names are those of the text format,
// so a counter whose name lacks _total is written as unknown and an info family whose name lacks
// _info as gauge. A unit that is no suffix of the name is left out, and so is an exemplar whose
// labels are longer than kMaxExemplarLabelChars.
void WriteOpenMetrics(std::span<const model::MetricFamily> families, std::string* out);

void Write(Format format, std::span<const model::MetricFamily> families, std::string* out);

inline constexpr size_t kMaxExemplarLabelChars = 128;  // OpenMetrics' limit.

}  // namespace exposition
