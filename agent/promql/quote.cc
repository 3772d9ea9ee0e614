#include "agent/promql/quote.h"

#include <cstdint>
#include <optional>

#include <fmt/format.h>

#include "lib/base/strings.h"

namespace promql {
namespace {

struct Escape {
  char letter;
  char byte;
};
constexpr Escape kEscapes[] = {{'a', '\a'}, {'b', '\b'}, {'f', '\f'}, {'n', '\n'},
                               {'r', '\r'}, {'t', '\t'}, {'v', '\v'}, {'\\', '\\'}};

std::string QuoteWith(std::string_view text, char quote) {
  std::string out(1, quote);
  while (!text.empty()) {
    const size_t length = RuneLength(text);
    const char c = text.front();
    const Escape* escape = nullptr;
    for (const Escape& known : kEscapes) {
      if (known.byte == c) {
        escape = &known;
      }
    }
    const auto byte = static_cast<unsigned char>(c);
    if (c == quote) {
      out += '\\';
      out += c;
    } else if (escape != nullptr) {
      out += '\\';
      out += escape->letter;
    } else if (length == 0 || byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out += quote;
  return out;
}

std::optional<int> Digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return std::nullopt;
}

void AppendUtf8(uint32_t rune, std::string* out) {
  const auto put = [out](uint32_t byte) { *out += static_cast<char>(byte); };
  if (rune < 0x80) {
    put(rune);
  } else if (rune < 0x800) {
    put(0xC0 | (rune >> 6));
    put(0x80 | (rune & 0x3F));
  } else if (rune < 0x10000) {
    put(0xE0 | (rune >> 12));
    put(0x80 | ((rune >> 6) & 0x3F));
    put(0x80 | (rune & 0x3F));
  } else {
    put(0xF0 | (rune >> 18));
    put(0x80 | ((rune >> 12) & 0x3F));
    put(0x80 | ((rune >> 6) & 0x3F));
    put(0x80 | (rune & 0x3F));
  }
}

// A numeric escape: how many digits in which base, and the greatest value.
struct NumericEscape {
  size_t digits;
  uint32_t base;
  uint32_t max;
  bool is_rune;
};

std::optional<NumericEscape> NumericEscapeOf(char letter) {
  switch (letter) {
    case 'x':
      return NumericEscape{2, 16, 255, false};
    case 'u':
      return NumericEscape{4, 16, 0x10FFFF, true};
    case 'U':
      return NumericEscape{8, 16, 0x10FFFF, true};
    default:
      break;
  }
  if (letter >= '0' && letter <= '7') {
    return NumericEscape{3, 8, 255, false};
  }
  return std::nullopt;
}

// As Go's %#U: U+0071 'q'.
std::string CodePoint(char c) {
  return fmt::format("U+{:04X} '{}'", static_cast<unsigned char>(c), c);
}

base::Error BadEscape(std::string message) {
  return base::Error(std::move(message), base::ErrorKind::kInvalidArgument);
}

// `*rest` starts at the first digit.
base::Result<void> AppendNumeric(const NumericEscape& form, char quote, std::string_view* rest,
                                 std::string* out) {
  uint32_t value = 0;
  for (size_t i = 0; i < form.digits; ++i) {
    const char c = rest->empty() ? quote : rest->front();
    const std::optional<int> digit = Digit(c);
    if (!digit || static_cast<uint32_t>(*digit) >= form.base) {
      return BadEscape(fmt::format("illegal character {} in escape sequence", CodePoint(c)));
    }
    value = value * form.base + static_cast<uint32_t>(*digit);
    rest->remove_prefix(1);
  }
  if (value > form.max || (form.is_rune && value >= 0xD800 && value < 0xE000)) {
    return BadEscape("escape sequence is an invalid Unicode code point");
  }
  if (form.is_rune) {
    AppendUtf8(value, out);
  } else {
    *out += static_cast<char>(value);
  }
  return {};
}

}  // namespace

std::string Quote(std::string_view text) { return QuoteWith(text, '"'); }

std::string QuoteRune(std::string_view text) { return QuoteWith(text, '\''); }

base::Result<std::string> Unescape(std::string_view inside, char quote) {
  std::string out;
  while (!inside.empty()) {
    const char c = inside.front();
    inside.remove_prefix(1);
    if (c != '\\') {
      out += c;
      continue;
    }
    if (inside.empty()) {
      return BadEscape("escape sequence not terminated");
    }
    const char letter = inside.front();
    if (const auto numeric = NumericEscapeOf(letter)) {
      inside.remove_prefix(numeric->base == 8 ? 0 : 1);
      RETURN_IF_ERROR(AppendNumeric(*numeric, quote, &inside, &out));
      continue;
    }
    inside.remove_prefix(1);
    const size_t before = out.size();
    for (const Escape& known : kEscapes) {
      if (known.letter == letter) {
        out += known.byte;
      }
    }
    if (letter == quote) {
      out += letter;
    }
    if (out.size() == before) {
      return BadEscape(fmt::format("unknown escape sequence {}", CodePoint(letter)));
    }
  }
  return out;
}

size_t RuneLength(std::string_view text) {
  if (text.empty()) {
    return 0;
  }
  for (size_t length = 1; length <= 4 && length <= text.size(); ++length) {
    if (base::IsValidUtf8(text.substr(0, length))) {
      return length;
    }
  }
  return 0;
}

}  // namespace promql
