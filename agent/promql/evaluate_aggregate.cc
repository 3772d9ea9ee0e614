// Aggregations: elements are grouped by labels once, then each group is evaluated at each step.
#include <algorithm>
#include <memory>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "agent/promql/aggregations.h"
#include "agent/promql/grouping.h"
#include "agent/promql/histogram_notes.h"
#include "agent/promql/nodes.h"
#include "agent/promql/quote.h"
#include "lib/base/strings.h"

namespace promql {
namespace {

using base::Result;

struct Group {
  model::Labels labels;
  bool drop_name = false;
  std::vector<size_t> members;  // Indices into the input.
};

// The shortest digits, never with an exponent.
std::string FixedNotation(double value) {
  std::string text = base::FormatDouble(value);
  const size_t exponent_at = text.find('e');
  if (exponent_at == std::string::npos) {
    return text;
  }
  const int64_t exponent = static_cast<int64_t>(*base::ParseDouble(text.substr(exponent_at + 1)));
  const bool negative = text.front() == '-';
  std::string digits;
  for (const char c : text.substr(0, exponent_at)) {
    if (c >= '0' && c <= '9') {
      digits += c;
    }
  }
  std::string fixed = negative ? "-" : "";
  if (exponent < 0) {
    fixed += "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + digits;
  } else {
    // FormatDouble uses an exponent from 21 on; no double has more digits than that.
    fixed += digits + std::string(static_cast<size_t>(exponent) + 1 - digits.size(), '0');
  }
  return fixed;
}

class AggregateEvaluator {
 public:
  AggregateEvaluator(Evaluator& evaluator, const Aggregate& aggregate, const Steps& steps)
      : evaluator_(evaluator), aggregate_(aggregate), steps_(steps) {}

  Result<StepMatrix> Run() {
    parameters_.assign(1, 0);
    if (aggregate_.aggregation->parameter == ValueType::kScalar) {
      ASSIGN_OR_RETURN(parameters_, evaluator_.Scalars(*aggregate_.parameter, steps_));
    }
    ASSIGN_OR_RETURN(input_, evaluator_.Vector(*aggregate_.operand, steps_));
    if (aggregate_.aggregation->check_parameter != nullptr) {
      for (double& parameter : parameters_) {
        aggregate_.aggregation->check_parameter(&parameter, aggregate_.parameter->position,
                                                &evaluator_.notes());
      }
      RETURN_IF_ERROR(evaluator_.notes().Status());
    }
    MakeGroups();
    return std::visit(*this, aggregate_.aggregation->eval);
  }

  Result<StepMatrix> operator()(ReduceEval reduce) {
    StepMatrix output;
    for (const Group& group : groups_) {
      RETURN_IF_ERROR(evaluator_.Hold(steps_.count));
      StepSeries series = Empty(group.labels);
      series.drop_name = group.drop_name;
      for (size_t i = 0; i < steps_.count; ++i) {
        Gather(group, i);
        if (!values_.empty() && !histograms_.empty()) {
          evaluator_.notes().Warn(aggregate_.operand->position,
                                  "encountered a mix of histograms and floats in aggregation");
        } else if (!values_.empty()) {
          series.values[i] = reduce(values_, Parameter(i));
        } else if (!histograms_.empty()) {
          series.Set(i, Fold());
        }
      }
      output.push_back(std::move(series));
    }
    DropEmpty(&output);
    return output;
  }

  Result<StepMatrix> operator()(ChooseEval choose) {
    std::vector<size_t> order;  // Of an instant query: as chosen.
    StepMatrix output = input_;
    for (StepSeries& series : output) {
      std::fill(series.values.begin(), series.values.end(), kAbsent);
      series.histograms.clear();
    }
    std::vector<GroupElement> elements;
    for (const Group& group : groups_) {
      for (size_t i = 0; i < steps_.count; ++i) {
        elements.clear();
        for (const size_t member : group.members) {
          if (Counts(member, i)) {
            elements.push_back({input_[member].values[i], member, &input_[member].labels});
          }
        }
        choose(Parameter(i), &elements);
        for (const GroupElement& element : elements) {
          output[element.series].Set(i, input_[element.series].At(i));
          order.push_back(element.series);
        }
      }
    }
    if (steps_.count == 1) {
      StepMatrix ordered;
      for (const size_t index : order) {
        ordered.push_back(std::move(output[index]));
      }
      return ordered;
    }
    DropEmpty(&output);
    return output;
  }

  Result<StepMatrix> operator()(CountValues /*kind*/) {
    ASSIGN_OR_RETURN(const std::string label, evaluator_.Text(*aggregate_.parameter));
    if (label.empty() || !base::IsValidUtf8(label)) {
      return base::Error(fmt::format("invalid label name {}", Quote(label)),
                         base::ErrorKind::kInvalidArgument);
    }
    StepMatrix output;
    std::unordered_map<model::Labels, size_t> by_labels;
    for (const Group& group : groups_) {
      for (size_t i = 0; i < steps_.count; ++i) {
        for (const size_t member : group.members) {
          if (!Counts(member, i)) {
            continue;
          }
          const Point point = input_[member].At(i);
          model::LabelsBuilder builder(group.labels);
          builder.Set(label, point.histogram != nullptr ? model::ToString(*point.histogram)
                                                        : FixedNotation(point.value));
          const auto [at, inserted] = by_labels.emplace(builder.Build(), output.size());
          if (inserted) {
            RETURN_IF_ERROR(evaluator_.Hold(steps_.count));
            output.push_back(Empty(at->first));
          }
          double& count = output[at->second].values[i];
          count = IsAbsent(count) ? 1 : count + 1;
        }
      }
    }
    return output;
  }

 private:
  void MakeGroups() {
    std::unordered_map<model::Labels, size_t> by_labels;
    for (size_t i = 0; i < input_.size(); ++i) {
      const model::Labels& labels = input_[i].labels;
      const auto [at, inserted] =
          by_labels.emplace(aggregate_.without ? DropLabels(labels, aggregate_.grouping)
                                               : KeepLabels(labels, aggregate_.grouping),
                            groups_.size());
      if (inserted) {
        groups_.push_back({.labels = at->first});
      }
      Group& group = groups_[at->second];
      group.members.push_back(i);
      group.drop_name = group.drop_name || input_[i].drop_name;
    }
  }

  // Whether there is an element for this aggregation.
  bool Counts(size_t member, size_t step) {
    const StepSeries& series = input_[member];
    if (!series.HasHistogram(step)) {
      return !IsAbsent(series.values[step]);
    }
    if (aggregate_.aggregation->histograms != HistogramUse::kIgnored) {
      return true;
    }
    InformIgnoredInAggregation(aggregate_.operand->position, aggregate_.aggregation->name,
                               &evaluator_.notes());
    return false;
  }

  // The elements of a group at one step, into values_ and histograms_.
  void Gather(const Group& group, size_t step) {
    values_.clear();
    histograms_.clear();
    for (const size_t member : group.members) {
      if (!Counts(member, step)) {
        continue;
      }
      if (input_[member].HasHistogram(step) &&
          aggregate_.aggregation->histograms == HistogramUse::kFolded) {
        histograms_.emplace_back(member, input_[member].histograms[step]);
      } else {
        values_.push_back(input_[member].values[step]);
      }
    }
  }

  // Of histograms_; absent when they do not fit together.
  Point Fold() {
    auto result = std::make_shared<model::NativeHistogram>(*histograms_.front().second);
    for (size_t i = 1; i < histograms_.size(); ++i) {
      const auto& [member, histogram] = histograms_[i];
      const auto mismatch = aggregate_.aggregation->fold(i + 1, *histogram, result.get());
      if (mismatch != model::HistogramMismatch::kNone) {
        WarnMismatch(mismatch, aggregate_.operand->position, input_[member].labels.MetricName(),
                     &evaluator_.notes());
        return kAbsent;
      }
    }
    model::Compact(result.get());
    return HistogramPtr(std::move(result));
  }

  double Parameter(size_t step) const {
    return parameters_[std::min(step, parameters_.size() - 1)];
  }

  StepSeries Empty(const model::Labels& labels) const {
    return {.labels = labels, .values = std::vector<double>(steps_.count, kAbsent)};
  }

  Evaluator& evaluator_;
  const Aggregate& aggregate_;
  const Steps& steps_;
  StepScalars parameters_;
  StepMatrix input_;
  std::vector<Group> groups_;
  std::vector<double> values_;
  std::vector<std::pair<size_t, HistogramPtr>> histograms_;  // With their members.
};

}  // namespace

Result<StepMatrix> EvaluateAggregate(Evaluator& evaluator, const Aggregate& aggregate,
                                     const Steps& steps) {
  return AggregateEvaluator(evaluator, aggregate, steps).Run();
}

}  // namespace promql
