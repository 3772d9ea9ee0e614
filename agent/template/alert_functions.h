// The functions that Prometheus adds for alerts.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "agent/template/functions.h"

namespace tmpl {

base::Result<Value> Query(const Environment& environment, std::span<const Value> args);
base::Result<Value> First(const Environment& environment, std::span<const Value> args);
base::Result<Value> LabelOf(const Environment& environment, std::span<const Value> args);
base::Result<Value> ValueOf(const Environment& environment, std::span<const Value> args);
base::Result<Value> StrValue(const Environment& environment, std::span<const Value> args);
base::Result<Value> SortByLabel(const Environment& environment, std::span<const Value> args);
base::Result<Value> Args(const Environment& environment, std::span<const Value> args);

base::Result<Value> HumanizeValue(const Environment& environment, std::span<const Value> args);
base::Result<Value> Humanize1024Value(const Environment& environment, std::span<const Value> args);
base::Result<Value> HumanizeDurationValue(const Environment& environment,
                                          std::span<const Value> args);
base::Result<Value> HumanizePercentageValue(const Environment& environment,
                                            std::span<const Value> args);
base::Result<Value> HumanizeTimestampValue(const Environment& environment,
                                           std::span<const Value> args);
base::Result<Value> ToTime(const Environment& environment, std::span<const Value> args);
base::Result<Value> ToDuration(const Environment& environment, std::span<const Value> args);
base::Result<Value> Now(const Environment& environment, std::span<const Value> args);
base::Result<Value> ParseDurationText(const Environment& environment, std::span<const Value> args);

base::Result<Value> TitleText(const Environment& environment, std::span<const Value> args);
base::Result<Value> ToUpperText(const Environment& environment, std::span<const Value> args);
base::Result<Value> ToLowerText(const Environment& environment, std::span<const Value> args);
base::Result<Value> Match(const Environment& environment, std::span<const Value> args);
base::Result<Value> ReReplaceAll(const Environment& environment, std::span<const Value> args);
base::Result<Value> StripPort(const Environment& environment, std::span<const Value> args);
base::Result<Value> StripDomain(const Environment& environment, std::span<const Value> args);
base::Result<Value> SafeHtml(const Environment& environment, std::span<const Value> args);
base::Result<Value> UrlQueryEscape(const Environment& environment, std::span<const Value> args);

base::Result<Value> GraphLink(const Environment& environment, std::span<const Value> args);
base::Result<Value> TableLink(const Environment& environment, std::span<const Value> args);
base::Result<Value> ExternalUrl(const Environment& environment, std::span<const Value> args);
base::Result<Value> PathPrefix(const Environment& environment, std::span<const Value> args);

// "/graph?g0.expr=…&g0.tab=1", as alerts link to their expression.
std::string TableLinkOf(std::string_view expression);

}  // namespace tmpl
