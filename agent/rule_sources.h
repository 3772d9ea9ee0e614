// Rules from files and from the binary.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "agent/promql/engine.h"
#include "agent/rules/expression.h"
#include "agent/rules/rule_file.h"
#include "agent/storage/querier.h"
#include "lib/base/result.h"

namespace agent {

// Expressions that are evaluated over `store`, or only parsed when it is null. Both must outlive
// the expressions.
rules::ParseFunc MakeParseFunc(const promql::Engine& engine, const storage::Queryable* store);

// Those that match `patterns`, then the bundled ones.
base::Result<std::vector<rules::GroupSpec>> LoadRules(std::span<const std::string> patterns,
                                                      bool bundled, const rules::ParseFunc& parse);

}  // namespace agent
