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

std::vector<std::string> WireServer::startups() { return startups_; }

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
  std::string buffer;
  bool greeted = false;
  int answered = 0;
  while (script_.close_after < 0 || answered < script_.close_after) {
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
    buffer.append(bytes, static_cast<size_t>(got));
    if (script_.mute) {
      continue;
    }
    if (!greeted && buffer.size() >= 4 && buffer.size() >= ReadInt32(buffer)) {
      startups_.push_back(buffer.substr(8, ReadInt32(buffer) - 8));
      buffer.erase(0, ReadInt32(buffer));
      greeted = true;
      SendAll(fd, script_.greeting);
      if (script_.greeting.empty() || script_.greeting[0] == 'E') {
        return;
      }
    }
    if (greeted) {
      AnswerStatements(fd, &buffer, &answered);
    }
  }
}

// Takes whole messages off `buffer`; a Sync ends a statement, whose text was in its Parse.
void WireServer::AnswerStatements(int fd, std::string* buffer, int* answered) {
  static thread_local std::string reply;
  while (buffer->size() >= 5) {
    const char type = (*buffer)[0];
    const size_t size = 1 + ReadInt32(std::string_view(*buffer).substr(1));
    if (buffer->size() < size) {
      return;
    }
    if (type == 'P') {
      const std::string_view body = std::string_view(*buffer).substr(5);
      const std::string sql(body.substr(body.find('\0') + 1).data());
      reply += script_.answer(sql);
    }
    if (type == 'S') {
      SendAll(fd, reply + Ready());
      reply.clear();
      ++*answered;
    }
    buffer->erase(0, size);
    if (script_.close_after >= 0 && *answered >= script_.close_after) {
      reply.clear();
      return;
    }
  }
}

}  // namespace exporters::pq
