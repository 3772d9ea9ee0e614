#include "agent/template/functions.h"

#include <algorithm>

#include "agent/template/alert_functions.h"
#include "agent/template/go_functions.h"

namespace tmpl {
namespace {

constexpr Function kFunctions[] = {
    {"and", 1, kAnyNumber, And},
    {"args", 0, kAnyNumber, Args},
    {"call", 1, kAnyNumber, Call},
    {"eq", 2, kAnyNumber, Eq},
    {"externalURL", 0, 0, ExternalUrl},
    {"first", 1, 1, First},
    {"ge", 2, 2, Ge},
    {"graphLink", 1, 1, GraphLink},
    {"gt", 2, 2, Gt},
    {"html", 0, kAnyNumber, Html},
    {"humanize", 1, 1, HumanizeValue},
    {"humanize1024", 1, 1, Humanize1024Value},
    {"humanizeDuration", 1, 1, HumanizeDurationValue},
    {"humanizePercentage", 1, 1, HumanizePercentageValue},
    {"humanizeTimestamp", 1, 1, HumanizeTimestampValue},
    {"index", 1, kAnyNumber, Index},
    {"js", 0, kAnyNumber, Js},
    {"label", 2, 2, LabelOf},
    {"le", 2, 2, Le},
    {"len", 1, 1, Len},
    {"lt", 2, 2, Lt},
    {"match", 2, 2, Match},
    {"ne", 2, 2, Ne},
    {"not", 1, 1, Not},
    {"now", 0, 0, Now},
    {"or", 1, kAnyNumber, Or},
    {"parseDuration", 1, 1, ParseDurationText},
    {"pathPrefix", 0, 0, PathPrefix},
    {"print", 0, kAnyNumber, Print},
    {"printf", 1, kAnyNumber, Printf},
    {"println", 0, kAnyNumber, Println},
    {"query", 1, 1, Query},
    {"reReplaceAll", 3, 3, ReReplaceAll},
    {"safeHtml", 1, 1, SafeHtml},
    {"slice", 1, 3, Slice},
    {"sortByLabel", 2, 2, SortByLabel},
    {"stripDomain", 1, 1, StripDomain},
    {"stripPort", 1, 1, StripPort},
    {"strvalue", 1, 1, StrValue},
    {"tableLink", 1, 1, TableLink},
    {"title", 1, 1, TitleText},
    {"toDuration", 1, 1, ToDuration},
    {"toLower", 1, 1, ToLowerText},
    {"toTime", 1, 1, ToTime},
    {"toUpper", 1, 1, ToUpperText},
    {"urlQueryEscape", 1, 1, UrlQueryEscape},
    {"urlquery", 0, kAnyNumber, UrlQuery},
    {"value", 1, 1, ValueOf},
};

constexpr bool ByName(const Function& a, const Function& b) { return a.name < b.name; }
static_assert(std::is_sorted(std::begin(kFunctions), std::end(kFunctions), ByName));

}  // namespace

std::span<const Function> Functions() { return kFunctions; }

const Function* FindFunction(std::string_view name) {
  const auto* const row = std::lower_bound(std::begin(kFunctions), std::end(kFunctions),
                                           Function{.name = name}, ByName);
  return row != std::end(kFunctions) && row->name == name ? row : nullptr;
}

}  // namespace tmpl
