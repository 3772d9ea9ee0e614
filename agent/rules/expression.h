// How rules reach PromQL: through two functions, so that they know neither the engine nor the
// store.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "agent/promql/value.h"
#include "lib/base/result.h"

namespace rules {

// Evaluates one expression at one moment, over the store it is bound to. Thread-safe.
using QueryFunc = std::function<base::Result<promql::QueryResult>(int64_t at_ms)>;

// A parsed expression: parsed once, evaluated often.
struct Expression {
  std::string text;  // In PromQL's canonical form.
  QueryFunc query;   // Empty when only the syntax is wanted.
};

// Errors: kInvalidArgument with "line:col: parse error: …". Thread-safe.
using ParseFunc = std::function<base::Result<Expression>(std::string_view text)>;

}  // namespace rules
