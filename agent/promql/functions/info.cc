// Labels of info metrics, added to other series.
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "agent/promql/call_context.h"
#include "agent/promql/functions/groups.h"
#include "agent/promql/grouping.h"

namespace promql {
namespace {

using base::Result;

constexpr std::string_view kTargetInfo = "target_info";

// The labels that a series and its info series have in common.
const std::vector<std::string>& IdentifyingLabels() {
  static const std::vector<std::string> kLabels{"instance", "job"};
  return kLabels;
}

// Which info series and which of their labels are asked for.
struct InfoRequest {
  std::vector<model::Matcher> names;  // Of the metric; none: target_info.
  std::vector<model::Matcher> data;   // Of its labels; none: all labels.

  bool Takes(std::string_view label) const {
    return data.empty() || std::any_of(data.begin(), data.end(), [label](const auto& matcher) {
             return matcher.name() == label;
           });
  }
  bool MayBeMissing() const {
    return std::all_of(data.begin(), data.end(), [](const model::Matcher& matcher) {
      return matcher.Matches(std::string_view());
    });
  }
};

InfoRequest RequestOf(const CallContext& call) {
  InfoRequest request;
  if (call.args() < 2) {
    request.names.push_back(
        model::Matcher::Equal(std::string(model::kMetricNameLabel), std::string(kTargetInfo)));
    return request;
  }
  for (const model::Matcher& matcher :
       std::get<VectorSelector>(Unwrap(call.Arg(1)).node).matchers) {
    (matcher.name() == model::kMetricNameLabel ? request.names : request.data).push_back(matcher);
  }
  return request;
}

// The info series are looked up at the times of the first selector of the argument.
TimeShift ShiftOfFirstSelector(const Expr& expr) {
  std::optional<TimeShift> shift;
  Walk(expr, [&shift](const Expr& below) {
    if (!shift && (std::holds_alternative<VectorSelector>(below.node) ||
                   std::holds_alternative<MatrixSelector>(below.node))) {
      shift = *ShiftOf(const_cast<Expr&>(below));
    }
  });
  return shift.value_or(TimeShift());
}

class InfoJoin {
 public:
  InfoJoin(const InfoRequest& request, const StepMatrix& infos, size_t steps)
      : request_(request), infos_(infos), steps_(steps) {
    for (size_t i = 0; i < infos.size(); ++i) {
      by_identity_[KeepLabels(infos[i].labels, IdentifyingLabels())].push_back(i);
    }
  }

  Result<void> Add(const StepSeries& series) {
    const auto candidates = by_identity_.find(KeepLabels(series.labels, IdentifyingLabels()));
    const bool enrich = candidates != by_identity_.end() && !candidates->first.empty();
    for (size_t i = 0; i < steps_; ++i) {
      if (!series.Has(i)) {
        continue;
      }
      std::vector<size_t> chosen;
      if (enrich) {
        ASSIGN_OR_RETURN(chosen, Newest(candidates->second, i));
      }
      ASSIGN_OR_RETURN(const auto labels, Enriched(series.labels, chosen));
      if (labels) {
        Output(*labels, series).Set(i, series.At(i));
      }
    }
    return {};
  }

  void Keep(const StepSeries& series) { output_.push_back(series); }

  StepMatrix Take() { return std::move(output_); }

 private:
  // Of each info metric the series whose sample is the newest. Their values are times.
  Result<std::vector<size_t>> Newest(const std::vector<size_t>& candidates, size_t step) const {
    std::map<std::string_view, size_t> newest;
    for (const size_t candidate : candidates) {
      if (!infos_[candidate].Has(step)) {
        continue;
      }
      const auto [at, inserted] = newest.emplace(infos_[candidate].labels.MetricName(), candidate);
      const double before = infos_[at->second].values[step];
      const double now = infos_[candidate].values[step];
      if (!inserted && before == now) {
        return base::Error(
            fmt::format("found duplicate series for info metric: existing {} @ {}, new {} @ {}",
                        infos_[at->second].labels.ToString(), before * 1000,
                        infos_[candidate].labels.ToString(), now * 1000),
            base::ErrorKind::kInvalidArgument);
      }
      at->second = before < now ? candidate : at->second;
    }
    std::vector<size_t> chosen;
    chosen.reserve(newest.size());
    for (const auto& [name, candidate] : newest) {
      chosen.push_back(candidate);
    }
    return chosen;
  }

  // None when the labels that were asked for must be there and are not.
  Result<std::optional<model::Labels>> Enriched(const model::Labels& base,
                                                const std::vector<size_t>& chosen) const {
    model::LabelsBuilder builder(base);
    model::LabelsBuilder added;
    for (const size_t index : chosen) {
      for (const model::Label label : infos_[index].labels) {
        if (label.name == model::kMetricNameLabel || !request_.Takes(label.name)) {
          continue;
        }
        const std::string_view before = added.Get(label.name);
        if (!before.empty() && before != label.value) {
          return base::Error(fmt::format("conflicting label: {}", label.name),
                             base::ErrorKind::kInvalidArgument);
        }
        if (!base.Has(label.name)) {
          added.Set(label.name, label.value);
          builder.Set(label.name, label.value);
        }
      }
    }
    if (added.labels().empty() && !request_.MayBeMissing()) {
      return std::optional<model::Labels>();
    }
    return std::optional<model::Labels>(builder.Build());
  }

  StepSeries& Output(const model::Labels& labels, const StepSeries& series) {
    const auto [at, inserted] = by_labels_.emplace(labels, output_.size());
    if (inserted) {
      output_.push_back({.labels = labels,
                         .drop_name = series.drop_name,
                         .values = std::vector<double>(steps_, kAbsent)});
    }
    return output_[at->second];
  }

  const InfoRequest& request_;
  const StepMatrix& infos_;
  const size_t steps_;
  std::unordered_map<model::Labels, std::vector<size_t>> by_identity_;
  std::unordered_map<model::Labels, size_t> by_labels_;
  StepMatrix output_;
};

Result<StepValue> Info(CallContext& call) {
  ASSIGN_OR_RETURN(const StepMatrix base, call.Vector(0));
  const InfoRequest request = RequestOf(call);
  VectorSelector selector{.matchers = request.data, .shift = ShiftOfFirstSelector(call.Arg(0))};
  selector.matchers.insert(selector.matchers.end(), request.names.begin(), request.names.end());
  if (request.names.empty()) {
    selector.matchers.push_back(
        model::Matcher::Equal(std::string(model::kMetricNameLabel), std::string(kTargetInfo)));
  }
  ASSIGN_OR_RETURN(
      const StepMatrix infos,
      EvaluateSelector(call.evaluator(), selector, call.steps(), SelectorValue::kTimestampSeconds));
  RETURN_IF_ERROR(call.evaluator().Hold(base.size() * call.steps().count));
  InfoJoin join(request, infos, call.steps().count);
  for (const StepSeries& series : base) {
    // Info series are not enriched themselves.
    const bool is_info =
        !request.names.empty() &&
        std::all_of(request.names.begin(), request.names.end(), [&series](const auto& matcher) {
          return matcher.Matches(series.labels.MetricName());
        });
    if (is_info) {
      join.Keep(series);
    } else {
      RETURN_IF_ERROR(join.Add(series));
    }
  }
  ASSIGN_OR_RETURN(StepMatrix joined, MergeSameLabels(join.Take()));
  return StepValue(std::move(joined));
}

constexpr Function kFunctions[] = {
    {.name = "info",
     .help = "Adds labels of info metrics: vector, and which labels as a selector without a name.",
     .args = {kVector, kVector},
     .variadic = Function::kOptional,
     .traits = kTakesLabelSelector | kKeepsName,
     .experimental = true,
     .eval = Info},
};

}  // namespace

std::span<const Function> InfoFunctions() { return kFunctions; }

}  // namespace promql
