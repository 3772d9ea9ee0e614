// The functions that every Go template has.
#pragma once

#include <span>

#include "agent/template/functions.h"

namespace tmpl {

// `and` and `or` stop at the deciding argument before these see the rest.
base::Result<Value> And(const Environment& environment, std::span<const Value> args);
base::Result<Value> Or(const Environment& environment, std::span<const Value> args);
base::Result<Value> Not(const Environment& environment, std::span<const Value> args);

base::Result<Value> Eq(const Environment& environment, std::span<const Value> args);
base::Result<Value> Ne(const Environment& environment, std::span<const Value> args);
base::Result<Value> Lt(const Environment& environment, std::span<const Value> args);
base::Result<Value> Le(const Environment& environment, std::span<const Value> args);
base::Result<Value> Gt(const Environment& environment, std::span<const Value> args);
base::Result<Value> Ge(const Environment& environment, std::span<const Value> args);

base::Result<Value> Len(const Environment& environment, std::span<const Value> args);
base::Result<Value> Index(const Environment& environment, std::span<const Value> args);
base::Result<Value> Slice(const Environment& environment, std::span<const Value> args);
base::Result<Value> Call(const Environment& environment, std::span<const Value> args);

base::Result<Value> Print(const Environment& environment, std::span<const Value> args);
base::Result<Value> Printf(const Environment& environment, std::span<const Value> args);
base::Result<Value> Println(const Environment& environment, std::span<const Value> args);

base::Result<Value> Html(const Environment& environment, std::span<const Value> args);
base::Result<Value> Js(const Environment& environment, std::span<const Value> args);
base::Result<Value> UrlQuery(const Environment& environment, std::span<const Value> args);

}  // namespace tmpl
