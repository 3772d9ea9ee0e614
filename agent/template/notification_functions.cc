#include "agent/template/notification_functions.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <iterator>

#include <fmt/format.h>

#include "agent/template/format.h"
#include "lib/base/clock.h"
#include "lib/base/json_writer.h"
#include "lib/base/strings.h"
#include "lib/base/url.h"

namespace tmpl {
namespace {

constexpr int kMaxJsonDepth = 16;

base::Error Invalid(std::string message) {
  return base::Error(std::move(message), base::ErrorKind::kInvalidArgument);
}

base::Result<std::string> TextArg(const Value& value) {
  const std::string* const text = value.AsText();
  return text != nullptr ? base::Result<std::string>(*text)
                         : Invalid(fmt::format("wrong type for value; expected string; got {}",
                                               value.TypeName()));
}

base::Result<Time> TimeArg(const Value& value) {
  const Time* const time = value.AsTime();
  return time != nullptr ? base::Result<Time>(*time)
                         : Invalid(fmt::format("wrong type for value; expected time.Time; got {}",
                                               value.TypeName()));
}

Value Pair(const std::string& name, const Value& value) {
  return Value(Object{.kind = Object::Kind::kStruct,
                      .type_name = "template.Pair",
                      .fields = {{"Name", Value(name)}, {"Value", value}}});
}

// By name, the alert's first.
List SortedPairs(const Object& map) {
  List pairs;
  const auto alertname = map.fields.find("alertname");
  if (alertname != map.fields.end()) {
    pairs.push_back(Pair(alertname->first, alertname->second));
  }
  for (const auto& [name, value] : map.fields) {
    if (name != "alertname") {
      pairs.push_back(Pair(name, value));
    }
  }
  return pairs;
}

// The field `name` of every struct of a list.
List Column(const List& list, std::string_view name) {
  List column;
  for (const Value& item : list) {
    const Object* const object = item.AsObject();
    const auto field = object == nullptr
                           ? std::map<std::string, Value, std::less<>>::const_iterator()
                           : object->fields.find(name);
    if (object != nullptr && field != object->fields.end()) {
      column.push_back(field->second);
    }
  }
  return column;
}

base::Result<Value> KvSortedPairs(const Value& self, std::span<const Value>) {
  return Value(SortedPairs(*self.AsObject()));
}
base::Result<Value> KvNames(const Value& self, std::span<const Value>) {
  return Value(Column(SortedPairs(*self.AsObject()), "Name"));
}
base::Result<Value> KvValues(const Value& self, std::span<const Value>) {
  return Value(Column(SortedPairs(*self.AsObject()), "Value"));
}
base::Result<Value> KvRemove(const Value& self, std::span<const Value> args) {
  const List* const names = args[0].AsList();
  if (names == nullptr) {
    return Invalid(
        fmt::format("wrong type for value; expected []string; got {}", args[0].TypeName()));
  }
  Object rest = *self.AsObject();
  for (const Value& name : *names) {
    ASSIGN_OR_RETURN(const std::string text, TextArg(name));
    rest.fields.erase(text);
  }
  return Value(std::move(rest));
}

base::Result<Value> ListNames(const Value& self, std::span<const Value>) {
  return Value(Column(*self.AsList(), "Name"));
}
base::Result<Value> ListValues(const Value& self, std::span<const Value>) {
  return Value(Column(*self.AsList(), "Value"));
}

Value WithStatus(const Value& self, std::string_view status) {
  List found;
  for (const Value& item : *self.AsList()) {
    const Object* const alert = item.AsObject();
    const auto field = alert->fields.find("Status");
    if (field != alert->fields.end() && ToText(field->second) == status) {
      found.push_back(item);
    }
  }
  return Value(std::move(found));
}
base::Result<Value> ListFiring(const Value& self, std::span<const Value>) {
  return WithStatus(self, "firing");
}
base::Result<Value> ListResolved(const Value& self, std::span<const Value>) {
  return WithStatus(self, "resolved");
}

base::Result<Value> TimeFormat(const Value& self, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const std::string layout, TextArg(args[0]));
  return Value(FormatLayout(*self.AsTime(), layout));
}
base::Result<Value> TimeUnix(const Value& self, std::span<const Value>) {
  return Value(static_cast<int64_t>(self.AsTime()->unix_ms / 1000));
}
base::Result<Value> TimeItself(const Value& self, std::span<const Value>) { return self; }
base::Result<Value> TimeIsZero(const Value& self, std::span<const Value>) {
  return Value(self.AsTime()->unix_ms == kGoZeroTimeMs);
}
base::Result<Value> TimeSub(const Value& self, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const Time other, TimeArg(args[0]));
  return Value(Duration{std::chrono::milliseconds(self.AsTime()->unix_ms - other.unix_ms)});
}

constexpr Method kKvMethods[] = {{"SortedPairs", 0, KvSortedPairs},
                                 {"Names", 0, KvNames},
                                 {"Values", 0, KvValues},
                                 {"Remove", 1, KvRemove}};
constexpr Method kListMethods[] = {{"Names", 0, ListNames},
                                   {"Values", 0, ListValues},
                                   {"Firing", 0, ListFiring},
                                   {"Resolved", 0, ListResolved}};
constexpr Method kTimeMethods[] = {{"Format", 1, TimeFormat}, {"Unix", 0, TimeUnix},
                                   {"UTC", 0, TimeItself},    {"Local", 0, TimeItself},
                                   {"IsZero", 0, TimeIsZero}, {"Sub", 1, TimeSub}};

std::span<const Method> MethodsOf(const Value& self) {
  const Object* const object = self.AsObject();
  if (object != nullptr) {
    return object->type_name == kKvType ? std::span<const Method>(kKvMethods)
                                        : std::span<const Method>();
  }
  if (const List* const list = self.AsList()) {
    const bool structs = std::all_of(list->begin(), list->end(),
                                     [](const Value& item) { return item.AsObject() != nullptr; });
    return structs ? std::span<const Method>(kListMethods) : std::span<const Method>();
  }
  return self.AsTime() != nullptr ? std::span<const Method>(kTimeMethods)
                                  : std::span<const Method>();
}

void AppendJson(const Value& value, int depth, base::JsonWriter* json) {
  if (depth > kMaxJsonDepth || value.IsNothing()) {
    json->Null();
  } else if (const bool* flag = value.AsBool()) {
    json->Bool(*flag);
  } else if (const int64_t* integer = value.AsInt()) {
    json->Int(*integer);
  } else if (const double* number = value.AsFloat()) {
    json->Double(*number);
  } else if (const Time* time = value.AsTime()) {
    json->String(base::FormatRfc3339(base::FromMillis(time->unix_ms)));
  } else if (const Duration* duration = value.AsDuration()) {
    json->Int(duration->value.count());
  } else if (const List* list = value.AsList()) {
    json->BeginArray();
    for (const Value& item : *list) {
      AppendJson(item, depth + 1, json);
    }
    json->EndArray();
  } else if (const Object* object = value.AsObject()) {
    json->BeginObject();
    for (const auto& [name, field] : object->fields) {
      json->Key(name);
      AppendJson(field, depth + 1, json);
    }
    json->EndObject();
  } else {
    json->String(ToText(value));
  }
}

constexpr std::string_view kMonths[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
constexpr std::string_view kDays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                      "Thursday", "Friday", "Saturday"};

struct Broken {
  std::tm tm{};
  int milliseconds = 0;
  Time time;
};

std::string Zone(const Broken& at, std::string_view utc, bool colon) {
  const int minutes = at.time.utc_offset_seconds / 60;
  if (minutes == 0 && !utc.empty()) {
    return std::string(utc);
  }
  return fmt::format("{}{:02}{}{:02}", minutes < 0 ? '-' : '+', std::abs(minutes) / 60,
                     colon ? ":" : "", std::abs(minutes) % 60);
}

// Longest first where one begins another.
struct LayoutPart {
  std::string_view text;
  std::string (*format)(const Broken& at);
};
constexpr LayoutPart kLayout[] = {
    {"January", [](const Broken& at) { return std::string(kMonths[at.tm.tm_mon]); }},
    {"Jan", [](const Broken& at) { return std::string(kMonths[at.tm.tm_mon].substr(0, 3)); }},
    {"Monday", [](const Broken& at) { return std::string(kDays[at.tm.tm_wday]); }},
    {"Mon", [](const Broken& at) { return std::string(kDays[at.tm.tm_wday].substr(0, 3)); }},
    {"MST",
     [](const Broken& at) { return at.time.zone.empty() ? std::string("UTC") : at.time.zone; }},
    {"2006", [](const Broken& at) { return fmt::format("{:04}", at.tm.tm_year + 1900); }},
    {"-07:00", [](const Broken& at) { return Zone(at, "", true); }},
    {"-0700", [](const Broken& at) { return Zone(at, "", false); }},
    {"Z07:00", [](const Broken& at) { return Zone(at, "Z", true); }},
    {"Z0700", [](const Broken& at) { return Zone(at, "Z", false); }},
    {"01", [](const Broken& at) { return fmt::format("{:02}", at.tm.tm_mon + 1); }},
    {"02", [](const Broken& at) { return fmt::format("{:02}", at.tm.tm_mday); }},
    {"03", [](const Broken& at) { return fmt::format("{:02}", (at.tm.tm_hour + 11) % 12 + 1); }},
    {"04", [](const Broken& at) { return fmt::format("{:02}", at.tm.tm_min); }},
    {"05", [](const Broken& at) { return fmt::format("{:02}", at.tm.tm_sec); }},
    {"06", [](const Broken& at) { return fmt::format("{:02}", at.tm.tm_year % 100); }},
    {"002", [](const Broken& at) { return fmt::format("{:03}", at.tm.tm_yday + 1); }},
    {".000", [](const Broken& at) { return fmt::format(".{:03}", at.milliseconds); }},
    {"15", [](const Broken& at) { return fmt::format("{:02}", at.tm.tm_hour); }},
    {"PM", [](const Broken& at) { return std::string(at.tm.tm_hour < 12 ? "AM" : "PM"); }},
    {"pm", [](const Broken& at) { return std::string(at.tm.tm_hour < 12 ? "am" : "pm"); }},
    {"_2", [](const Broken& at) { return fmt::format("{:2}", at.tm.tm_mday); }},
    {"1", [](const Broken& at) { return fmt::format("{}", at.tm.tm_mon + 1); }},
    {"2", [](const Broken& at) { return fmt::format("{}", at.tm.tm_mday); }},
    {"3", [](const Broken& at) { return fmt::format("{}", (at.tm.tm_hour + 11) % 12 + 1); }},
    {"4", [](const Broken& at) { return fmt::format("{}", at.tm.tm_min); }},
    {"5", [](const Broken& at) { return fmt::format("{}", at.tm.tm_sec); }},
};

}  // namespace

std::string FormatLayout(const Time& time, std::string_view layout) {
  Broken at{.time = time};
  const auto seconds =
      std::chrono::floor<std::chrono::seconds>(std::chrono::milliseconds(time.unix_ms));
  at.milliseconds = static_cast<int>(time.unix_ms - seconds.count() * 1000);
  const std::time_t local = seconds.count() + time.utc_offset_seconds;
  if (gmtime_r(&local, &at.tm) == nullptr) {
    return "<time out of range>";
  }
  std::string out;
  while (!layout.empty()) {
    const auto* const part =
        std::find_if(std::begin(kLayout), std::end(kLayout),
                     [layout](const LayoutPart& row) { return layout.starts_with(row.text); });
    if (part == std::end(kLayout)) {
      out += layout.front();
      layout.remove_prefix(1);
    } else {
      out += part->format(at);
      layout.remove_prefix(part->text.size());
    }
  }
  return out;
}

const Method* FindMethod(const Value& self, std::string_view name) {
  const std::span<const Method> methods = MethodsOf(self);
  const auto found = std::find_if(methods.begin(), methods.end(),
                                  [name](const Method& method) { return method.name == name; });
  return found == methods.end() ? nullptr : &*found;
}

base::Result<Value> TrimSpaceText(const Environment&, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const std::string text, TextArg(args[0]));
  return Value(base::TrimSpace(text));
}

base::Result<Value> JoinTexts(const Environment&, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const std::string separator, TextArg(args[0]));
  const List* const list = args[1].AsList();
  if (list == nullptr) {
    return Invalid(
        fmt::format("wrong type for value; expected []string; got {}", args[1].TypeName()));
  }
  std::string joined;
  for (const Value& item : *list) {
    ASSIGN_OR_RETURN(const std::string text, TextArg(item));
    joined += (&item == list->data() ? "" : separator) + text;
    if (joined.size() > kMaxOutputBytes) {
      return base::Error("join: too long", base::ErrorKind::kResourceExhausted);
    }
  }
  return Value(std::move(joined));
}

base::Result<Value> StringSlice(const Environment&, std::span<const Value> args) {
  return Value(List(args.begin(), args.end()));
}

base::Result<Value> DateText(const Environment&, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const std::string layout, TextArg(args[0]));
  ASSIGN_OR_RETURN(const Time time, TimeArg(args[1]));
  return Value(FormatLayout(time, layout));
}

base::Result<Value> TimeIn(const Environment& environment, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const std::string name, TextArg(args[0]));
  ASSIGN_OR_RETURN(const Time time, TimeArg(args[1]));
  if (!environment.zone) {
    return Invalid("there are no time zones here");
  }
  ASSIGN_OR_RETURN(const Time local, environment.zone(name, time));
  return Value(local);
}

base::Result<Value> Since(const Environment& environment, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const Time time, TimeArg(args[0]));
  return Value(Duration{std::chrono::milliseconds(environment.now_ms - time.unix_ms)});
}

base::Result<Value> NowTime(const Environment& environment, std::span<const Value>) {
  return Value(Time{.unix_ms = environment.now_ms});
}

base::Result<Value> ToJson(const Environment&, std::span<const Value> args) {
  std::string text;
  base::JsonWriter json(&text);
  AppendJson(args[0], 0, &json);
  return Value(std::move(text));
}

base::Result<Value> UrlUnescape(const Environment&, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const std::string text, TextArg(args[0]));
  ASSIGN_OR_RETURN(std::string decoded, base::PercentDecode(text, true));
  return Value(std::move(decoded));
}

base::Result<Value> ListOf(const Environment&, std::span<const Value> args) {
  return Value(List(args.begin(), args.end()));
}

base::Result<Value> AppendTo(const Environment&, std::span<const Value> args) {
  const List* const list = args[0].AsList();
  if (list == nullptr) {
    return Invalid(fmt::format("append: a list is expected, not {}", args[0].TypeName()));
  }
  List longer = *list;
  longer.insert(longer.end(), args.begin() + 1, args.end());
  return Value(std::move(longer));
}

base::Result<Value> DictOf(const Environment&, std::span<const Value> args) {
  if (args.size() % 2 != 0) {
    return Invalid("dict: names and values come in pairs");
  }
  Object map{.kind = Object::Kind::kAnyMap, .type_name = "map[string]interface {}", .fields = {}};
  for (size_t i = 0; i < args.size(); i += 2) {
    ASSIGN_OR_RETURN(const std::string name, TextArg(args[i]));
    map.fields[name] = args[i + 1];
  }
  return Value(std::move(map));
}

}  // namespace tmpl
