// The PostgreSQL protocol, version 3, as far as PgBouncer's console speaks it: simple queries, no
// I/O. Every message is a type byte, a length of four bytes that counts itself but not the type,
// and a body; the first messages of a connection have no type.
// https://www.postgresql.org/docs/current/protocol-message-formats.html
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporters/toolkit/query_table.h"
#include "lib/base/result.h"

namespace exporters::pgbouncer {

// Limits of what a server may say.
inline constexpr size_t kMaxMessageBytes = 1 << 20;
inline constexpr size_t kMaxConversationBytes = 32 << 20;
inline constexpr size_t kMaxColumns = 256;
inline constexpr size_t kMaxRows = 100'000;

using Parameter = std::pair<std::string_view, std::string_view>;

// Client to server.
std::string StartupMessage(std::span<const Parameter> parameters);
std::string TlsRequest();
std::string PasswordMessage(std::string_view password);  // Also MD5's digest.
std::string SaslInitialMessage(std::string_view mechanism, std::string_view data);
std::string SaslMessage(std::string_view data);
std::string QueryMessage(std::string_view text);
std::string TerminateMessage();

// Server to client.
struct Message {
  char type = 0;
  std::string body;
};

enum MessageType : char {
  kAuthentication = 'R',
  kErrorResponse = 'E',
  kNoticeResponse = 'N',
  kParameterStatus = 'S',
  kReadyForQuery = 'Z',
  kRowDescription = 'T',
  kDataRow = 'D',
};

// Cuts a stream into messages. Thread-compatible.
class MessageReader {
 public:
  // Errors: kResourceExhausted.
  base::Result<void> Feed(std::string_view bytes);
  // The next whole message; nothing when more bytes are needed. Errors: kInvalidArgument (a length
  // that cannot be), kResourceExhausted.
  base::Result<std::optional<Message>> Next();

 private:
  std::string buffer_;
  size_t at_ = 0;
  size_t fed_bytes_ = 0;
};

// Bodies. Errors: kInvalidArgument, kResourceExhausted.
enum AuthenticationCode : uint32_t {
  kAuthenticationOk = 0,
  kCleartextPassword = 3,
  kMd5Password = 5,
  kSasl = 10,
  kSaslContinue = 11,
  kSaslFinal = 12,
};
struct Authentication {
  uint32_t code = kAuthenticationOk;
  std::string data;  // MD5's salt, SASL's mechanisms (each ended by NUL) or data.
};
base::Result<Authentication> ParseAuthentication(std::string_view body);

// Of an ErrorResponse or NoticeResponse.
struct ServerMessage {
  std::string severity;
  std::string code;  // SQLSTATE.
  std::string text;
};
base::Result<ServerMessage> ParseServerMessage(std::string_view body);

base::Result<std::pair<std::string, std::string>> ParseParameterStatus(std::string_view body);
base::Result<std::vector<std::string>> ParseRowDescription(std::string_view body);
base::Result<TextRows::Row> ParseDataRow(std::string_view body);

}  // namespace exporters::pgbouncer
