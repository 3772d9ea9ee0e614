// Sizes of keys without looking at them: INFO's Keysizes section (Redis 8), histograms that the
// server keeps itself.
//   db0_distrib_strings_sizes:1=2,4=1,1K=7
// The number is how many keys are at least that big and smaller than the next power of two.
#include <array>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "exporters/redis/context.h"
#include "lib/base/strings.h"

namespace exporters::redis {
namespace {

constexpr model::MetricDesc kSizes{
    .name = "redis_key_sizes",
    .help = "Keys by size: elements, or bytes of strings (Redis 8). The sum is a lower bound.",
    .type = model::MetricType::kHistogram,
    .labels = {"db", "type"}};

struct Unit {
  char letter;
  double factor;
};
constexpr Unit kUnits[] = {{'K', 1024.0}, {'M', 1048576.0}, {'G', 1073741824.0}};
constexpr int kMaxExponent = 40;

// "0", "4", "1K", "16M".
std::optional<double> ParseSize(std::string_view text) {
  double factor = 1;
  for (const Unit& unit : kUnits) {
    if (!text.empty() && text.back() == unit.letter) {
      factor = unit.factor;
      text.remove_suffix(1);
    }
  }
  const auto number = base::ParseUint(text);
  return number.has_value() ? std::optional(static_cast<double>(*number) * factor) : std::nullopt;
}

// One ladder for all servers and times: powers of two less 1, as sizes are whole numbers.
std::unique_ptr<model::Histogram> MakeHistogram(const InfoPairs& pairs) {
  std::array<double, kMaxExponent + 1> counts{};
  auto histogram = std::make_unique<model::Histogram>();
  for (const InfoPairs::Pair& pair : pairs.pairs()) {
    const auto size = ParseSize(pair.name);
    const auto keys = ParseInfoValue(pair.value);
    if (!size.has_value() || !keys.has_value()) {
      continue;
    }
    const int exponent = *size < 1 ? 0 : std::ilogb(*size) + 1;
    if (exponent <= kMaxExponent) {
      counts.at(static_cast<size_t>(exponent)) += *keys;
    }
    histogram->count += *keys;
    histogram->sum += *keys * *size;
  }
  double cumulative = 0;
  for (int i = 0; i <= kMaxExponent; i += 2) {
    cumulative +=
        counts.at(static_cast<size_t>(i)) + (i > 0 ? counts.at(static_cast<size_t>(i) - 1) : 0);
    histogram->buckets.push_back(
        {.upper_bound = std::ldexp(1, i) - 1, .cumulative_count = cumulative});
  }
  return histogram;
}

base::Result<void> CollectKeysizes(const Snapshot& snapshot, Scrape& scrape) {
  for (const InfoField& field : snapshot.info.fields()) {
    const size_t middle = field.name.find("_distrib_");
    if (middle == std::string_view::npos || field.name.substr(0, 2) != "db") {
      continue;
    }
    const std::string_view type = field.name.substr(middle + 9);
    scrape.Emit(kSizes, model::Metric{.labels = {field.name.substr(0, middle),
                                                 type.substr(0, type.find('_'))},
                                      .histogram = MakeHistogram(InfoPairs(field.value))});
  }
  return {};
}

}  // namespace

extern constexpr RedisCollector kKeysizes{.name = "keysizes",
                                          .help = "Keys by size, as Redis 8 counts them itself.",
                                          .collect = CollectKeysizes};

}  // namespace exporters::redis
