#include "agent/rules/missing_data.h"

#include <fmt/format.h>

#include "agent/promql/parser.h"
#include "agent/promql/printer.h"

namespace rules {
namespace {

constexpr std::pair<std::string_view, MissingData> kPolicies[] = {
    {"resolve", MissingData::kResolve}, {"hold", MissingData::kHold}, {"fire", MissingData::kFire}};

// The leftmost selector, without its range.
std::optional<std::string> FirstSelector(std::string_view text) {
  const auto parsed = promql::ParseExpr(text, {});
  if (!parsed.ok()) {
    return std::nullopt;
  }
  std::optional<std::string> first;
  promql::Walk(**parsed, [&](const promql::Expr& expr) {
    if (first) {
      return;
    }
    if (std::holds_alternative<promql::VectorSelector>(expr.node)) {
      first = promql::ToString(expr);
    } else if (const auto* matrix = std::get_if<promql::MatrixSelector>(&expr.node)) {
      first = promql::ToString(promql::Expr(promql::VectorSelector(matrix->vector),
                                            promql::ValueType::kVector, expr.position));
    }
  });
  return first;
}

Target TargetOf(const model::Labels& labels) {
  return {std::string(labels.Get("job")), std::string(labels.Get("instance"))};
}

}  // namespace

base::Result<MissingData> ParseMissingData(std::string_view word) {
  for (const auto& [name, policy] : kPolicies) {
    if (name == word) {
      return policy;
    }
  }
  return base::Error(fmt::format("\"{}\": one of resolve, hold and fire is expected", word),
                     base::ErrorKind::kInvalidArgument);
}

std::optional<DataQueries> MakeDataQueries(std::string_view expression, const ParseFunc& parse) {
  const auto selector = FirstSelector(expression);
  if (!selector) {
    return std::nullopt;
  }
  auto data = parse(*selector);
  auto up = parse("up");
  if (!data.ok() || !up.ok() || !data->query || !up->query) {
    return std::nullopt;
  }
  return DataQueries{.selector = *std::move(data), .up = *std::move(up)};
}

void DataSnapshot::Load() {
  if (std::exchange(loaded_, true)) {
    return;
  }
  const auto data = queries_.selector.query(at_ms_);
  const auto up = queries_.up.query(at_ms_);
  const auto* elements = data.ok() ? std::get_if<promql::Vector>(&data->value) : nullptr;
  const auto* targets = up.ok() ? std::get_if<promql::Vector>(&up->value) : nullptr;
  if (elements == nullptr || targets == nullptr) {
    failed_ = true;
    return;
  }
  for (const promql::VectorElement& element : *elements) {
    const Target target = TargetOf(element.labels);
    jobs_with_data_.insert(target.first);
    with_data_.insert(target);
  }
  for (const promql::VectorElement& element : *targets) {
    (element.value == 0 ? down_ : up_).insert(TargetOf(element.labels));
  }
}

std::string DataSnapshot::WhyMissing(const model::Labels& alert) {
  Load();
  const Target target = TargetOf(alert);
  if (failed_) {
    return "";
  }
  if (!target.first.empty() && !target.second.empty()) {
    if (IsDown(target)) {
      return fmt::format("target {} of job {} is down", target.second, target.first);
    }
    return IsScraped(target) && with_data_.count(target) == 0
               ? fmt::format("target {} of job {} is up, but has no {}", target.second,
                             target.first, queries_.selector.text)
               : "";
  }
  const bool there =
      target.first.empty() ? !with_data_.empty() : jobs_with_data_.count(target.first) > 0;
  return there ? "" : fmt::format("there is no {}", queries_.selector.text);
}

std::vector<Target> DataSnapshot::LostTargets(std::set<Target>* known) {
  Load();
  std::vector<Target> lost;
  if (failed_) {
    return lost;
  }
  for (const Target& target : with_data_) {
    if (!target.second.empty() && known->size() < kMaxKnownTargets) {
      known->insert(target);
    }
  }
  for (auto target = known->begin(); target != known->end();) {
    if (!IsScraped(*target)) {
      target = known->erase(target);
      continue;
    }
    if (IsDown(*target) || with_data_.count(*target) == 0) {
      lost.push_back(*target);
    }
    ++target;
  }
  return lost;
}

}  // namespace rules
