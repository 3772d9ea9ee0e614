#include "agent/template/functions.h"

#include <algorithm>

#include "agent/template/alert_functions.h"
#include "agent/template/go_functions.h"
#include "agent/template/notification_functions.h"

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

// What Alertmanager gives templates beside Go's own.
constexpr Function kNotificationFunctions[] = {
    {"and", 1, kAnyNumber, And},
    {"append", 1, kAnyNumber, AppendTo},
    {"call", 1, kAnyNumber, Call},
    {"date", 2, 2, DateText},
    {"dict", 0, kAnyNumber, DictOf},
    {"eq", 2, kAnyNumber, Eq},
    {"ge", 2, 2, Ge},
    {"gt", 2, 2, Gt},
    {"html", 0, kAnyNumber, Html},
    {"humanizeDuration", 1, 1, HumanizeDurationValue},
    {"index", 1, kAnyNumber, Index},
    {"join", 2, 2, JoinTexts},
    {"js", 0, kAnyNumber, Js},
    {"le", 2, 2, Le},
    {"len", 1, 1, Len},
    {"list", 0, kAnyNumber, ListOf},
    {"lt", 2, 2, Lt},
    {"match", 2, 2, Match},
    {"ne", 2, 2, Ne},
    {"not", 1, 1, Not},
    {"now", 0, 0, NowTime},
    {"or", 1, kAnyNumber, Or},
    {"print", 0, kAnyNumber, Print},
    {"printf", 1, kAnyNumber, Printf},
    {"println", 0, kAnyNumber, Println},
    {"reReplaceAll", 3, 3, ReReplaceAll},
    {"safeHtml", 1, 1, SafeHtml},
    {"safeUrl", 1, 1, SafeHtml},
    {"since", 1, 1, Since},
    {"slice", 1, 3, Slice},
    {"stringSlice", 0, kAnyNumber, StringSlice},
    {"title", 1, 1, TitleText},
    {"toJson", 1, 1, ToJson},
    {"toLower", 1, 1, ToLowerText},
    {"toUpper", 1, 1, ToUpperText},
    {"trimSpace", 1, 1, TrimSpaceText},
    {"tz", 2, 2, TimeIn},
    {"urlUnescape", 1, 1, UrlUnescape},
    {"urlquery", 0, kAnyNumber, UrlQuery},
};

constexpr bool ByName(const Function& a, const Function& b) { return a.name < b.name; }
static_assert(std::is_sorted(std::begin(kFunctions), std::end(kFunctions), ByName));
static_assert(std::is_sorted(std::begin(kNotificationFunctions), std::end(kNotificationFunctions),
                             ByName));

}  // namespace

std::span<const Function> Functions(Dialect dialect) {
  return dialect == Dialect::kRules ? std::span<const Function>(kFunctions)
                                    : std::span<const Function>(kNotificationFunctions);
}

const Function* FindFunction(std::string_view name, Dialect dialect) {
  const std::span<const Function> functions = Functions(dialect);
  const auto row =
      std::lower_bound(functions.begin(), functions.end(), Function{.name = name}, ByName);
  return row != functions.end() && row->name == name ? &*row : nullptr;
}

}  // namespace tmpl
