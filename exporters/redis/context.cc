#include "exporters/redis/context.h"

#include <optional>

namespace exporters::redis {

void EmitInfo(std::span<const InfoMetric> table, const Info& info, Scrape& scrape) {
  for (const InfoMetric& row : table) {
    const std::optional<std::string_view> text = info.Find(row.field);
    if (!text.has_value()) {
      continue;
    }
    if (const std::optional<double> value = ParseInfoValue(*text); value.has_value()) {
      scrape.Emit(row.desc, *value / row.divisor);
    }
  }
}

}  // namespace exporters::redis
