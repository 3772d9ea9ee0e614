// Compensated summation (Neumaier's variant), so that 1e100 + 1 - 1e100 is 1.
#pragma once

#include <cmath>

namespace promql {

struct KahanSum {
  double sum = 0;
  double compensation = 0;

  void Add(double value) {
    const double next = sum + value;
    if (std::isinf(next)) {
      compensation = 0;
    } else if (std::fabs(sum) >= std::fabs(value)) {
      compensation += (sum - next) + value;
    } else {
      compensation += (value - next) + sum;
    }
    sum = next;
  }
  double Total() const { return std::isinf(sum) ? sum : sum + compensation; }
};

// The arithmetic mean: of the sum as long as that does not overflow, incremental from there on.
class KahanMean {
 public:
  void Add(double value) {
    ++count_;
    if (!incremental_) {
      KahanSum next = sum_;
      next.Add(value);
      if (count_ == 1 || !std::isinf(next.sum)) {
        sum_ = next;
        return;
      }
      incremental_ = true;
      sum_.sum /= count_ - 1;
      sum_.compensation /= count_ - 1;
    }
    const double share = (count_ - 1) / count_;
    sum_.sum *= share;
    sum_.compensation *= share;
    sum_.Add(value / count_);
  }
  double Mean() const {
    return incremental_ ? sum_.sum + sum_.compensation
                        : sum_.sum / count_ + sum_.compensation / count_;
  }

 private:
  KahanSum sum_;  // The mean itself once incremental.
  double count_ = 0;
  bool incremental_ = false;
};

}  // namespace promql
