// Statistics shared by aggregations and *_over_time functions.
#pragma once

#include <string>
#include <vector>

namespace promql {

// Linear interpolation between the values nearest to rank q·(n-1); NaN counts as the smallest.
// Outside 0…1 it is ∓Inf; of nothing, NaN.
double Quantile(double q, std::vector<double> values);

// Population variance, compensated; NaN when a value is NaN or infinite.
class Variance {
 public:
  void Add(double value);
  double Value() const;

 private:
  double count_ = 0;
  double mean_ = 0;
  double mean_compensation_ = 0;
  double squares_ = 0;
  double squares_compensation_ = 0;
};

// The text of the warning when `q` is no quantile; empty otherwise.
std::string QuantileWarning(double q);

}  // namespace promql
