#include "exporters/pgbouncer/protocol.h"

#include <algorithm>

#include <fmt/format.h>

namespace exporters::pgbouncer {
namespace {

constexpr uint32_t kProtocolVersion = 3U << 16;
constexpr uint32_t kTlsRequestCode = 80877103;
constexpr size_t kHeaderBytes = 5;  // Type and length.
constexpr size_t kLengthBytes = 4;
// Of a column in RowDescription after its name: table, number, type, size, modifier, format.
constexpr size_t kColumnTailBytes = 4 + 2 + 4 + 2 + 4 + 2;
constexpr uint32_t kNull = 0xffffffff;

base::Error Malformed(std::string_view what) {
  return base::Error(fmt::format("a malformed {} message", what),
                     base::ErrorKind::kInvalidArgument);
}

base::Error TooLarge(std::string_view what, size_t limit) {
  return base::Error(fmt::format("more than {} {} in an answer", limit, what),
                     base::ErrorKind::kResourceExhausted);
}

void AppendUint32(uint32_t value, std::string* out) {
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    *out += static_cast<char>((value >> shift) & 0xffU);
  }
}

void AppendCString(std::string_view text, std::string* out) {
  *out += text.substr(0, text.find('\0'));
  *out += '\0';
}

std::string Framed(std::string_view type, std::string_view body) {
  std::string message(type);
  AppendUint32(static_cast<uint32_t>(body.size() + kLengthBytes), &message);
  message += body;
  return message;
}

// Takes values off the front of a body; nothing when the body is too short.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}

  std::optional<uint32_t> TakeUnsigned(size_t size) {
    const auto bytes = Take(size);
    if (!bytes.has_value()) {
      return std::nullopt;
    }
    uint32_t value = 0;
    for (const char byte : *bytes) {
      value = value << 8U | static_cast<unsigned char>(byte);
    }
    return value;
  }

  std::optional<std::string_view> TakeCString() {
    const size_t end = bytes_.find('\0');
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    const std::string_view text = bytes_.substr(0, end);
    bytes_.remove_prefix(end + 1);
    return text;
  }

  std::optional<std::string_view> Take(size_t size) {
    if (bytes_.size() < size) {
      return std::nullopt;
    }
    const std::string_view bytes = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return bytes;
  }

  std::string_view rest() const { return bytes_; }

 private:
  std::string_view bytes_;
};

}  // namespace

std::string StartupMessage(std::span<const Parameter> parameters) {
  std::string body;
  AppendUint32(kProtocolVersion, &body);
  for (const auto& [name, value] : parameters) {
    AppendCString(name, &body);
    AppendCString(value, &body);
  }
  body += '\0';
  return Framed("", body);
}

std::string TlsRequest() {
  std::string body;
  AppendUint32(kTlsRequestCode, &body);
  return Framed("", body);
}

std::string PasswordMessage(std::string_view password) {
  std::string body;
  AppendCString(password, &body);
  return Framed("p", body);
}

std::string SaslInitialMessage(std::string_view mechanism, std::string_view data) {
  std::string body;
  AppendCString(mechanism, &body);
  AppendUint32(static_cast<uint32_t>(data.size()), &body);
  body += data;
  return Framed("p", body);
}

std::string SaslMessage(std::string_view data) { return Framed("p", data); }

std::string QueryMessage(std::string_view text) {
  std::string body;
  AppendCString(text, &body);
  return Framed("Q", body);
}

std::string TerminateMessage() { return Framed("X", ""); }

base::Result<void> MessageReader::Feed(std::string_view bytes) {
  fed_bytes_ += bytes.size();
  if (fed_bytes_ > kMaxConversationBytes) {
    return TooLarge("bytes", kMaxConversationBytes);
  }
  buffer_.erase(0, std::exchange(at_, 0));
  buffer_ += bytes;
  return {};
}

base::Result<std::optional<Message>> MessageReader::Next() {
  Cursor cursor(std::string_view(buffer_).substr(at_));
  const auto type = cursor.Take(1);
  const auto length = cursor.TakeUnsigned(kLengthBytes);
  if (!type.has_value() || !length.has_value()) {
    return std::optional<Message>();
  }
  if (*length < kLengthBytes) {
    return Malformed("server");
  }
  const size_t size = *length - kLengthBytes;
  if (size > kMaxMessageBytes) {
    return TooLarge("bytes", kMaxMessageBytes);
  }
  const auto body = cursor.Take(size);
  if (!body.has_value()) {
    return std::optional<Message>();
  }
  at_ += kHeaderBytes + size;
  return std::optional<Message>({.type = type->front(), .body = std::string(*body)});
}

base::Result<Authentication> ParseAuthentication(std::string_view body) {
  Cursor cursor(body);
  const auto code = cursor.TakeUnsigned(4);
  if (!code.has_value()) {
    return Malformed("Authentication");
  }
  return Authentication{.code = *code, .data = std::string(cursor.rest())};
}

base::Result<ServerMessage> ParseServerMessage(std::string_view body) {
  Cursor cursor(body);
  ServerMessage message;
  for (;;) {
    const auto field = cursor.Take(1);
    if (!field.has_value()) {
      return Malformed("ErrorResponse");
    }
    if (field->front() == '\0') {
      return message;
    }
    const auto text = cursor.TakeCString();
    if (!text.has_value()) {
      return Malformed("ErrorResponse");
    }
    switch (field->front()) {
      case 'S':
        message.severity = *text;
        break;
      case 'C':
        message.code = *text;
        break;
      case 'M':
        message.text = *text;
        break;
      default:
        break;  // Hint, position, file and line: nothing a monitor needs.
    }
  }
}

base::Result<std::pair<std::string, std::string>> ParseParameterStatus(std::string_view body) {
  Cursor cursor(body);
  const auto name = cursor.TakeCString();
  const auto value = cursor.TakeCString();
  if (!name.has_value() || !value.has_value()) {
    return Malformed("ParameterStatus");
  }
  return std::pair(std::string(*name), std::string(*value));
}

base::Result<std::vector<std::string>> ParseRowDescription(std::string_view body) {
  Cursor cursor(body);
  const auto count = cursor.TakeUnsigned(2);
  if (!count.has_value()) {
    return Malformed("RowDescription");
  }
  if (*count > kMaxColumns) {
    return TooLarge("columns", kMaxColumns);
  }
  std::vector<std::string> names;
  for (uint32_t i = 0; i < *count; ++i) {
    const auto name = cursor.TakeCString();
    if (!name.has_value() || !cursor.Take(kColumnTailBytes).has_value()) {
      return Malformed("RowDescription");
    }
    names.emplace_back(*name);
  }
  return names;
}

base::Result<TextRows::Row> ParseDataRow(std::string_view body) {
  Cursor cursor(body);
  const auto count = cursor.TakeUnsigned(2);
  if (!count.has_value()) {
    return Malformed("DataRow");
  }
  if (*count > kMaxColumns) {
    return TooLarge("columns", kMaxColumns);
  }
  TextRows::Row row;
  for (uint32_t i = 0; i < *count; ++i) {
    const auto length = cursor.TakeUnsigned(4);
    if (!length.has_value()) {
      return Malformed("DataRow");
    }
    if (*length == kNull) {
      row.emplace_back(std::nullopt);
      continue;
    }
    const auto text = cursor.Take(*length);
    if (!text.has_value()) {
      return Malformed("DataRow");
    }
    row.emplace_back(std::string(*text));
  }
  return row;
}

}  // namespace exporters::pgbouncer
