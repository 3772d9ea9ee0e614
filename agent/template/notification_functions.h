// What templates of notifications can do beyond those of rules: Alertmanager's functions, and the
// methods of its values: {{ .CommonLabels.SortedPairs.Values }}, {{ .StartsAt.Format "15:04" }}.
#pragma once

#include <span>
#include <string_view>

#include "agent/template/functions.h"

namespace tmpl {

// The type names by which methods are found.
inline constexpr std::string_view kKvType = "template.KV";

base::Result<Value> TrimSpaceText(const Environment& environment, std::span<const Value> args);
base::Result<Value> JoinTexts(const Environment& environment, std::span<const Value> args);
base::Result<Value> StringSlice(const Environment& environment, std::span<const Value> args);
base::Result<Value> DateText(const Environment& environment, std::span<const Value> args);
base::Result<Value> TimeIn(const Environment& environment, std::span<const Value> args);
base::Result<Value> Since(const Environment& environment, std::span<const Value> args);
base::Result<Value> NowTime(const Environment& environment, std::span<const Value> args);
base::Result<Value> ToJson(const Environment& environment, std::span<const Value> args);
base::Result<Value> UrlUnescape(const Environment& environment, std::span<const Value> args);
base::Result<Value> ListOf(const Environment& environment, std::span<const Value> args);
base::Result<Value> AppendTo(const Environment& environment, std::span<const Value> args);
base::Result<Value> DictOf(const Environment& environment, std::span<const Value> args);

struct Method {
  std::string_view name;
  size_t args = 0;
  base::Result<Value> (*run)(const Value& self, std::span<const Value> args);
};

// Null when a value of that kind has no such method.
const Method* FindMethod(const Value& self, std::string_view name);

// Go's layout language: "2006-01-02 15:04:05 MST".
std::string FormatLayout(const Time& time, std::string_view layout);

}  // namespace tmpl
