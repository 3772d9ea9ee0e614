// Go's text/template grammar. Comments and trim marks are gone after the lexer.
//   {{pipeline}}  {{if p}}…{{else if p}}…{{else}}…{{end}}  {{with p}}…{{else}}…{{end}}
//   {{range $i, $e := p}}…{{break}}…{{continue}}…{{else}}…{{end}}
//   {{define "name"}}…{{end}}  {{template "name" p}}  {{block "name" p}}…{{end}}
//   pipeline = [ $x := | $x = | $i, $e := ] command { "|" command }
//   command  = operand { operand }       operand = term { .field }
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "agent/template/ast.h"
#include "lib/base/result.h"

namespace tmpl {

inline constexpr size_t kMaxTemplateBytes = 64 << 10;
inline constexpr int kMaxNesting = 64;  // Of blocks and parentheses.

// `variables` are the predeclared ones, "$" among them. Errors: kInvalidArgument,
// "template: NAME:LINE: …".
base::Result<Ast> ParseTemplate(const std::string& name, std::string_view text,
                                std::span<const std::string_view> variables,
                                Dialect dialect = Dialect::kRules);

}  // namespace tmpl
