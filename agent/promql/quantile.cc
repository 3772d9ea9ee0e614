#include "agent/promql/quantile.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "agent/promql/kahan.h"
#include "lib/base/strings.h"

namespace promql {

double Quantile(double q, std::vector<double> values) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (values.empty() || std::isnan(q)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  if (q < 0 || q > 1) {
    return q < 0 ? -kInfinity : kInfinity;
  }
  std::sort(values.begin(), values.end(),
            [](double a, double b) { return std::isnan(a) ? !std::isnan(b) : a < b; });
  const double rank = q * static_cast<double>(values.size() - 1);
  const auto lower = static_cast<size_t>(std::floor(rank));
  const size_t upper = std::min(lower + 1, values.size() - 1);
  const double weight = rank - std::floor(rank);
  return values[lower] * (1 - weight) + values[upper] * weight;
}

void Variance::Add(double value) {
  KahanSum mean{mean_, mean_compensation_};
  KahanSum squares{squares_, squares_compensation_};
  ++count_;
  const double delta = value - (mean_ + mean_compensation_);
  mean.Add(delta / count_);
  squares.Add(delta * (value - (mean.sum + mean.compensation)));
  mean_ = mean.sum;
  mean_compensation_ = mean.compensation;
  squares_ = squares.sum;
  squares_compensation_ = squares.compensation;
}

double Variance::Value() const {
  // Infinite values make the differences NaN, a single one does not.
  if (!std::isfinite(mean_)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return (squares_ + squares_compensation_) / count_;
}

std::string QuantileWarning(double q) {
  if (q >= 0 && q <= 1) {
    return "";
  }
  return fmt::format("quantile value should be between 0 and 1, got {}", base::FormatDouble(q));
}

}  // namespace promql
