// Relabelling: an ordered list of rules that rewrites a set of labels or drops it. Used for
// targets, scraped samples and alerts alike.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/result.h"
#include "lib/model/labels.h"

namespace relabel {

enum class Action {
  kReplace,
  kKeep,
  kDrop,
  kKeepEqual,
  kDropEqual,
  kHashMod,
  kLabelMap,
  kLabelDrop,
  kLabelKeep,
  kLowercase,
  kUppercase,
};

// "replace", "hashmod", … in any case. Errors: kInvalidArgument, with the nearest name.
base::Result<Action> ParseAction(std::string_view name);
std::string_view ActionName(Action action);

inline constexpr size_t kMaxRegexBytes = 16 << 10;

struct RuleSpec {
  std::vector<std::string> source_labels;
  std::string separator = ";";
  std::string regex = "(.*)";  // RE2, anchored at both ends.
  uint64_t modulus = 0;
  std::string target_label;
  std::string replacement = "$1";  // $1, ${1}, $name, ${name}, $$.
  Action action = Action::kReplace;

  bool operator==(const RuleSpec&) const = default;
};

struct CompiledRule;

// Immutable, cheap to copy, thread-safe.
class Rule {
 public:
  // Errors: kInvalidArgument for a bad regex, or a field that the action needs and lacks or cannot
  // have.
  static base::Result<Rule> Make(RuleSpec spec);

  const RuleSpec& spec() const;

  // False when the rule drops the whole set.
  bool Apply(model::LabelsBuilder* labels) const;

 private:
  explicit Rule(std::shared_ptr<const CompiledRule> compiled) : compiled_(std::move(compiled)) {}

  std::shared_ptr<const CompiledRule> compiled_;
};

// The rules in order; false as soon as one drops the set.
bool Apply(std::span<const Rule> rules, model::LabelsBuilder* labels);

}  // namespace relabel
