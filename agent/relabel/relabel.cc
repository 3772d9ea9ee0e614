#include "agent/relabel/relabel.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <re2/re2.h>

#include "agent/relabel/letter_case.h"
#include "lib/base/strings.h"

namespace relabel {
namespace {

// "$1-${name}" taken apart: literal text and numbers of capturing groups in turn.
struct Template {
  struct Part {
    std::string literal;
    int group = -1;  // Appended after the literal; -1 is none.
  };
  std::vector<Part> parts;
  int max_group = 0;
};

bool IsWordChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The name after a '$' at the start of `text`, and how long it is with its braces; as Go's
// regexp.Expand reads it: the longest word, so "$1x" names the group "1x".
struct Reference {
  std::string_view name;
  size_t length = 0;
};
std::optional<Reference> ParseReference(std::string_view text) {
  const bool braces = !text.empty() && text.front() == '{';
  const size_t start = braces ? 1 : 0;
  size_t end = start;
  while (end < text.size() && IsWordChar(text[end])) {
    ++end;
  }
  if (end == start || (braces && (end == text.size() || text[end] != '}'))) {
    return std::nullopt;
  }
  return Reference{text.substr(start, end - start), end + (braces ? 1 : 0)};
}

// A group that does not exist expands to nothing.
int GroupNumber(std::string_view name, const RE2& regex) {
  if (const auto number = base::ParseUint(name)) {
    return *number <= static_cast<uint64_t>(regex.NumberOfCapturingGroups())
               ? static_cast<int>(*number)
               : -1;
  }
  const auto found = regex.NamedCapturingGroups().find(std::string(name));
  return found == regex.NamedCapturingGroups().end() ? -1 : found->second;
}

Template ParseTemplate(std::string_view text, const RE2& regex) {
  Template parsed;
  std::string literal;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$') {
      literal += text[i];
      continue;
    }
    const std::string_view rest = text.substr(i + 1);
    if (rest.starts_with('$')) {
      literal += '$';
      ++i;
    } else if (const auto reference = ParseReference(rest)) {
      const int group = GroupNumber(reference->name, regex);
      parsed.parts.push_back({std::exchange(literal, {}), group});
      parsed.max_group = std::max(parsed.max_group, group);
      i += reference->length;
    } else {
      literal += '$';
    }
  }
  parsed.parts.push_back({std::move(literal), -1});
  return parsed;
}

std::string Expand(const Template& parsed, std::span<const re2::StringPiece> groups) {
  std::string out;
  for (const Template::Part& part : parsed.parts) {
    out += part.literal;
    if (part.group >= 0) {
      const re2::StringPiece& group = groups[static_cast<size_t>(part.group)];
      out.append(group.data(), group.size());
    }
  }
  return out;
}

bool IsLabelName(std::string_view name) { return !name.empty() && base::IsValidUtf8(name); }

}  // namespace

struct ActionRow;

struct CompiledRule {
  RuleSpec spec;
  std::unique_ptr<RE2> regex;
  Template replacement;
  Template target;
  const ActionRow* action = nullptr;

  bool Matches(std::string_view text) const {
    return regex->Match({text.data(), text.size()}, 0, text.size(), RE2::ANCHOR_BOTH, nullptr, 0);
  }

  // The groups that the templates use; nothing when `text` does not match.
  std::optional<std::vector<re2::StringPiece>> Groups(std::string_view text) const {
    const int count = std::max(replacement.max_group, target.max_group) + 1;
    std::vector<re2::StringPiece> groups(static_cast<size_t>(count));
    if (!regex->Match({text.data(), text.size()}, 0, text.size(), RE2::ANCHOR_BOTH, groups.data(),
                      count)) {
      return std::nullopt;
    }
    return groups;
  }

  std::string SourceValue(const model::LabelsBuilder& labels) const {
    std::string joined;
    for (const std::string& name : spec.source_labels) {
      if (&name != &spec.source_labels.front()) {
        joined += spec.separator;
      }
      joined += labels.Get(name);
    }
    return joined;
  }
};

namespace {

bool Replace(const CompiledRule& rule, model::LabelsBuilder* labels) {
  const std::string source = rule.SourceValue(*labels);
  if (const auto groups = rule.Groups(source)) {
    const std::string target = Expand(rule.target, *groups);
    if (IsLabelName(target)) {
      labels->Set(target, Expand(rule.replacement, *groups));
    }
  }
  return true;
}

bool Keep(const CompiledRule& rule, model::LabelsBuilder* labels) {
  return rule.Matches(rule.SourceValue(*labels));
}

bool Drop(const CompiledRule& rule, model::LabelsBuilder* labels) {
  return !rule.Matches(rule.SourceValue(*labels));
}

bool KeepEqual(const CompiledRule& rule, model::LabelsBuilder* labels) {
  return labels->Get(rule.spec.target_label) == rule.SourceValue(*labels);
}

bool DropEqual(const CompiledRule& rule, model::LabelsBuilder* labels) {
  return labels->Get(rule.spec.target_label) != rule.SourceValue(*labels);
}

// The last eight bytes of the MD5, big-endian: users shard scrapes by it, so every peer agrees.
bool HashMod(const CompiledRule& rule, model::LabelsBuilder* labels) {
  const std::string source = rule.SourceValue(*labels);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (EVP_Digest(source.data(), source.size(), digest.data(), &length, EVP_md5(), nullptr) != 1) {
    return false;
  }
  uint64_t hash = 0;
  for (size_t i = 8; i < 16; ++i) {
    hash = hash << 8 | digest[i];
  }
  labels->Set(rule.spec.target_label, std::to_string(hash % rule.spec.modulus));
  return true;
}

bool LabelMap(const CompiledRule& rule, model::LabelsBuilder* labels) {
  const auto before = labels->labels();
  for (const auto& [name, value] : before) {
    if (const auto groups = rule.Groups(name)) {
      const std::string target = Expand(rule.replacement, *groups);
      if (IsLabelName(target)) {
        labels->Set(target, value);
      }
    }
  }
  return true;
}

void RemoveWhere(const CompiledRule& rule, bool matches, model::LabelsBuilder* labels) {
  const auto before = labels->labels();
  for (const auto& [name, value] : before) {
    if (rule.Matches(name) == matches) {
      labels->Remove(name);
    }
  }
}

bool LabelDrop(const CompiledRule& rule, model::LabelsBuilder* labels) {
  RemoveWhere(rule, true, labels);
  return true;
}

bool LabelKeep(const CompiledRule& rule, model::LabelsBuilder* labels) {
  RemoveWhere(rule, false, labels);
  return true;
}

bool Lowercase(const CompiledRule& rule, model::LabelsBuilder* labels) {
  labels->Set(rule.spec.target_label, ToLowerUtf8(rule.SourceValue(*labels)));
  return true;
}

bool Uppercase(const CompiledRule& rule, model::LabelsBuilder* labels) {
  labels->Set(rule.spec.target_label, ToUpperUtf8(rule.SourceValue(*labels)));
  return true;
}

// Which fields an action takes besides `action` itself.
enum class Fields {
  kAll,
  kNoReplacement,
  kSourceAndTargetOnly,
  kRegexOnly,
};

}  // namespace

struct ActionRow {
  Action action;
  std::string_view name;
  bool needs_target;
  Fields fields;
  bool (*apply)(const CompiledRule&, model::LabelsBuilder*);
};

namespace {

constexpr ActionRow kActions[] = {
    {Action::kReplace, "replace", true, Fields::kAll, Replace},
    {Action::kKeep, "keep", false, Fields::kAll, Keep},
    {Action::kDrop, "drop", false, Fields::kAll, Drop},
    {Action::kKeepEqual, "keepequal", true, Fields::kSourceAndTargetOnly, KeepEqual},
    {Action::kDropEqual, "dropequal", true, Fields::kSourceAndTargetOnly, DropEqual},
    {Action::kHashMod, "hashmod", true, Fields::kAll, HashMod},
    {Action::kLabelMap, "labelmap", false, Fields::kAll, LabelMap},
    {Action::kLabelDrop, "labeldrop", false, Fields::kRegexOnly, LabelDrop},
    {Action::kLabelKeep, "labelkeep", false, Fields::kRegexOnly, LabelKeep},
    {Action::kLowercase, "lowercase", true, Fields::kNoReplacement, Lowercase},
    {Action::kUppercase, "uppercase", true, Fields::kNoReplacement, Uppercase},
};

const ActionRow& Row(Action action) {
  return *std::find_if(std::begin(kActions), std::end(kActions),
                       [action](const ActionRow& row) { return row.action == action; });
}

base::Error Invalid(const ActionRow& row, std::string_view why) {
  return base::Error(fmt::format("relabel action {}: {}", row.name, why),
                     base::ErrorKind::kInvalidArgument);
}

base::Result<void> CheckFields(const RuleSpec& spec, const ActionRow& row) {
  const RuleSpec plain;
  const bool extras = spec.separator != plain.separator || spec.modulus != plain.modulus ||
                      spec.replacement != plain.replacement;
  switch (row.fields) {
    case Fields::kAll:
      return {};
    case Fields::kNoReplacement:
      return spec.replacement == plain.replacement ? base::Result<void>()
                                                   : Invalid(row, "takes no replacement");
    case Fields::kSourceAndTargetOnly:
      return extras || spec.regex != plain.regex
                 ? Invalid(row, "takes source_labels and target_label only")
                 : base::Result<void>();
    case Fields::kRegexOnly:
      return extras || !spec.source_labels.empty() || !spec.target_label.empty()
                 ? Invalid(row, "takes regex only")
                 : base::Result<void>();
  }
  return {};
}

base::Result<void> Check(const RuleSpec& spec, const ActionRow& row) {
  if (row.needs_target && spec.target_label.empty()) {
    return Invalid(row, "target_label is missing");
  }
  if (!spec.target_label.empty() && !IsLabelName(spec.target_label)) {
    return Invalid(row, fmt::format("target_label \"{}\" is no label name", spec.target_label));
  }
  if (spec.action == Action::kHashMod && spec.modulus == 0) {
    return Invalid(row, "modulus must be 1 or more");
  }
  if (spec.action == Action::kLabelMap && !IsLabelName(spec.replacement)) {
    return Invalid(row, fmt::format("replacement \"{}\" is no label name", spec.replacement));
  }
  if (spec.regex.size() > kMaxRegexBytes) {
    return Invalid(row, fmt::format("regex is longer than {} bytes", kMaxRegexBytes));
  }
  return CheckFields(spec, row);
}

std::unique_ptr<RE2> CompileRegex(const std::string& regex) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(true);  // As Prometheus 3.x.
  return std::make_unique<RE2>(regex, options);
}

}  // namespace

base::Result<Action> ParseAction(std::string_view name) {
  const std::string lower = base::ToLower(name);
  std::vector<std::string> names;
  for (const ActionRow& row : kActions) {
    if (row.name == lower) {
      return row.action;
    }
    names.emplace_back(row.name);
  }
  const auto nearest = base::NearestName(lower, names);
  return base::Error(fmt::format("unknown relabel action \"{}\"{}", name,
                                 nearest ? fmt::format("; did you mean \"{}\"?", *nearest) : ""),
                     base::ErrorKind::kInvalidArgument);
}

std::string_view ActionName(Action action) { return Row(action).name; }

base::Result<Rule> Rule::Make(RuleSpec spec) {
  const ActionRow& row = Row(spec.action);
  RETURN_IF_ERROR(Check(spec, row));
  auto compiled = std::make_shared<CompiledRule>();
  compiled->action = &row;
  compiled->regex = CompileRegex(spec.regex);
  if (!compiled->regex->ok()) {
    return Invalid(row, fmt::format("regex: {}", compiled->regex->error()));
  }
  compiled->replacement = ParseTemplate(spec.replacement, *compiled->regex);
  compiled->target = ParseTemplate(spec.target_label, *compiled->regex);
  compiled->spec = std::move(spec);
  return Rule(std::move(compiled));
}

const RuleSpec& Rule::spec() const { return compiled_->spec; }

bool Rule::Apply(model::LabelsBuilder* labels) const {
  return compiled_->action->apply(*compiled_, labels);
}

bool Apply(std::span<const Rule> rules, model::LabelsBuilder* labels) {
  return std::all_of(rules.begin(), rules.end(),
                     [labels](const Rule& rule) { return rule.Apply(labels); });
}

}  // namespace relabel
