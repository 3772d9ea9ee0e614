#include "agent/template/go_functions.h"

#include <compare>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "agent/template/format.h"
#include "lib/base/strings.h"
#include "lib/base/url.h"

namespace tmpl {
namespace {

base::Error Invalid(std::string message) {
  return base::Error(std::move(message), base::ErrorKind::kInvalidArgument);
}

bool IsBasic(const Value& value) {
  return value.AsBool() != nullptr || value.AsInt() != nullptr || value.AsFloat() != nullptr ||
         value.AsText() != nullptr;
}

// Go compares values of one kind only: an integer constant is not a float64.
base::Result<bool> Equal(const Value& a, const Value& b) {
  if (a.IsNothing() || b.IsNothing()) {
    return a.IsNothing() && b.IsNothing();
  }
  if (!IsBasic(a) || !IsBasic(b)) {
    return Invalid("non-comparable type " + (IsBasic(a) ? b : a).TypeName());
  }
  if (a.data().index() != b.data().index()) {
    return Invalid("incompatible types for comparison");
  }
  if (const double* number = a.AsFloat()) {
    return *number == *b.AsFloat();
  }
  if (const std::string* text = a.AsText()) {
    return *text == *b.AsText();
  }
  if (const int64_t* number = a.AsInt()) {
    return *number == *b.AsInt();
  }
  return *a.AsBool() == *b.AsBool();
}

base::Result<std::partial_ordering> Order(const Value& a, const Value& b) {
  if (!IsBasic(a) || !IsBasic(b) || a.AsBool() != nullptr || b.AsBool() != nullptr) {
    return Invalid("invalid type for comparison");
  }
  if (a.data().index() != b.data().index()) {
    return Invalid("incompatible types for comparison");
  }
  if (const double* number = a.AsFloat()) {
    return *number <=> *b.AsFloat();
  }
  if (const int64_t* number = a.AsInt()) {
    return std::partial_ordering(*number <=> *b.AsInt());
  }
  return std::partial_ordering(a.AsText()->compare(*b.AsText()) <=> 0);
}

// HTML and JavaScript escapes of one character, "" for none.
std::string_view HtmlEscape(char c) {
  switch (c) {
    case '"':
      return "&#34;";
    case '\'':
      return "&#39;";
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '\0':
      return "\xef\xbf\xbd";
    default:
      return "";
  }
}

std::string JsEscape(char c) {
  switch (c) {
    case '\\':
      return "\\\\";
    case '\'':
      return "\\'";
    case '"':
      return "\\\"";
    case '<':
    case '>':
    case '&':
    case '=':
      return fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    default:
      return static_cast<unsigned char>(c) < 0x20
                 ? fmt::format("\\u{:04X}", static_cast<unsigned>(c))
                 : std::string();
  }
}

template <typename Escape>
std::string EscapeAll(std::string_view text, Escape escape) {
  std::string out;
  for (const char c : text) {
    const auto escaped = escape(c);
    if (escaped.empty()) {
      out += c;
    } else {
      out += escaped;
    }
  }
  return out;
}

// fmt.Sprint: a space between two operands when neither is text.
base::Result<std::string> Sprint(std::span<const Value> args) {
  std::string text;
  for (size_t i = 0; i < args.size(); ++i) {
    if (i > 0 && args[i].AsText() == nullptr && args[i - 1].AsText() == nullptr) {
      text += ' ';
    }
    text += args[i].IsNothing() ? "<nil>" : ToText(args[i]);
    if (text.size() > kMaxOutputBytes) {
      return base::Error(fmt::format("output is longer than {} bytes", kMaxOutputBytes),
                         base::ErrorKind::kResourceExhausted);
    }
  }
  return text;
}

// What the escaping functions get: one text as it is, else all printed.
base::Result<std::string> EscaperInput(std::span<const Value> args) {
  if (args.size() == 1 && args[0].AsText() != nullptr) {
    return *args[0].AsText();
  }
  std::vector<Value> printable(args.begin(), args.end());
  for (Value& value : printable) {
    value = value.IsNothing() ? Value("<no value>") : std::move(value);
  }
  return Sprint(printable);
}

base::Result<size_t> Position(const Value& index, size_t limit) {
  const int64_t* const number = index.AsInt();
  if (number == nullptr) {
    return Invalid(fmt::format("cannot index slice/array with type {}", index.TypeName()));
  }
  if (*number < 0 || static_cast<uint64_t>(*number) > limit) {
    return Invalid(fmt::format("index out of range: {}", *number));
  }
  return static_cast<size_t>(*number);
}

base::Result<Value> IndexOnce(const Value& value, const Value& key) {
  if (const Object* object = value.AsObject();
      object != nullptr && object->kind != Object::Kind::kStruct) {
    const std::string* const name = key.AsText();
    if (name == nullptr) {
      return Invalid(fmt::format("value has type {}; should be string", key.TypeName()));
    }
    const auto field = object->fields.find(*name);
    if (field != object->fields.end()) {
      return field->second;
    }
    return object->kind == Object::Kind::kTextMap ? Value("") : Value();
  }
  const List* const list = value.AsList();
  const std::string* const text = value.AsText();
  if (list == nullptr && text == nullptr) {
    return Invalid(fmt::format("can't index item of type {}", value.TypeName()));
  }
  const size_t size = list != nullptr ? list->size() : text->size();
  ASSIGN_OR_RETURN(const size_t at, Position(key, size));
  if (at == size) {
    return Invalid(fmt::format("index out of range: {}", at));
  }
  return list != nullptr ? (*list)[at]
                         : Value(static_cast<int64_t>(static_cast<unsigned char>((*text)[at])));
}

template <typename Test>
base::Result<Value> CompareOrder(std::span<const Value> args, Test test) {
  ASSIGN_OR_RETURN(const std::partial_ordering order, Order(args[0], args[1]));
  return Value(test(order));
}

}  // namespace

base::Result<Value> And(const Environment&, std::span<const Value> args) { return args.back(); }
base::Result<Value> Or(const Environment&, std::span<const Value> args) { return args.back(); }
base::Result<Value> Not(const Environment&, std::span<const Value> args) {
  return Value(!args[0].Truth());
}

base::Result<Value> Eq(const Environment&, std::span<const Value> args) {
  for (const Value& candidate : args.subspan(1)) {
    ASSIGN_OR_RETURN(const bool equal, Equal(args[0], candidate));
    if (equal) {
      return Value(true);
    }
  }
  return Value(false);
}

base::Result<Value> Ne(const Environment&, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const bool equal, Equal(args[0], args[1]));
  return Value(!equal);
}

base::Result<Value> Lt(const Environment&, std::span<const Value> args) {
  return CompareOrder(args, [](std::partial_ordering order) { return std::is_lt(order); });
}
base::Result<Value> Le(const Environment&, std::span<const Value> args) {
  return CompareOrder(args, [](std::partial_ordering order) { return std::is_lteq(order); });
}
base::Result<Value> Gt(const Environment&, std::span<const Value> args) {
  return CompareOrder(args, [](std::partial_ordering order) { return std::is_gt(order); });
}
base::Result<Value> Ge(const Environment&, std::span<const Value> args) {
  return CompareOrder(args, [](std::partial_ordering order) { return std::is_gteq(order); });
}

base::Result<Value> Len(const Environment&, std::span<const Value> args) {
  if (const std::string* text = args[0].AsText()) {
    return Value(static_cast<int64_t>(text->size()));
  }
  if (const List* list = args[0].AsList()) {
    return Value(static_cast<int64_t>(list->size()));
  }
  if (const Object* object = args[0].AsObject();
      object != nullptr && object->kind != Object::Kind::kStruct) {
    return Value(static_cast<int64_t>(object->fields.size()));
  }
  return Invalid(fmt::format("len of type {}", args[0].TypeName()));
}

base::Result<Value> Index(const Environment&, std::span<const Value> args) {
  Value value = args[0];
  for (const Value& key : args.subspan(1)) {
    ASSIGN_OR_RETURN(value, IndexOnce(value, key));
  }
  return value;
}

base::Result<Value> Slice(const Environment&, std::span<const Value> args) {
  const List* const list = args[0].AsList();
  const std::string* const text = args[0].AsText();
  if (list == nullptr && text == nullptr) {
    return Invalid(fmt::format("can't slice item of type {}", args[0].TypeName()));
  }
  size_t begin = 0;
  size_t end = list != nullptr ? list->size() : text->size();
  if (args.size() > 2) {
    ASSIGN_OR_RETURN(end, Position(args[2], end));
  }
  if (args.size() > 1) {
    ASSIGN_OR_RETURN(begin, Position(args[1], end));
  }
  if (text != nullptr) {
    return Value(text->substr(begin, end - begin));
  }
  return Value(List(list->begin() + static_cast<std::ptrdiff_t>(begin),
                    list->begin() + static_cast<std::ptrdiff_t>(end)));
}

base::Result<Value> Call(const Environment&, std::span<const Value> args) {
  return Invalid(fmt::format("non-function of type {}", args[0].TypeName()));
}

base::Result<Value> Print(const Environment&, std::span<const Value> args) {
  ASSIGN_OR_RETURN(std::string text, Sprint(args));
  return Value(std::move(text));
}

base::Result<Value> Printf(const Environment&, std::span<const Value> args) {
  const std::string* const format = args[0].AsText();
  if (format == nullptr) {
    return Invalid(
        fmt::format("wrong type for value; expected string; got {}", args[0].TypeName()));
  }
  ASSIGN_OR_RETURN(std::string text, Sprintf(*format, args.subspan(1)));
  return Value(std::move(text));
}

base::Result<Value> Println(const Environment&, std::span<const Value> args) {
  std::string text;
  for (size_t i = 0; i < args.size(); ++i) {
    text += i == 0 ? "" : " ";
    ASSIGN_OR_RETURN(const std::string one, Sprint(args.subspan(i, 1)));
    text += one;
    if (text.size() > kMaxOutputBytes) {
      break;  // The caller refuses it.
    }
  }
  return Value(text + "\n");
}

base::Result<Value> Html(const Environment&, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const std::string text, EscaperInput(args));
  return Value(EscapeAll(text, HtmlEscape));
}

base::Result<Value> Js(const Environment&, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const std::string text, EscaperInput(args));
  return Value(EscapeAll(text, JsEscape));
}

base::Result<Value> UrlQuery(const Environment&, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const std::string text, EscaperInput(args));
  return Value(base::ReplaceAll(base::PercentEncode(text), "%20", "+"));
}

}  // namespace tmpl
