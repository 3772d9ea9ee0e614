// Binary operators: scalars with scalars, vectors with scalars, and vectors matched by labels.
#include <limits>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "agent/promql/grouping.h"
#include "agent/promql/histogram_notes.h"
#include "agent/promql/nodes.h"
#include "agent/promql/quote.h"

namespace promql {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

// One operator, applied to pairs of elements.
class Applier {
 public:
  Applier(const Binary& binary, Notes& notes) : binary_(binary), op_(*binary.op), notes_(notes) {}

  // The value of `left op right` for an element whose own value is `element`; none when a
  // comparison filters it out, or when the operator does not exist for these types.
  std::optional<Point> operator()(const Point& left, const Point& right,
                                  const Point& element) const {
    if (left.histogram != nullptr || right.histogram != nullptr) {
      return Histograms(left, right, element);
    }
    if (op_.type == OperatorClass::kArithmetic) {
      return op_.apply(left.value, right.value);
    }
    return Compared(op_.compare(left.value, right.value), element);
  }

 private:
  std::optional<Point> Compared(bool holds, const Point& element) const {
    if (binary_.return_bool) {
      return holds ? 1 : 0;
    }
    return holds ? std::optional<Point>(element) : std::nullopt;
  }

  std::optional<Point> Histograms(const Point& left, const Point& right,
                                  const Point& element) const {
    const bool both = left.histogram != nullptr && right.histogram != nullptr;
    if (both && op_.if_same) {
      const bool same = model::SameObservations(*left.histogram, *right.histogram);
      return Compared(same == *op_.if_same, element);
    }
    if (both && op_.combine != nullptr) {
      return Combined(*left.histogram, *right.histogram);
    }
    if (!both && op_.scale != nullptr && (left.histogram != nullptr || op_.float_may_be_left)) {
      return left.histogram != nullptr ? Scaled(*left.histogram, right.value)
                                       : Scaled(*right.histogram, left.value);
    }
    const auto type = [](const Point& point) { return point.histogram ? "histogram" : "float"; };
    notes_.Info(Where(), fmt::format("incompatible sample types encountered for binary operator "
                                     "{}: {} {} {}",
                                     Quote(op_.text), type(left), op_.text, type(right)));
    return std::nullopt;
  }

  std::optional<Point> Combined(const model::NativeHistogram& left,
                                const model::NativeHistogram& right) const {
    auto result = std::make_shared<model::NativeHistogram>(left);
    if (const auto mismatch = op_.combine(right, result.get());
        mismatch != model::HistogramMismatch::kNone) {
      WarnMismatch(mismatch, Where(), "", &notes_);
      return std::nullopt;
    }
    model::Compact(result.get());
    return Point(HistogramPtr(std::move(result)));
  }

  std::optional<Point> Scaled(const model::NativeHistogram& histogram, double by) const {
    auto result = std::make_shared<model::NativeHistogram>(histogram);
    op_.scale(by, result.get());
    model::Compact(result.get());
    return Point(HistogramPtr(std::move(result)));
  }

  Position Where() const { return {binary_.left->position.start, binary_.right->position.end}; }

  const Binary& binary_;
  const Operator& op_;
  Notes& notes_;
};

// A filter keeps the name, everything else makes a new quantity.
bool DropsName(const Binary& binary) {
  return binary.op->type == OperatorClass::kArithmetic || binary.return_bool;
}

StepScalars ScalarWithScalar(const Applier& apply, StepScalars left, const StepScalars& right) {
  for (size_t i = 0; i < left.size(); ++i) {
    left[i] = apply(left[i], right[i], left[i])->value;  // Comparisons are `bool` here.
  }
  return left;
}

Result<StepMatrix> VectorWithScalar(Evaluator& evaluator, const Binary& binary, StepMatrix vector,
                                    const StepScalars& scalars, bool scalar_left) {
  const Applier apply(binary, evaluator.notes());
  for (StepSeries& series : vector) {
    for (size_t i = 0; i < series.values.size(); ++i) {
      if (series.Has(i)) {
        const Point point = series.At(i);
        series.Set(i,
                   (scalar_left ? apply(scalars[i], point, point) : apply(point, scalars[i], point))
                       .value_or(kAbsent));
      }
    }
  }
  DropEmpty(&vector);
  if (!DropsName(binary)) {
    return vector;
  }
  for (StepSeries& series : vector) {
    evaluator.DropName(&series);
  }
  return evaluator.options().delayed_name_removal ? std::move(vector)
                                                  : MergeSameLabels(std::move(vector));
}

// All labels in braces, the name among them.
std::string InBraces(const model::Labels& labels) {
  std::string text;
  for (const model::Label label : labels) {
    text += text.empty() ? "" : ", ";
    text += fmt::format("{}={}", label.name, Quote(label.value));
  }
  return "{" + text + "}";
}

class VectorMatcher {
 public:
  VectorMatcher(Evaluator& evaluator, const Binary& binary, size_t steps)
      : evaluator_(evaluator),
        binary_(binary),
        matching_(*binary.matching),
        apply_(binary, evaluator.notes()),
        steps_(steps) {}

  Result<StepMatrix> Set(StepMatrix left, StepMatrix right) {
    const std::vector<size_t> left_groups = Groups(left);
    const std::vector<size_t> right_groups = Groups(right);
    RETURN_IF_ERROR(evaluator_.Hold(groups_.size() * steps_));
    if (binary_.op->keep != nullptr) {
      Filter(Presence(right, right_groups), left_groups, binary_.op->keep, &left);
      return left;
    }
    Filter(
        Presence(left, left_groups), right_groups, [](bool matched) { return !matched; }, &right);
    for (StepSeries& series : right) {
      left.push_back(std::move(series));
    }
    return MergeSameLabels(std::move(left));
  }

  Result<StepMatrix> Match(StepMatrix left, StepMatrix right) {
    many_ = std::move(left);
    one_ = std::move(right);
    fill_many_ = matching_.fill_left;
    fill_one_ = matching_.fill_right;
    if (matching_.cardinality == Cardinality::kOneToMany) {
      std::swap(many_, one_);
      std::swap(fill_many_, fill_one_);
    }
    const std::vector<size_t> many_groups = Groups(many_);
    const std::vector<size_t> one_groups = Groups(one_);
    RETURN_IF_ERROR(evaluator_.Hold(groups_.size() * steps_));
    matched_.assign(groups_.size() * steps_, false);
    RETURN_IF_ERROR(IndexOneSide(one_groups));
    for (size_t m = 0; m < many_.size(); ++m) {
      for (size_t i = 0; i < steps_; ++i) {
        RETURN_IF_ERROR(MatchElement(m, many_groups[m], i));
      }
    }
    if (fill_many_) {
      RETURN_IF_ERROR(FillMany(Presence(many_, many_groups), one_groups));
    }
    return std::move(output_);
  }

 private:
  static constexpr size_t kNone = std::numeric_limits<size_t>::max();

  // The match group of each series.
  std::vector<size_t> Groups(const StepMatrix& matrix) {
    std::vector<size_t> groups;
    groups.reserve(matrix.size());
    for (const StepSeries& series : matrix) {
      groups.push_back(groups_.emplace(GroupLabels(series.labels), groups_.size()).first->second);
    }
    return groups;
  }

  model::Labels GroupLabels(const model::Labels& labels) const {
    return matching_.on ? KeepLabels(labels, matching_.labels)
                        : DropLabels(labels, matching_.labels);
  }

  // For each group and step: does any series of the group have a value?
  std::vector<std::vector<bool>> Presence(const StepMatrix& matrix,
                                          const std::vector<size_t>& groups) const {
    std::vector<std::vector<bool>> present(groups_.size(), std::vector<bool>(steps_));
    for (size_t s = 0; s < matrix.size(); ++s) {
      for (size_t i = 0; i < steps_; ++i) {
        if (matrix[s].Has(i)) {
          present[groups[s]][i] = true;
        }
      }
    }
    return present;
  }

  void Filter(const std::vector<std::vector<bool>>& present, const std::vector<size_t>& groups,
              bool (*keep)(bool), StepMatrix* matrix) const {
    for (size_t s = 0; s < matrix->size(); ++s) {
      for (size_t i = 0; i < steps_; ++i) {
        if (!keep(present[groups[s]][i])) {
          (*matrix)[s].Clear(i);
        }
      }
    }
    DropEmpty(matrix);
  }

  // Finds the one element of each group and step; two are an error if anything could match them.
  Result<void> IndexOneSide(const std::vector<size_t>& groups) {
    std::vector<bool> any_many(steps_);
    for (const StepSeries& series : many_) {
      for (size_t i = 0; i < steps_; ++i) {
        any_many[i] = any_many[i] || series.Has(i);
      }
    }
    one_at_.assign(groups_.size(), {});
    for (size_t s = 0; s < one_.size(); ++s) {
      std::vector<size_t>& at = one_at_[groups[s]];
      at.resize(steps_, kNone);
      for (size_t i = 0; i < steps_; ++i) {
        if (!one_[s].Has(i)) {
          continue;
        }
        if (at[i] != kNone && any_many[i]) {
          return DuplicateOnOneSide(s, at[i]);
        }
        at[i] = s;
      }
    }
    return {};
  }

  Error DuplicateOnOneSide(size_t a, size_t b) const {
    const bool left = matching_.cardinality == Cardinality::kOneToMany;
    return Error(
        fmt::format("found duplicate series for the match group {} on the {} hand-side of the "
                    "operation: [{}, {}];many-to-many matching not allowed: matching labels must "
                    "be unique on one side",
                    InBraces(GroupLabels(one_[a].labels)), left ? "left" : "right",
                    InBraces(one_[a].labels), InBraces(one_[b].labels)),
        ErrorKind::kInvalidArgument);
  }

  Result<void> MatchElement(size_t m, size_t group, size_t step) {
    if (!many_[m].Has(step)) {
      return {};
    }
    const bool matched = !one_at_[group].empty() && one_at_[group][step] != kNone;
    if (!matched && !fill_one_) {
      return {};
    }
    const size_t o = matched ? one_at_[group][step] : kNone;
    const Point many = many_[m].At(step);
    const std::optional<Point> value =
        ApplyTo(many, matched ? one_[o].At(step) : Point(*fill_one_));
    if (!value) {
      return {};
    }
    ASSIGN_OR_RETURN(const size_t index, OutputOf(m, o));
    // A filter keeps names, so that results of one group can differ and still be too many.
    bool again = false;
    if (matching_.cardinality == Cardinality::kOneToOne) {
      again = matched_[group * steps_ + step];
      matched_[group * steps_ + step] = true;
    }
    if (again || output_[index].Has(step)) {
      return Error(matching_.cardinality == Cardinality::kOneToOne
                       ? "multiple matches for labels: many-to-one matching must be explicit "
                         "(group_left/group_right)"
                       : "multiple matches for labels: grouping labels must ensure unique matches",
                   ErrorKind::kInvalidArgument);
    }
    output_[index].Set(step, *value);
    return {};
  }

  std::optional<Point> ApplyTo(const Point& many, const Point& one) const {
    return matching_.cardinality == Cardinality::kOneToMany ? apply_(one, many, one)
                                                            : apply_(many, one, many);
  }

  // The elements of the one side without a match get one that is made up.
  Result<void> FillMany(const std::vector<std::vector<bool>>& present,
                        const std::vector<size_t>& one_groups) {
    for (size_t o = 0; o < one_.size(); ++o) {
      for (size_t i = 0; i < steps_; ++i) {
        if (!one_[o].Has(i) || present[one_groups[o]][i]) {
          continue;
        }
        const std::optional<Point> value = ApplyTo(*fill_many_, one_[o].At(i));
        if (!value) {
          continue;
        }
        ASSIGN_OR_RETURN(const size_t index, OutputOf(kNone, o));
        if (output_[index].Has(i)) {
          return Error("multiple matches for labels: grouping labels must ensure unique matches",
                       ErrorKind::kInvalidArgument);
        }
        output_[index].Set(i, *value);
      }
    }
    return {};
  }

  // The output series of a pair; one of the two may be made up, with the labels that match.
  Result<size_t> OutputOf(size_t m, size_t o) {
    if (m == last_many_ && o == last_one_ && last_output_ != kNone) {
      return last_output_;
    }
    const model::Labels many = m != kNone ? many_[m].labels : GroupLabels(one_[o].labels);
    const model::Labels one = o != kNone ? one_[o].labels : GroupLabels(many);
    const auto [at, inserted] = by_labels_.emplace(ResultLabels(many, one), output_.size());
    if (inserted) {
      RETURN_IF_ERROR(evaluator_.Hold(steps_));
      StepSeries series{.labels = at->first, .values = std::vector<double>(steps_, kAbsent)};
      series.drop_name = (m != kNone && many_[m].drop_name) ||
                         (DropsName(binary_) && evaluator_.options().delayed_name_removal);
      output_.push_back(std::move(series));
    }
    last_many_ = m;
    last_one_ = o;
    last_output_ = at->second;
    return last_output_;
  }

  model::Labels ResultLabels(const model::Labels& many, const model::Labels& one) const {
    model::LabelsBuilder builder;
    for (const model::Label label : many) {
      const bool is_name = GoesWithName(label.name);
      const bool matched = Names(matching_.labels, label.name);
      const bool cut = matching_.cardinality == Cardinality::kOneToOne && matched != matching_.on;
      const bool drop_now =
          is_name && DropsName(binary_) && !evaluator_.options().delayed_name_removal;
      if (!cut && !drop_now) {
        builder.Set(label.name, label.value);
      }
    }
    for (const std::string& name : matching_.include) {
      builder.Set(name, one.Get(name));
    }
    return builder.Build();
  }

  Evaluator& evaluator_;
  const Binary& binary_;
  const VectorMatching& matching_;
  const Applier apply_;
  const size_t steps_;
  std::unordered_map<model::Labels, size_t> groups_;
  StepMatrix many_;
  StepMatrix one_;
  std::optional<double> fill_many_;
  std::optional<double> fill_one_;
  std::vector<bool> matched_;                // By group, then step.
  std::vector<std::vector<size_t>> one_at_;  // By group, then step; empty: the group has none.
  std::unordered_map<model::Labels, size_t> by_labels_;
  StepMatrix output_;
  size_t last_many_ = kNone;
  size_t last_one_ = kNone;
  size_t last_output_ = kNone;
};

}  // namespace

Result<StepValue> EvaluateBinary(Evaluator& evaluator, const Binary& binary, const Steps& steps) {
  ASSIGN_OR_RETURN(StepValue left, evaluator.Evaluate(*binary.left, steps));
  ASSIGN_OR_RETURN(StepValue right, evaluator.Evaluate(*binary.right, steps));
  auto* left_scalars = std::get_if<StepScalars>(&left);
  auto* right_scalars = std::get_if<StepScalars>(&right);
  if (left_scalars != nullptr && right_scalars != nullptr) {
    return StepValue(ScalarWithScalar(Applier(binary, evaluator.notes()), std::move(*left_scalars),
                                      *right_scalars));
  }
  Result<StepMatrix> matrix = StepMatrix();
  if (left_scalars != nullptr) {
    matrix = VectorWithScalar(evaluator, binary, std::get<StepMatrix>(std::move(right)),
                              *left_scalars, true);
  } else if (right_scalars != nullptr) {
    matrix = VectorWithScalar(evaluator, binary, std::get<StepMatrix>(std::move(left)),
                              *right_scalars, false);
  } else {
    VectorMatcher matcher(evaluator, binary, steps.count);
    auto& left_matrix = std::get<StepMatrix>(left);
    auto& right_matrix = std::get<StepMatrix>(right);
    matrix = binary.op->type == OperatorClass::kSet
                 ? matcher.Set(std::move(left_matrix), std::move(right_matrix))
                 : matcher.Match(std::move(left_matrix), std::move(right_matrix));
  }
  if (!matrix) {
    return matrix.error();
  }
  return StepValue(*std::move(matrix));
}

}  // namespace promql
