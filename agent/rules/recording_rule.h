// Turns the result of an expression into samples of a new name.
#pragma once

#include <string>

#include "agent/promql/value.h"
#include "agent/rules/alerting_rule.h"
#include "agent/rules/rule_file.h"
#include "lib/base/result.h"

namespace rules {

// Immutable.
class RecordingRule {
 public:
  RecordingRule(const RuleSpec& spec, size_t limit)
      : name_(spec.name), labels_(spec.labels), limit_(limit) {}

  // Errors: kInvalidArgument when two elements end up with the same labels, kResourceExhausted over
  // the limit.
  base::Result<Outcome> Advance(const promql::Vector& vector) const;

 private:
  std::string name_;
  TextPairs labels_;
  size_t limit_;
};

}  // namespace rules
