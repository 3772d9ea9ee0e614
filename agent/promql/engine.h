// Evaluates PromQL as Prometheus 3.x defines it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "agent/promql/value.h"
#include "agent/storage/querier.h"
#include "lib/base/result.h"

namespace promql {

struct EngineOptions {
  std::chrono::milliseconds lookback_delta{5 * 60 * 1000};
  std::chrono::milliseconds default_subquery_step{60 * 1000};
  std::chrono::milliseconds timeout{2 * 60 * 1000};
  size_t max_samples = 50'000'000;
  size_t max_points = 11'000;  // Steps of a range query.
  bool experimental_functions = false;
  bool fill_modifiers = false;   // fill(0) and the like.
  bool extended_ranges = false;  // anchored and smoothed.
  // Metric names are dropped at the very end of a query, so that label_replace can still see them.
  bool delayed_name_removal = false;
};

struct Expr;  // agent/promql/ast.h

// A parsed and type-checked query: parse once, evaluate often. Immutable, thread-safe, cheap to
// copy.
class Query {
 public:
  Query(std::shared_ptr<const Expr> expr, std::string text)
      : expr_(std::move(expr)), text_(std::make_shared<const std::string>(std::move(text))) {}
  const Expr& expr() const { return *expr_; }
  const std::string& text() const { return *text_; }
  // Reprinted in Prometheus' canonical form.
  std::string ToString() const;
  // The same over several indented lines where it is long.
  std::string Pretty() const;

 private:
  std::shared_ptr<const Expr> expr_;
  std::shared_ptr<const std::string> text_;
};

struct Range {
  int64_t start_ms = 0;
  int64_t end_ms = 0;  // Inclusive.
  int64_t step_ms = 1;
};

// Thread-safe.
class Engine {
 public:
  explicit Engine(EngineOptions options = {});

  // Errors: kInvalidArgument with "line:col: parse error: …" as Prometheus words it.
  base::Result<Query> Parse(std::string_view text) const;

  // Whether the query has a value at each step, and whether the steps are in order and not too
  // many. RangeQuery checks it as well. Errors: kInvalidArgument.
  base::Result<void> CheckRange(const Query& query, Range range) const;

  // Errors: kInvalidArgument (execution), kResourceExhausted (max_samples), kDeadlineExceeded.
  base::Result<QueryResult> Instant(const Query& query, const storage::Queryable& storage,
                                    int64_t at_ms) const;
  // The value is a Matrix, sorted by labels.
  base::Result<QueryResult> RangeQuery(const Query& query, const storage::Queryable& storage,
                                       Range range) const;

 private:
  EngineOptions options_;
};

}  // namespace promql
