#include "agent/template/value.h"

#include <cstdlib>
#include <ctime>
#include <functional>

#include <fmt/format.h>

#include "agent/template/format.h"

namespace tmpl {
namespace {

constexpr int kMaxPrintDepth = 16;

void Append(const Value& value, int depth, std::string* out);

void AppendList(const List& list, int depth, std::string* out) {
  *out += '[';
  for (size_t i = 0; i < list.size() && out->size() < kMaxOutputBytes; ++i) {
    *out += i == 0 ? "" : " ";
    Append(list[i], depth, out);
  }
  *out += ']';
}

void AppendObject(const Object& object, int depth, std::string* out) {
  const bool is_struct = object.kind == Object::Kind::kStruct;
  *out += is_struct ? "{" : "map[";
  bool first = true;
  for (const auto& [name, value] : object.fields) {
    if (out->size() >= kMaxOutputBytes) {
      break;
    }
    *out += first ? "" : " ";
    first = false;
    if (!is_struct) {
      *out += name + ":";
    }
    Append(value, depth, out);
  }
  *out += is_struct ? "}" : "]";
}

void Append(const Value& value, int depth, std::string* out) {
  if (depth > kMaxPrintDepth || out->size() >= kMaxOutputBytes) {
    *out += "...";
  } else if (const List* list = value.AsList()) {
    AppendList(*list, depth + 1, out);
  } else if (const Object* object = value.AsObject()) {
    AppendObject(*object, depth + 1, out);
  } else if (value.IsNothing() && depth > 0) {
    *out += "<nil>";
  } else {
    *out += ToText(value);
  }
}

// 1500000 of 1000000 → "1.5".
std::string Fraction(uint64_t value, uint64_t unit) {
  std::string text = std::to_string(value / unit);
  const uint64_t rest = value % unit;
  if (rest != 0) {
    std::string digits = std::to_string(unit + rest).substr(1);
    digits.erase(digits.find_last_not_of('0') + 1);
    text += "." + digits;
  }
  return text;
}

}  // namespace

Value::Value(Object value) : data_(std::make_shared<const Object>(std::move(value))) {}

Value Value::FromLabels(const model::Labels& labels) {
  Object map{.kind = Object::Kind::kTextMap, .type_name = "map[string]string", .fields = {}};
  for (const model::Label label : labels) {
    map.fields.emplace(label.name, Value(label.value));
  }
  return Value(std::move(map));
}

const List* Value::AsList() const {
  const auto* list = std::get_if<std::shared_ptr<const List>>(&data_);
  return list == nullptr ? nullptr : list->get();
}

const Object* Value::AsObject() const {
  const auto* object = std::get_if<std::shared_ptr<const Object>>(&data_);
  return object == nullptr ? nullptr : object->get();
}

std::string Value::TypeName() const {
  constexpr std::string_view kNames[] = {"<nil>",  "bool",      "int",           "float64",
                                         "string", "time.Time", "time.Duration", "[]interface {}"};
  if (const Object* object = AsObject()) {
    return std::string(object->type_name);
  }
  return std::string(kNames[data_.index()]);
}

bool Value::Truth() const {
  if (const bool* flag = AsBool()) {
    return *flag;
  }
  if (const int64_t* number = AsInt()) {
    return *number != 0;
  }
  if (const double* number = AsFloat()) {
    return *number != 0;
  }
  if (const std::string* text = AsText()) {
    return !text->empty();
  }
  if (const Duration* duration = AsDuration()) {
    return duration->value.count() != 0;
  }
  if (const List* list = AsList()) {
    return !list->empty();
  }
  if (const Object* object = AsObject()) {
    return object->kind == Object::Kind::kStruct || !object->fields.empty();
  }
  return AsTime() != nullptr;
}

std::string ToText(const Value& value) {
  if (const bool* flag = value.AsBool()) {
    return *flag ? "true" : "false";
  }
  if (const int64_t* number = value.AsInt()) {
    return std::to_string(*number);
  }
  if (const double* number = value.AsFloat()) {
    return FormatFloat(*number, 'g', kShortest);
  }
  if (const std::string* text = value.AsText()) {
    return *text;
  }
  if (const Time* time = value.AsTime()) {
    return FormatTime(*time);
  }
  if (const Duration* duration = value.AsDuration()) {
    return FormatGoDuration(duration->value);
  }
  if (value.IsNothing()) {
    return "<no value>";
  }
  std::string text;
  Append(value, 0, &text);
  return text;
}

std::string FormatTime(const Time& time) {
  const std::chrono::sys_time<std::chrono::milliseconds> at{
      std::chrono::milliseconds(time.unix_ms)};
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
  const auto unix_seconds =
      static_cast<std::time_t>(seconds.time_since_epoch().count() + time.utc_offset_seconds);
  std::tm utc{};
  if (gmtime_r(&unix_seconds, &utc) == nullptr) {
    return "<time out of range>";
  }
  std::string text = fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", utc.tm_year + 1900,
                                 utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
  const auto ms = static_cast<uint64_t>((at - seconds).count());
  if (ms != 0) {
    text += Fraction(ms, 1000).substr(1);
  }
  const int minutes = time.utc_offset_seconds / 60;
  return text + fmt::format(" {}{:02}{:02} {}", minutes < 0 ? '-' : '+', std::abs(minutes) / 60,
                            std::abs(minutes) % 60, time.zone.empty() ? "UTC" : time.zone);
}

std::string FormatGoDuration(std::chrono::nanoseconds duration) {
  const int64_t count = duration.count();
  if (count == 0) {
    return "0s";
  }
  const std::string sign = count < 0 ? "-" : "";
  const uint64_t ns = count < 0 ? 0 - static_cast<uint64_t>(count) : static_cast<uint64_t>(count);
  constexpr uint64_t kSecond = 1'000'000'000;
  if (ns < 1'000) {
    return sign + std::to_string(ns) + "ns";
  }
  if (ns < 1'000'000) {
    return sign + Fraction(ns, 1'000) + "µs";
  }
  if (ns < kSecond) {
    return sign + Fraction(ns, 1'000'000) + "ms";
  }
  std::string text = Fraction(ns % (60 * kSecond), kSecond) + "s";
  const uint64_t minutes = ns / (60 * kSecond);
  if (minutes > 0) {
    text = std::to_string(minutes % 60) + "m" + text;
  }
  if (minutes >= 60) {
    text = std::to_string(minutes / 60) + "h" + text;
  }
  return sign + text;
}

}  // namespace tmpl
