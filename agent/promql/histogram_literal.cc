#include "agent/promql/histogram_literal.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "agent/promql/quote.h"
#include "lib/base/strings.h"

namespace promql {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using model::CounterReset;
using model::NativeHistogram;

// What a literal says; the buckets become sparse in the end.
struct Fields {
  HistogramLiteral literal;
  int64_t offset = 0;
  int64_t negative_offset = 0;
  std::vector<double> buckets;
  std::vector<double> negative_buckets;
};

Error Bad(std::string message) { return Error(std::move(message), ErrorKind::kInvalidArgument); }

Result<double> ParseNumber(std::string_view text) {
  const auto number = base::ParseDouble(text);
  return number ? Result<double>(*number) : Bad(fmt::format("bad number {}", Quote(text)));
}

Result<int64_t> ParseInteger(std::string_view text) {
  constexpr double kLimit = 1 << 30;
  ASSIGN_OR_RETURN(const double number, ParseNumber(text));
  if (!(std::fabs(number) <= kLimit) || number != std::trunc(number)) {
    return Bad(fmt::format("bad integer {}", Quote(text)));
  }
  return static_cast<int64_t>(number);
}

Result<std::vector<double>> ParseNumbers(std::string_view text) {
  if (!text.starts_with('[') || !text.ends_with(']')) {
    return Bad(fmt::format("a list in brackets expected, got {}", Quote(text)));
  }
  std::vector<double> numbers;
  for (const std::string_view word : base::Split(text.substr(1, text.size() - 2), ' ')) {
    if (base::TrimSpace(word).empty()) {
      continue;
    }
    ASSIGN_OR_RETURN(const double number, ParseNumber(base::TrimSpace(word)));
    numbers.push_back(number);
    if (numbers.size() > kMaxLiteralBuckets) {
      return Bad(fmt::format("more than {} buckets", kMaxLiteralBuckets));
    }
  }
  return numbers;
}

Result<void> SetSchema(std::string_view text, Fields* fields) {
  ASSIGN_OR_RETURN(const int64_t schema, ParseInteger(text));
  if (schema != NativeHistogram::kCustomSchema &&
      (schema < NativeHistogram::kMinSchema || schema > NativeHistogram::kMaxSchema)) {
    return Bad(fmt::format("no such schema: {}", schema));
  }
  fields->literal.histogram.schema = static_cast<int32_t>(schema);
  return {};
}

Result<void> SetZeroThreshold(std::string_view text, Fields* fields) {
  ASSIGN_OR_RETURN(fields->literal.histogram.zero_threshold, ParseNumber(text));
  if (!(fields->literal.histogram.zero_threshold >= 0)) {
    return Bad("a zero bucket cannot be narrower than nothing");
  }
  return {};
}

Result<void> SetCustomBounds(std::string_view text, Fields* fields) {
  ASSIGN_OR_RETURN(fields->literal.histogram.custom_bounds, ParseNumbers(text));
  const auto& bounds = fields->literal.histogram.custom_bounds;
  if (std::any_of(bounds.begin(), bounds.end(), [](double bound) { return std::isnan(bound); }) ||
      std::adjacent_find(bounds.begin(), bounds.end(), std::greater_equal<>()) != bounds.end()) {
    return Bad("custom_values must ascend");
  }
  return {};
}

Result<void> SetReset(std::string_view text, Fields* fields) {
  struct Row {
    std::string_view name;
    CounterReset reset;
  };
  constexpr Row kRows[] = {{"unknown", CounterReset::kUnknown},
                           {"reset", CounterReset::kReset},
                           {"not_reset", CounterReset::kNotReset},
                           {"gauge", CounterReset::kGauge}};
  for (const Row& row : kRows) {
    if (row.name == text) {
      fields->literal.histogram.reset = row.reset;
      fields->literal.says_reset = true;
      return {};
    }
  }
  return Bad(fmt::format("no such counter_reset_hint: {}", Quote(text)));
}

template <double NativeHistogram::*kMember>
Result<void> SetNumber(std::string_view text, Fields* fields) {
  ASSIGN_OR_RETURN(fields->literal.histogram.*kMember, ParseNumber(text));
  return {};
}
template <int64_t Fields::*kMember>
Result<void> SetInteger(std::string_view text, Fields* fields) {
  ASSIGN_OR_RETURN(fields->*kMember, ParseInteger(text));
  return {};
}
template <std::vector<double> Fields::*kMember>
Result<void> SetNumbers(std::string_view text, Fields* fields) {
  ASSIGN_OR_RETURN(fields->*kMember, ParseNumbers(text));
  return {};
}

struct Field {
  std::string_view name;
  Result<void> (*set)(std::string_view text, Fields* fields);
};
constexpr Field kFields[] = {
    {"schema", SetSchema},
    {"sum", SetNumber<&NativeHistogram::sum>},
    {"count", SetNumber<&NativeHistogram::count>},
    {"z_bucket", SetNumber<&NativeHistogram::zero_count>},
    {"z_bucket_w", SetZeroThreshold},
    {"custom_values", SetCustomBounds},
    {"buckets", SetNumbers<&Fields::buckets>},
    {"offset", SetInteger<&Fields::offset>},
    {"n_buckets", SetNumbers<&Fields::negative_buckets>},
    {"n_offset", SetInteger<&Fields::negative_offset>},
    {"counter_reset_hint", SetReset},
};

Result<void> SetField(std::string_view name, std::string_view text, Fields* fields) {
  for (const Field& field : kFields) {
    if (field.name == name) {
      auto set = field.set(text, fields);
      return set.ok() ? set : set.error().WithContext(std::string(name));
    }
  }
  return Bad(fmt::format("unknown field {}", Quote(name)));
}

NativeHistogram::Buckets Sparse(const std::vector<double>& counts, int64_t offset) {
  NativeHistogram::Buckets buckets;
  for (const double count : counts) {
    if (count != 0) {
      buckets.push_back({static_cast<int32_t>(offset), count});
    }
    ++offset;
  }
  return buckets;
}

}  // namespace

Result<HistogramLiteral> ParseHistogramLiteral(std::string_view text) {
  if (!text.starts_with("{{") || !text.ends_with("}}") || text.size() < 4) {
    return Bad(fmt::format("a native histogram in {{{{ }}}} expected, got {}", Quote(text)));
  }
  Fields fields;
  std::string_view rest = base::TrimSpace(text.substr(2, text.size() - 4));
  while (!rest.empty()) {
    const size_t colon = rest.find(':');
    if (colon == std::string_view::npos) {
      return Bad(fmt::format("a field has a value: {}", Quote(rest)));
    }
    const std::string_view name = rest.substr(0, colon);
    rest.remove_prefix(colon + 1);
    const bool list = rest.starts_with('[');
    const size_t end = std::min(list ? rest.find(']') : rest.find(' '), rest.size());
    const size_t length = std::min(end + (list ? 1 : 0), rest.size());
    RETURN_IF_ERROR(SetField(name, rest.substr(0, length), &fields));
    rest = base::TrimSpace(rest.substr(length));
  }
  HistogramLiteral literal = std::move(fields.literal);
  literal.histogram.positive = Sparse(fields.buckets, fields.offset);
  literal.histogram.negative = Sparse(fields.negative_buckets, fields.negative_offset);
  return literal;
}

}  // namespace promql
