// Go's text/template, as far as alert texts use it. A template is parsed once, then executed with
// data often. Limits bound what a hostile or mistaken template can cost.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "agent/template/functions.h"
#include "agent/template/value.h"
#include "lib/base/result.h"
#include "lib/model/labels.h"

namespace tmpl {

inline constexpr size_t kMaxSteps = 100'000;  // Nodes and commands executed.
inline constexpr int kMaxCallDepth = 20;      // Of {{template}}.

struct Ast;

// Immutable, thread-safe, cheap to copy.
class Template {
 public:
  // `name` is for messages; `variables` are the predeclared ones besides "$".
  static base::Result<Template> Parse(std::string name, std::string_view text,
                                      std::span<const std::string_view> variables = {},
                                      Dialect dialect = Dialect::kRules);

  // `values` are those of the predeclared variables, in their order. Errors: kInvalidArgument,
  // kResourceExhausted (a limit). What the template does not define itself is looked for in
  // `libraries`, in their order.
  base::Result<std::string> Execute(const Value& data, std::span<const Value> values,
                                    const Environment& environment,
                                    std::span<const Template> libraries = {}) const;

 private:
  Template() = default;

  std::string name_;
  std::vector<std::string> variables_;
  std::shared_ptr<const Ast> ast_;
};

// What the labels and annotations of an alert are written in: $labels, $value, $externalLabels,
// $externalURL, and the same as .Labels, .Value, .ExternalLabels, .ExternalURL.
struct AlertData {
  model::Labels labels;
  double value = 0;
  model::Labels external_labels;
  std::string external_url;
};

// What messages of receivers are written in, and the files of their templates.
base::Result<Template> ParseNotificationTemplate(std::string name, std::string_view text);

base::Result<Template> ParseAlertTemplate(std::string name, std::string_view text);

// Text that fails to expand becomes "<error expanding template: …>": the alert still goes out.
std::string ExpandAlertTemplate(const Template& text, const AlertData& data,
                                const Environment& environment);

}  // namespace tmpl
