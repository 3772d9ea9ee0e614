// The functions that templates can call: one table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/template/value.h"
#include "lib/base/result.h"
#include "lib/model/labels.h"

namespace tmpl {

struct QuerySample {
  model::Labels labels;
  double value = 0;
};
using QueryFunc =
    std::function<base::Result<std::vector<QuerySample>>(std::string_view expression)>;

// What functions see of the world.
struct Environment {
  QueryFunc query;  // Empty: `query` is an error.
  std::string external_url;
  int64_t now_ms = 0;  // The time of the evaluation.
  // The same time in a zone of that name; empty where there are none.
  std::function<base::Result<Time>(const std::string& zone, Time time)> zone;
};

inline constexpr size_t kAnyNumber = static_cast<size_t>(-1);

struct Function {
  std::string_view name;
  size_t min_args = 0;
  size_t max_args = 0;  // kAnyNumber for no limit.
  base::Result<Value> (*run)(const Environment& environment, std::span<const Value> args);
};

// Which functions a template may call: those of rules, or those of notifications.
enum class Dialect { kRules, kNotifications };

// All of them, sorted by name.
std::span<const Function> Functions(Dialect dialect = Dialect::kRules);
// Null when there is none of that name.
const Function* FindFunction(std::string_view name, Dialect dialect = Dialect::kRules);

}  // namespace tmpl
