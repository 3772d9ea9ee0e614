#include "agent/template/format.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "lib/base/strings.h"

namespace tmpl {
namespace {

constexpr int kShortestExponentFrom = 6;  // The shortest 'g' switches to an exponent at 1e6.

std::string PrintfDouble(const char* format, int precision, double value) {
  const int size = std::snprintf(nullptr, 0, format, precision, value);
  std::string text(static_cast<size_t>(size) + 1, '\0');
  std::snprintf(text.data(), text.size(), format, precision, value);
  text.resize(static_cast<size_t>(size));
  return text;
}

template <typename... Precision>
std::string ToChars(double value, std::chars_format format, Precision... precision) {
  char buffer[1200];
  const auto [end, error] =
      std::to_chars(buffer, buffer + sizeof(buffer), value, format, precision...);
  return error == std::errc() ? std::string(buffer, end) : std::string("?");
}

std::string ShortestGeneral(double value) {
  std::string scientific = ToChars(value, std::chars_format::scientific);
  const int exponent = std::atoi(scientific.c_str() + scientific.find('e') + 1);
  if (exponent < -4 || exponent >= kShortestExponentFrom) {
    // Large whole numbers keep no digits after the point that scientific form has not.
    return scientific;
  }
  return ToChars(value, std::chars_format::fixed);
}

// C's %a, with at least two digits in the exponent as Go writes them.
std::string HexFloat(double value, int precision) {
  std::string text =
      precision < 0 ? fmt::format("{:a}", value) : PrintfDouble("%.*a", precision, value);
  const size_t exponent = text.find('p');
  if (exponent != std::string::npos && text.size() - exponent == 3) {
    text.insert(exponent + 2, "0");
  }
  return text;
}

std::string Upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return text;
}

// The length of the UTF-8 sequence at `at`, 1 for a byte that starts none.
size_t RuneLength(std::string_view text, size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const size_t length = lead < 0x80    ? 1
                        : lead >= 0xf0 ? 4
                        : lead >= 0xe0 ? 3
                        : lead >= 0xc2 ? 2
                                       : 1;
  return length <= text.size() - at && base::IsValidUtf8(text.substr(at, length)) ? length : 1;
}

size_t RuneCount(std::string_view text) {
  size_t count = 0;
  for (size_t at = 0; at < text.size(); at += RuneLength(text, at)) {
    ++count;
  }
  return count;
}

std::string_view FirstRunes(std::string_view text, size_t count) {
  size_t at = 0;
  for (; at < text.size() && count > 0; --count) {
    at += RuneLength(text, at);
  }
  return text.substr(0, at);
}

uint32_t DecodeRune(std::string_view rune) {
  const auto byte = [rune](size_t i) {
    return static_cast<uint32_t>(static_cast<uint8_t>(rune[i]));
  };
  switch (rune.size()) {
    case 2:
      return (byte(0) & 0x1f) << 6 | (byte(1) & 0x3f);
    case 3:
      return (byte(0) & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f);
    case 4:
      return (byte(0) & 0x07) << 18 | (byte(1) & 0x3f) << 12 | (byte(2) & 0x3f) << 6 |
             (byte(3) & 0x3f);
    default:
      return byte(0);
  }
}

std::string EncodeRune(int64_t rune) {
  if (rune < 0 || rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000)) {
    rune = 0xfffd;
  }
  const auto c = static_cast<uint32_t>(rune);
  const auto tail = [c](int shift) { return static_cast<char>(0x80 | ((c >> shift) & 0x3f)); };
  if (c < 0x80) {
    return {static_cast<char>(c)};
  }
  if (c < 0x800) {
    return {static_cast<char>(0xc0 | (c >> 6)), tail(0)};
  }
  if (c < 0x10000) {
    return {static_cast<char>(0xe0 | (c >> 12)), tail(6), tail(0)};
  }
  return {static_cast<char>(0xf0 | (c >> 18)), tail(12), tail(6), tail(0)};
}

constexpr std::pair<char, char> kEscapes[] = {{'\a', 'a'}, {'\b', 'b'}, {'\f', 'f'}, {'\n', 'n'},
                                              {'\r', 'r'}, {'\t', 't'}, {'\v', 'v'}, {'\\', '\\'}};

std::string QuoteRune(std::string_view rune, char quote, bool ascii_only) {
  for (const auto& [character, name] : kEscapes) {
    if (rune[0] == character) {
      return {'\\', name};
    }
  }
  if (rune[0] == quote) {
    return {'\\', quote};
  }
  const uint32_t code = DecodeRune(rune);
  if (rune.size() == 1 && (code < 0x20 || code >= 0x7f)) {
    return fmt::format("\\x{:02x}", code);
  }
  if (rune.size() > 1 && (ascii_only || code < 0xa0)) {
    return code < 0x10000 ? fmt::format("\\u{:04x}", code) : fmt::format("\\U{:08x}", code);
  }
  return std::string(rune);
}

std::string QuoteWith(std::string_view text, char quote, bool ascii_only) {
  std::string quoted(1, quote);
  for (size_t at = 0; at < text.size();) {
    const size_t length = RuneLength(text, at);
    quoted += QuoteRune(text.substr(at, length), quote, ascii_only);
    at += length;
  }
  return quoted + quote;
}

struct Directive {
  bool plus = false;
  bool minus = false;
  bool sharp = false;
  bool space = false;
  bool zero = false;
  std::optional<int> width;
  std::optional<int> precision;
  char verb = 0;
};

std::string Pad(const Directive& d, std::string text) {
  const size_t width = d.width ? static_cast<size_t>(*d.width) : 0;
  const size_t runes = RuneCount(text);
  if (runes >= width) {
    return text;
  }
  if (d.minus) {
    return text + std::string(width - runes, ' ');
  }
  return std::string(width - runes, d.zero ? '0' : ' ') + text;
}

// `digits` without a sign; zeros go between the two.
std::string PadNumber(const Directive& d, bool negative, const std::string& digits,
                      bool zeros_allowed) {
  const std::string sign = negative ? "-" : d.plus ? "+" : d.space ? " " : "";
  const size_t width = d.width ? static_cast<size_t>(*d.width) : 0;
  const size_t length = sign.size() + RuneCount(digits);
  if (d.zero && !d.minus && zeros_allowed && length < width) {
    return sign + std::string(width - length, '0') + digits;
  }
  Directive spaces = d;
  spaces.zero = false;
  return Pad(spaces, sign + digits);
}

std::string Digits(uint64_t value, char verb) {
  switch (verb) {
    case 'b':
      return fmt::format("{:b}", value);
    case 'o':
    case 'O':
      return fmt::format("{:o}", value);
    case 'x':
      return fmt::format("{:x}", value);
    case 'X':
      return fmt::format("{:X}", value);
    default:
      return std::to_string(value);
  }
}

std::string IntegerPrefix(const Directive& d, bool zero) {
  if (d.verb == 'O') {
    return "0o";
  }
  if (!d.sharp) {
    return "";
  }
  switch (d.verb) {
    case 'b':
      return "0b";
    case 'o':
      return zero ? "" : "0";
    case 'x':
      return "0x";
    case 'X':
      return "0X";
    default:
      return "";
  }
}

std::optional<std::string> FormatInteger(const Directive& d, int64_t value) {
  if (d.verb == 'c') {
    return Pad(d, EncodeRune(value));
  }
  if (d.verb == 'q') {
    return Pad(d, QuoteWith(EncodeRune(value), '\'', d.plus));
  }
  if (d.verb == 'U') {
    return Pad(d, fmt::format("U+{:04X}", static_cast<uint64_t>(value)));
  }
  if (std::string_view("vdboOxX").find(d.verb) == std::string_view::npos) {
    return std::nullopt;
  }
  const bool negative = value < 0;
  const auto magnitude = negative ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  if (d.precision == 0 && value == 0) {
    return std::string(d.width ? static_cast<size_t>(*d.width) : 0, ' ');
  }
  std::string digits = Digits(magnitude, d.verb);
  if (d.precision && digits.size() < static_cast<size_t>(*d.precision)) {
    digits.insert(0, static_cast<size_t>(*d.precision) - digits.size(), '0');
  }
  return PadNumber(d, negative, IntegerPrefix(d, value == 0) + digits, !d.precision);
}

// Go's %b: the mantissa as a whole number, and the power of two it is multiplied with.
std::string BinaryExponent(double value) {
  int exponent = 0;
  const double fraction = std::frexp(value, &exponent);
  constexpr int kMantissaBits = 53;
  const auto mantissa = static_cast<int64_t>(std::ldexp(fraction, kMantissaBits));
  const int power = value == 0 ? -1074 : exponent - kMantissaBits;
  return fmt::format("{}p{:+}", mantissa, power);
}

std::optional<std::string> FormatReal(const Directive& d, double value) {
  const char verb = d.verb == 'v' ? 'g' : d.verb;
  if (verb == 'b' && std::isfinite(value)) {
    return PadNumber(d, std::signbit(value), BinaryExponent(std::fabs(value)), true);
  }
  if (std::string_view("eEfFgGxX").find(verb) == std::string_view::npos) {
    return std::nullopt;
  }
  const bool shortest = std::string_view("gGxX").find(verb) != std::string_view::npos;
  const bool keeps_zeros = d.sharp && (verb == 'g' || verb == 'G');
  const std::string text =
      keeps_zeros && std::isfinite(value)
          ? PrintfDouble(verb == 'g' ? "%#.*g" : "%#.*G", d.precision.value_or(6), std::fabs(value))
          : FormatFloat(std::fabs(value), verb, d.precision.value_or(shortest ? kShortest : 6));
  if (std::isnan(value)) {
    return PadNumber(d, false, "NaN", false);
  }
  if (std::isinf(value)) {
    Directive plus = d;
    plus.plus = d.plus || !d.space;
    return PadNumber(plus, value < 0, "Inf", false);
  }
  return PadNumber(d, std::signbit(value), text, true);
}

std::string HexBytes(const Directive& d, std::string_view text) {
  std::string hex = d.sharp && !text.empty() ? (d.verb == 'X' ? "0X" : "0x") : "";
  for (size_t i = 0; i < text.size(); ++i) {
    hex += d.space && i > 0 ? " " : "";
    const auto byte = static_cast<unsigned>(static_cast<uint8_t>(text[i]));
    hex += d.verb == 'X' ? fmt::format("{:02X}", byte) : fmt::format("{:02x}", byte);
  }
  return hex;
}

bool CanBackquote(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == '`' || c == 0x7f;
  });
}

std::optional<std::string> FormatText(const Directive& d, std::string_view text) {
  if (d.precision) {
    text = FirstRunes(text, static_cast<size_t>(*d.precision));
  }
  switch (d.verb) {
    case 'v':
    case 's':
      return Pad(d, std::string(text));
    case 'q':
      return Pad(d, d.sharp && CanBackquote(text) ? fmt::format("`{}`", text)
                                                  : QuoteWith(text, '"', d.plus));
    case 'x':
    case 'X':
      return Pad(d, HexBytes(d, text));
    default:
      return std::nullopt;
  }
}

std::optional<std::string> FormatScalar(const Directive& d, const Value& value) {
  if (const bool* flag = value.AsBool()) {
    return d.verb == 'v' || d.verb == 't' ? std::optional(Pad(d, *flag ? "true" : "false"))
                                          : std::nullopt;
  }
  if (const int64_t* number = value.AsInt()) {
    return FormatInteger(d, *number);
  }
  if (const double* number = value.AsFloat()) {
    return FormatReal(d, *number);
  }
  if (const Duration* duration = value.AsDuration(); duration != nullptr && d.verb == 'd') {
    return FormatInteger(d, duration->value.count());
  }
  if (value.AsText() != nullptr || value.AsTime() != nullptr || value.AsDuration() != nullptr) {
    return FormatText(d, ToText(value));
  }
  if (value.IsNothing()) {
    return d.verb == 'v' ? std::optional(Pad(d, "<nil>")) : std::nullopt;
  }
  return d.verb == 'v' || d.verb == 's' ? std::optional(Pad(d, ToText(value))) : std::nullopt;
}

std::string FormatValue(Directive d, const Value& value);

// Every name and text on its own.
std::string FormatTextMap(const Directive& d, const Object& map, bool as_source) {
  std::string text = as_source ? "map[string]string{" : "map[";
  bool first = true;
  for (const auto& [name, item] : map.fields) {
    text += first ? "" : as_source ? ", " : " ";
    first = false;
    text += FormatValue(d, Value(name)) + ":" + FormatValue(d, item);
  }
  return text + (as_source ? "}" : "]");
}

std::string FormatValue(Directive d, const Value& value) {
  if (d.verb == 'T') {
    return Pad(d, value.TypeName());
  }
  const Object* const object = value.AsObject();
  const bool as_source = d.verb == 'v' && d.sharp;
  if (object != nullptr && object->kind == Object::Kind::kTextMap) {
    return FormatTextMap(d, *object, as_source);
  }
  if (d.verb == 'v') {
    if (as_source && value.AsText() != nullptr) {
      d.verb = 'q';
    }
    d.plus = false;  // %+v names the fields of structs, %#v writes Go's source.
    d.sharp = false;
  }
  if (const auto text = FormatScalar(d, value)) {
    return *text;
  }
  if (value.IsNothing()) {
    return fmt::format("%!{}(<nil>)", d.verb);
  }
  // Printed as %v would, with the flags of the verb that does not fit.
  const char bad = std::exchange(d.verb, 'v');
  const auto text = FormatScalar(d, value);
  return fmt::format("%!{}({}={})", bad, value.TypeName(), text ? *text : ToText(value));
}

// Walks the format; the arguments are taken in order unless "[n]" says otherwise.
class Formatter {
 public:
  Formatter(std::string_view format, std::span<const Value> args) : format_(format), args_(args) {}

  base::Result<std::string> Run() {
    while (at_ < format_.size()) {
      const size_t percent = std::min(format_.find('%', at_), format_.size());
      out_ += format_.substr(at_, percent - at_);
      at_ = percent;
      if (at_ < format_.size()) {
        ++at_;
        RETURN_IF_ERROR(OneDirective());
      }
      if (out_.size() > kMaxOutputBytes) {
        return base::Error(fmt::format("printf: output is longer than {} bytes", kMaxOutputBytes),
                           base::ErrorKind::kResourceExhausted);
      }
    }
    if (!reordered_ && next_ < args_.size()) {
      AppendExtra();
    }
    return std::move(out_);
  }

 private:
  base::Result<void> OneDirective() {
    Directive d;
    ReadFlags(&d);
    ReadIndex();
    RETURN_IF_ERROR(ReadNumber(&d.width));
    if (d.width && *d.width < 0) {
      d.minus = true;
      d.width = -*d.width;
    }
    if (Accept('.')) {
      ReadIndex();
      RETURN_IF_ERROR(ReadNumber(&d.precision));
      d.precision = std::max(d.precision.value_or(0), 0);
    }
    ReadIndex();
    if (at_ == format_.size()) {
      out_ += "%!(NOVERB)";
      return {};
    }
    d.verb = format_[at_];
    const size_t length = RuneLength(format_, at_);
    const std::string_view verb = format_.substr(at_, length);
    at_ += length;
    AppendDirective(d, verb);
    return {};
  }

  void AppendDirective(const Directive& d, std::string_view verb) {
    if (verb == "%") {
      out_ += '%';
    } else if (bad_index_) {
      out_ += fmt::format("%!{}(BADINDEX)", verb);
    } else if (next_ >= args_.size()) {
      out_ += fmt::format("%!{}(MISSING)", verb);
    } else {
      out_ += FormatValue(d, args_[next_++]);
    }
    bad_index_ = false;
  }

  void AppendExtra() {
    out_ += "%!(EXTRA ";
    for (size_t i = next_; i < args_.size(); ++i) {
      out_ += i == next_ ? "" : ", ";
      out_ += args_[i].IsNothing() ? "<nil>" : args_[i].TypeName() + "=" + ToText(args_[i]);
    }
    out_ += ')';
  }

  void ReadFlags(Directive* d) {
    for (; at_ < format_.size(); ++at_) {
      switch (format_[at_]) {
        case '+':
          d->plus = true;
          break;
        case '-':
          d->minus = true;
          break;
        case '#':
          d->sharp = true;
          break;
        case ' ':
          d->space = true;
          break;
        case '0':
          d->zero = true;
          break;
        default:
          return;
      }
    }
  }

  // "[2]": the next argument is the second.
  void ReadIndex() {
    if (at_ == format_.size() || format_[at_] != '[') {
      return;
    }
    reordered_ = true;
    const size_t close = format_.find(']', at_);
    if (close == std::string_view::npos) {
      bad_index_ = true;
      ++at_;
      return;
    }
    const auto index = base::ParseUint(format_.substr(at_ + 1, close - at_ - 1));
    at_ = close + 1;
    bad_index_ = !index || *index == 0 || *index > args_.size();
    if (!bad_index_) {
      next_ = static_cast<size_t>(*index - 1);
    }
  }

  // A decimal number, or '*' for the next argument.
  base::Result<void> ReadNumber(std::optional<int>* number) {
    if (Accept('*')) {
      const int64_t* arg = next_ < args_.size() ? args_[next_].AsInt() : nullptr;
      ++next_;
      if (arg == nullptr) {
        out_ += "%!(BADWIDTH)";
        return {};
      }
      return Bounded(*arg, number);
    }
    int64_t value = -1;
    for (; at_ < format_.size() && format_[at_] >= '0' && format_[at_] <= '9'; ++at_) {
      value = std::min<int64_t>(std::max<int64_t>(value, 0) * 10 + (format_[at_] - '0'), 1'000'000);
    }
    return value < 0 ? base::Result<void>() : Bounded(value, number);
  }

  static base::Result<void> Bounded(int64_t value, std::optional<int>* number) {
    if (value < -kMaxFormatWidth || value > kMaxFormatWidth) {
      return base::Error(fmt::format("printf: width or precision {} is over the limit of {}", value,
                                     kMaxFormatWidth),
                         base::ErrorKind::kInvalidArgument);
    }
    *number = static_cast<int>(value);
    return {};
  }

  bool Accept(char c) {
    if (at_ == format_.size() || format_[at_] != c) {
      return false;
    }
    ++at_;
    return true;
  }

  const std::string_view format_;
  const std::span<const Value> args_;
  std::string out_;
  size_t at_ = 0;
  size_t next_ = 0;
  bool reordered_ = false;
  bool bad_index_ = false;
};

}  // namespace

std::string FormatFloat(double value, char verb, int precision) {
  if (std::isnan(value)) {
    return "NaN";
  }
  if (std::isinf(value)) {
    return value < 0 ? "-Inf" : "+Inf";
  }
  switch (verb) {
    case 'e':
      return precision < 0 ? ToChars(value, std::chars_format::scientific)
                           : PrintfDouble("%.*e", precision, value);
    case 'f':
    case 'F':
      return precision < 0 ? ToChars(value, std::chars_format::fixed)
                           : PrintfDouble("%.*f", precision, value);
    case 'x':
      return HexFloat(value, precision);
    case 'E':
    case 'G':
    case 'X':
      return Upper(FormatFloat(value, static_cast<char>(verb - 'A' + 'a'), precision));
    default:
      return precision < 0 ? ShortestGeneral(value) : PrintfDouble("%.*g", precision, value);
  }
}

base::Result<std::string> Sprintf(std::string_view format, std::span<const Value> args) {
  return Formatter(format, args).Run();
}

std::string Quote(std::string_view text) { return QuoteWith(text, '"', false); }

}  // namespace tmpl
