#include "tests/exporters/pq/wire_server.h"

#include <cstdint>
#include <cstring>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace exporters::pq {
namespace {

std::string Int32(uint32_t value) {
  const uint32_t big = htonl(value);
  return std::string(reinterpret_cast<const char*>(&big), sizeof(big));
}

std::string Int16(uint16_t value) {
  const uint16_t big = htons(value);
  return std::string(reinterpret_cast<const char*>(&big), sizeof(big));
}

uint32_t ReadInt32(std::string_view at) {
  uint32_t big = 0;
  std::memcpy(&big, at.data(), sizeof(big));
  return ntohl(big);
}

std::string Zero(std::string_view text) { return std::string(text) + '\0'; }

// Up to the description of one text column.
std::string Described() {
  return Message('1', "") + Message('2', "") +
         Message('T', Int16(1) + Zero("v") + Int32(0) + Int16(0) + Int32(25) + Int16(0xffff) +
                          Int32(0xffffffff) + Int16(0));
}

void SendAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      return;
    }
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

}  // namespace

std::string Message(char type, std::string_view body) {
  return type + Int32(static_cast<uint32_t>(body.size() + 4)) + std::string(body);
}

std::string Ready() { return Message('Z', "I"); }

std::string Greeting(std::string_view server_version) {
  return Message('R', Int32(0)) + Message('S', Zero("server_version") + Zero(server_version)) +
         Message('S', Zero("client_encoding") + Zero("UTF8")) +
         Message('K', Int32(4711) + Int32(42)) + Ready();
}

std::string OneValue(std::string_view value) {
  const std::string row =
      Int16(1) + Int32(static_cast<uint32_t>(value.size())) + std::string(value);
  return Described() + Message('D', row) + Message('C', Zero("SELECT 1"));
}

std::string NoRows() { return Described() + Message('C', Zero("SELECT 0")); }

std::string ErrorMessage(std::string_view sqlstate, std::string_view text) {
  return Message('E', 'S' + Zero("ERROR") + 'V' + Zero("ERROR") + 'C' + Zero(sqlstate) + 'M' +
                          Zero(text) + Zero(""));
}

WireServer::WireServer(Script script) : script_(std::move(script)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  stop_ = ::eventfd(0, EFD_CLOEXEC);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  static_cast<void>(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size));
  static_cast<void>(::listen(listener_, 8));
  static_cast<void>(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size));
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Serve(); });
}

WireServer::~WireServer() {
  static_cast<void>(::eventfd_write(stop_, 1));
  thread_.join();
  ::close(listener_);
  ::close(stop_);
}

std::string WireServer::Dsn(std::string_view extra) const {
  return fmt::format("host=127.0.0.1 port={} user=u dbname=d sslmode=disable gssencmode=disable {}",
                     port_, extra);
}

void WireServer::Serve() {
  while (true) {
    pollfd entries[2] = {{listener_, POLLIN, 0}, {stop_, POLLIN, 0}};
    ::poll(entries, 2, -1);
    if (entries[1].revents != 0) {
      return;
    }
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) {
      ++connections_;
      Talk(fd);
      ::close(fd);
    }
  }
}

void WireServer::Talk(int fd) {
  Conversation talk;
  bool greeted = false;
  while (!Finished(talk)) {
    pollfd entries[2] = {{fd, POLLIN, 0}, {stop_, POLLIN, 0}};
    ::poll(entries, 2, -1);
    if (entries[1].revents != 0) {
      return;
    }
    char bytes[4096];
    const ssize_t got = ::read(fd, bytes, sizeof(bytes));
    if (got <= 0) {
      return;
    }
    talk.buffer.append(bytes, static_cast<size_t>(got));
    if (script_.mute) {
      continue;
    }
    if (!greeted && talk.buffer.size() >= 4 && talk.buffer.size() >= ReadInt32(talk.buffer)) {
      talk.buffer.erase(0, ReadInt32(talk.buffer));
      greeted = true;
      SendAll(fd, script_.greeting);
      if (script_.greeting.empty() || script_.greeting[0] == 'E') {
        return;
      }
    }
    if (greeted) {
      AnswerMessages(fd, &talk);
    }
  }
}

// Takes whole messages off the buffer. A Parse is answered by the script; so is a Bind of a
// statement that was prepared before, without ParseComplete. A Sync sends what there is.
void WireServer::AnswerMessages(int fd, Conversation* talk) {
  constexpr size_t kParseCompleteBytes = 5;
  std::string& buffer = talk->buffer;
  while (buffer.size() >= 5 && !Finished(*talk)) {
    const char type = buffer[0];
    const size_t size = 1 + ReadInt32(std::string_view(buffer).substr(1));
    if (buffer.size() < size) {
      return;
    }
    const std::string body = buffer.substr(5, size - 5);
    buffer.erase(0, size);
    if (type == 'P') {
      const std::string name = body.c_str();
      const std::string sql = body.c_str() + name.size() + 1;
      const std::string answer = script_.answer(sql);
      talk->prepared[name] = sql;
      // A named statement is prepared in one step and executed in the next.
      talk->reply += name.empty() ? answer : Message('1', "");
      talk->unnamed_answered = name.empty();
    } else if (type == 'B') {
      const std::string name = body.c_str() + 1;  // After the portal, which is unnamed.
      if (!talk->unnamed_answered) {
        talk->reply += script_.answer(talk->prepared[name]).substr(kParseCompleteBytes);
      }
      talk->unnamed_answered = false;
    } else if (type == 'S') {
      SendAll(fd, talk->reply + Ready());
      talk->reply.clear();
      ++talk->answered;
    }
  }
}

bool WireServer::Finished(const Conversation& talk) const {
  return script_.close_after >= 0 && talk.answered >= script_.close_after;
}

}  // namespace exporters::pq
