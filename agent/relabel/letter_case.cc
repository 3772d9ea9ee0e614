#include "agent/relabel/letter_case.h"

#include <clocale>
#include <cstddef>
#include <cstdint>
#include <cwctype>

#include <locale.h>

namespace relabel {
namespace {

struct CodePoint {
  uint32_t value = 0;
  size_t length = 1;
  bool valid = false;
};

CodePoint Decode(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const size_t length = lead < 0x80       ? 1
                        : lead >> 5 == 6  ? 2
                        : lead >> 4 == 14 ? 3
                        : lead >> 3 == 30 ? 4
                                          : 0;
  if (length == 0 || length > text.size()) {
    return {};
  }
  uint32_t value = length == 1 ? lead : lead & (0x7fU >> length);
  for (size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >> 6 != 2) {
      return {};
    }
    value = value << 6 | (byte & 0x3fU);
  }
  return {value, length, true};
}

void Encode(uint32_t value, std::string* out) {
  if (value < 0x80) {
    *out += static_cast<char>(value);
    return;
  }
  const int continuation = value < 0x800 ? 1 : value < 0x10000 ? 2 : 3;
  const uint32_t lead_mark = 0xffU << (7 - continuation) & 0xffU;
  *out += static_cast<char>(lead_mark | value >> (6 * continuation));
  for (int i = continuation - 1; i >= 0; --i) {
    *out += static_cast<char>(0x80U | (value >> (6 * i) & 0x3fU));
  }
}

class Utf8Locale {
 public:
  Utf8Locale() : locale_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {}
  ~Utf8Locale() {
    if (locale_ != nullptr) {
      freelocale(locale_);
    }
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

  locale_t get() const { return locale_; }

 private:
  locale_t locale_;
};

std::string Convert(std::string_view text, wint_t (*convert)(wint_t, locale_t)) {
  const Utf8Locale utf8;
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const CodePoint point = Decode(text);
    if (point.valid && utf8.get() != nullptr) {
      Encode(convert(point.value, utf8.get()), &out);
    } else {
      out += text.front();
    }
    text.remove_prefix(point.length);
  }
  return out;
}

}  // namespace

std::string ToLowerUtf8(std::string_view text) { return Convert(text, towlower_l); }
std::string ToUpperUtf8(std::string_view text) { return Convert(text, towupper_l); }

}  // namespace relabel
