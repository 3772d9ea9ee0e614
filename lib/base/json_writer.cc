#include "lib/base/json_writer.h"

#include <cmath>

#include "lib/base/strings.h"

namespace base {
namespace {

// The length of the valid UTF-8 sequence at the front of `text`, or 0.
size_t SequenceLength(std::string_view text) {
  for (size_t length = 1; length <= 4 && length <= text.size(); ++length) {
    if (IsValidUtf8(text.substr(0, length))) {
      return length;
    }
  }
  return 0;
}

void AppendEscapedByte(unsigned char byte, std::string* out) {
  constexpr char kHex[] = "0123456789abcdef";
  switch (byte) {
    case '"':
      *out += "\\\"";
      return;
    case '\\':
      *out += "\\\\";
      return;
    case '\n':
      *out += "\\n";
      return;
    case '\r':
      *out += "\\r";
      return;
    case '\t':
      *out += "\\t";
      return;
    default:
      break;
  }
  *out += "\\u00";
  *out += kHex[byte >> 4];
  *out += kHex[byte & 15];
}

}  // namespace

void AppendJsonString(std::string_view text, std::string* out) {
  *out += '"';
  while (!text.empty()) {
    const auto first = static_cast<unsigned char>(text.front());
    if (first < 0x20 || first == '"' || first == '\\' || first == 0x7f) {
      AppendEscapedByte(first, out);
      text.remove_prefix(1);
      continue;
    }
    const size_t length = first < 0x80 ? 1 : SequenceLength(text);
    if (length == 0) {
      *out += "\xEF\xBF\xBD";
      text.remove_prefix(1);
      continue;
    }
    out->append(text.substr(0, length));
    text.remove_prefix(length);
  }
  *out += '"';
}

void JsonWriter::Separate() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (has_members_.empty()) {
    return;
  }
  if (has_members_.back()) {
    *out_ += ',';
  }
  has_members_.back() = true;
}

void JsonWriter::BeginObject() {
  Separate();
  *out_ += '{';
  has_members_.push_back(false);
}

void JsonWriter::EndObject() {
  *out_ += '}';
  has_members_.pop_back();
}

void JsonWriter::BeginArray() {
  Separate();
  *out_ += '[';
  has_members_.push_back(false);
}

void JsonWriter::EndArray() {
  *out_ += ']';
  has_members_.pop_back();
}

void JsonWriter::Key(std::string_view name) {
  Separate();
  AppendJsonString(name, out_);
  *out_ += ':';
  after_key_ = true;
}

void JsonWriter::String(std::string_view value) {
  Separate();
  AppendJsonString(value, out_);
}

void JsonWriter::Int(int64_t value) {
  Separate();
  *out_ += std::to_string(value);
}

void JsonWriter::Uint(uint64_t value) {
  Separate();
  *out_ += std::to_string(value);
}

void JsonWriter::Double(double value) {
  if (!std::isfinite(value)) {
    Null();
    return;
  }
  Separate();
  AppendDouble(value, out_);
}

void JsonWriter::Bool(bool value) {
  Separate();
  *out_ += value ? "true" : "false";
}

void JsonWriter::Null() {
  Separate();
  *out_ += "null";
}

void JsonWriter::Raw(std::string_view json) {
  Separate();
  *out_ += json;
}

}  // namespace base
