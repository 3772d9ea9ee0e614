// The values of templates: Go's, as far as alert templates can meet them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "lib/model/labels.h"

namespace tmpl {

// Of any text that a template or one of its functions makes.
inline constexpr size_t kMaxOutputBytes = 256 << 10;

class Value;
using List = std::vector<Value>;

// Go's missing value; printed "<no value>".
struct Nothing {
  bool operator==(const Nothing&) const = default;
};

struct Time {
  int64_t unix_ms = 0;
  int32_t utc_offset_seconds = 0;
  std::string zone = {};  // Its abbreviation; empty is UTC.
  bool operator==(const Time&) const = default;
};

// Go's zero time, 0001-01-01 00:00:00 UTC.
inline constexpr int64_t kGoZeroTimeMs = -62'135'596'800'000;

struct Duration {
  std::chrono::nanoseconds value{0};
  bool operator==(const Duration&) const = default;
};

struct Object;

// Immutable, cheap to copy.
class Value {
 public:
  using Variant = std::variant<Nothing, bool, int64_t, double, std::string, Time, Duration,
                               std::shared_ptr<const List>, std::shared_ptr<const Object>>;

  Value() = default;
  explicit Value(bool value) : data_(value) {}
  explicit Value(int64_t value) : data_(value) {}
  explicit Value(double value) : data_(value) {}
  explicit Value(std::string value) : data_(std::move(value)) {}
  explicit Value(std::string_view value) : data_(std::string(value)) {}
  explicit Value(const char* value) : data_(std::string(value)) {}
  explicit Value(Time value) : data_(value) {}
  explicit Value(Duration value) : data_(value) {}
  explicit Value(List value) : data_(std::make_shared<const List>(std::move(value))) {}
  explicit Value(Object value);

  // A map[string]string.
  static Value FromLabels(const model::Labels& labels);

  bool IsNothing() const { return std::holds_alternative<Nothing>(data_); }
  const bool* AsBool() const { return std::get_if<bool>(&data_); }
  const int64_t* AsInt() const { return std::get_if<int64_t>(&data_); }
  const double* AsFloat() const { return std::get_if<double>(&data_); }
  const std::string* AsText() const { return std::get_if<std::string>(&data_); }
  const Time* AsTime() const { return std::get_if<Time>(&data_); }
  const Duration* AsDuration() const { return std::get_if<Duration>(&data_); }
  const List* AsList() const;
  const Object* AsObject() const;

  const Variant& data() const { return data_; }

  // Go's name of the type: "float64", "map[string]string".
  std::string TypeName() const;
  // What `if` asks: false, 0, "" and empty collections are not true.
  bool Truth() const;

 private:
  Variant data_;
};

// A map or a struct. What an absent field gives depends on which.
struct Object {
  enum class Kind {
    kTextMap,  // map[string]string: "".
    kAnyMap,   // map[string]interface{}: nothing.
    kStruct,   // An error.
  };
  Kind kind = Kind::kStruct;
  std::string_view type_name;  // Of static storage.
  std::map<std::string, Value, std::less<>> fields;
};

// As `{{ value }}` and %v print it; cut soon after kMaxOutputBytes.
std::string ToText(const Value& value);

// "2022-01-25 12:36:43.5 +0000 UTC", "1h2m3.5s": the String methods of Go's time.Time and
// time.Duration.
std::string FormatTime(const Time& time);
std::string FormatGoDuration(std::chrono::nanoseconds duration);

}  // namespace tmpl
