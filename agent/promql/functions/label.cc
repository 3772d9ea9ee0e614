// Functions that change labels.
#include <cctype>
#include <charconv>
#include <map>

#include <fmt/format.h>
#include <re2/re2.h>

#include "agent/promql/call_context.h"
#include "agent/promql/functions/groups.h"
#include "lib/base/strings.h"

namespace promql {
namespace {

using base::Result;

bool IsValidLabelName(std::string_view name) { return !name.empty() && base::IsValidUtf8(name); }

bool IsWordChar(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Go's template of a replacement: $1, ${1}, $name, ${name}, $$. A name is as long as possible; what
// names no group is empty.
class Replacement {
 public:
  Replacement(std::string_view text, const RE2& regex) : text_(text), regex_(regex) {}

  std::string Expand(const std::vector<re2::StringPiece>& groups) const {
    std::string out;
    std::string_view rest = text_;
    while (!rest.empty()) {
      const size_t dollar = rest.find('$');
      out += rest.substr(0, dollar);
      if (dollar == std::string_view::npos) {
        break;
      }
      rest.remove_prefix(dollar + 1);
      if (rest.starts_with('$')) {
        out += '$';
        rest.remove_prefix(1);
        continue;
      }
      const std::string_view name = TakeName(&rest);
      if (name.empty()) {
        out += '$';  // Not a reference after all.
      } else if (const int group = GroupOf(name); group >= 0) {
        const re2::StringPiece& piece = groups[static_cast<size_t>(group)];
        out.append(piece.data(), piece.size());
      }
    }
    return out;
  }

 private:
  static std::string_view TakeName(std::string_view* rest) {
    const bool brace = rest->starts_with('{');
    const std::string_view after = rest->substr(brace ? 1 : 0);
    size_t length = 0;
    while (length < after.size() && IsWordChar(after[length])) {
      ++length;
    }
    if (length == 0 || (brace && !after.substr(length).starts_with('}'))) {
      return {};
    }
    rest->remove_prefix(length + (brace ? 2 : 0));
    return after.substr(0, length);
  }

  int GroupOf(std::string_view name) const {
    if (const auto number = base::ParseUint(name)) {
      return *number <= static_cast<uint64_t>(regex_.NumberOfCapturingGroups())
                 ? static_cast<int>(*number)
                 : -1;
    }
    const std::map<std::string, int>& named = regex_.NamedCapturingGroups();
    const auto found = named.find(std::string(name));
    return found == named.end() ? -1 : found->second;
  }

  std::string_view text_;
  const RE2& regex_;
};

// A changed name label is there to stay, even if the old one was to be dropped at the end.
void SetLabel(const std::string& name, std::string_view value, StepSeries* series) {
  model::LabelsBuilder builder(series->labels);
  builder.Set(name, value);
  series->labels = builder.Build();
  if (name == model::kMetricNameLabel) {
    series->drop_name = false;
  }
}

Result<StepValue> Checked(StepMatrix matrix) {
  ASSIGN_OR_RETURN(StepMatrix merged, MergeSameLabels(std::move(matrix)));
  return StepValue(std::move(merged));
}

Result<StepValue> LabelReplace(CallContext& call) {
  ASSIGN_OR_RETURN(const std::string destination, call.Text(1));
  ASSIGN_OR_RETURN(const std::string replacement, call.Text(2));
  ASSIGN_OR_RETURN(const std::string source, call.Text(3));
  ASSIGN_OR_RETURN(const std::string pattern, call.Text(4));
  RE2::Options options(RE2::Quiet);
  options.set_dot_nl(true);
  const RE2 regex("^(?s:" + pattern + ")$", options);
  if (pattern.size() > model::Matcher::kMaxRegexBytes || !regex.ok()) {
    return call.Fail(fmt::format("invalid regular expression in label_replace(): {}", pattern));
  }
  if (!IsValidLabelName(destination)) {
    return call.Fail(
        fmt::format("invalid destination label name in label_replace(): {}", destination));
  }
  ASSIGN_OR_RETURN(StepMatrix matrix, call.Vector(0));
  const Replacement expansion(replacement, regex);
  std::vector<re2::StringPiece> groups(static_cast<size_t>(regex.NumberOfCapturingGroups()) + 1);
  for (StepSeries& series : matrix) {
    const std::string value(series.labels.Get(source));
    if (regex.Match(value, 0, value.size(), RE2::ANCHOR_BOTH, groups.data(),
                    static_cast<int>(groups.size()))) {
      SetLabel(destination, expansion.Expand(groups), &series);
    }
  }
  return Checked(std::move(matrix));
}

Result<StepValue> LabelJoin(CallContext& call) {
  ASSIGN_OR_RETURN(const std::string destination, call.Text(1));
  ASSIGN_OR_RETURN(const std::string separator, call.Text(2));
  std::vector<std::string> sources;
  for (size_t i = 3; i < call.args(); ++i) {
    ASSIGN_OR_RETURN(std::string source, call.Text(i));
    if (!IsValidLabelName(source)) {
      return call.Fail(fmt::format("invalid source label name in label_join(): {}", source));
    }
    sources.push_back(std::move(source));
  }
  if (!IsValidLabelName(destination)) {
    return call.Fail(
        fmt::format("invalid destination label name in label_join(): {}", destination));
  }
  ASSIGN_OR_RETURN(StepMatrix matrix, call.Vector(0));
  for (StepSeries& series : matrix) {
    std::vector<std::string> values;
    values.reserve(sources.size());
    for (const std::string& source : sources) {
      values.emplace_back(series.labels.Get(source));
    }
    SetLabel(destination, base::Join(values, separator), &series);
  }
  return Checked(std::move(matrix));
}

constexpr Function kFunctions[] = {
    {.name = "label_join",
     .help = "Sets a label to others joined: vector, destination, separator, sources.",
     .args = {kVector, kString, kString, kString},
     .variadic = Function::kAnyNumber,
     .eval = LabelJoin},
    {.name = "label_replace",
     .help = "Sets a label by regex: vector, destination, replacement, source, pattern.",
     .args = {kVector, kString, kString, kString, kString},
     .eval = LabelReplace},
};

}  // namespace

std::span<const Function> LabelFunctions() { return kFunctions; }

}  // namespace promql
