// A PgBouncer for tests: messages, and a login that everybody passes.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/exporters/toolkit/fake_server.h"

namespace exporters::pgbouncer {

inline std::string Int32(size_t value) {
  std::string bytes;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    bytes += static_cast<char>((value >> shift) & 0xffU);
  }
  return bytes;
}
inline std::string Int16(size_t value) { return Int32(value).substr(2); }
inline std::string Text(std::string_view text) { return std::string(text) + '\0'; }

inline std::string Msg(char type, const std::string& body) {
  return type + Int32(body.size() + 4) + body;
}
inline std::string Auth(size_t code, const std::string& data = "") {
  return Msg('R', Int32(code) + data);
}
inline std::string Status(std::string_view name, std::string_view value) {
  return Msg('S', Text(name) + Text(value));
}
inline std::string Ready() { return Msg('Z', "I"); }
inline std::string Complaint(std::string_view severity, std::string_view code,
                             std::string_view text) {
  return Msg('E', Text("S" + std::string(severity)) + Text("C" + std::string(code)) +
                      Text("M" + std::string(text)) + '\0');
}
inline std::string Columns(const std::vector<std::string>& names) {
  std::string body = Int16(names.size());
  for (const std::string& name : names) {
    body += Text(name) + std::string(18, '\0');
  }
  return Msg('T', body);
}
inline std::string Row(const std::vector<std::string>& cells) {
  std::string body = Int16(cells.size());
  for (const std::string& cell : cells) {
    body += Int32(cell.size()) + cell;
  }
  return Msg('D', body);
}
// What follows a login without a password.
inline std::string Welcome() {
  return Auth(0) + Status("server_version", "1.18.0/bouncer") + Ready();
}

// A startup message, whose length is its first four bytes; without them.
inline std::string ReadStartup(FakeConnection& connection) {
  const std::string bytes = connection.ReadBytes(4);
  size_t size = 0;
  for (size_t i = 0; i < 4 && i < bytes.size(); ++i) {
    size = size << 8U | static_cast<unsigned char>(bytes[i]);
  }
  return bytes.size() >= size ? bytes : bytes + connection.ReadBytes(size - bytes.size());
}

}  // namespace exporters::pgbouncer
