// A server for tests: a loopback port and a function that holds one conversation after the other.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/file.h"

namespace exporters {

// The server's end of one connection. Reads and writes do nothing once the other side is gone or
// the test is over.
class FakeConnection {
 public:
  FakeConnection(base::UniqueFd fd, const std::atomic<bool>& stopping)
      : fd_(std::move(fd)), stopping_(stopping) {}

  // What came next; "" at the end.
  std::string Read() {
    while (!stopping_) {
      pollfd entry{.fd = fd_.get(), .events = POLLIN, .revents = 0};
      if (poll(&entry, 1, kPollMs) > 0) {
        char buffer[65536];
        const ssize_t count = recv(fd_.get(), buffer, sizeof(buffer), 0);
        return count > 0 ? std::string(buffer, static_cast<size_t>(count)) : "";
      }
    }
    return "";
  }

  // Waits that long, reading nothing; false when the other side has gone or the test is over.
  bool Linger(int ms) {
    pollfd entry{.fd = fd_.get(), .events = POLLRDHUP, .revents = 0};
    return poll(&entry, 1, ms) == 0 && !stopping_;
  }

  // At least `size` bytes, or what came until the end.
  std::string ReadBytes(size_t size) {
    std::string all;
    while (all.size() < size) {
      const std::string more = Read();
      if (more.empty()) {
        break;
      }
      all += more;
    }
    return all;
  }

  void Write(std::string_view bytes) {
    while (!bytes.empty() && !stopping_) {
      const ssize_t sent = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) {
        return;
      }
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }

  // Says nothing more until the other side has gone.
  void Hang() {
    while (!Read().empty()) {
    }
  }

  // Ends with a reset instead of a goodbye.
  void Reset() {
    const linger abort{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
    fd_.Reset();
  }

 private:
  static constexpr int kPollMs = 10;

  base::UniqueFd fd_;
  const std::atomic<bool>& stopping_;
};

class FakeServer {
 public:
  using Talk = std::function<void(FakeConnection& connection, int number)>;

  // `talk` is called on a thread of the server with each connection, which are counted from 1.
  explicit FakeServer(Talk talk) : talk_(std::move(talk)) {
    listener_.Reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size);
    listen(listener_.get(), 8);
    getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Run(); });
  }

  ~FakeServer() {
    stopping_ = true;
    thread_.join();
  }

  int port() const { return port_; }
  int connections() const { return connections_; }

 private:
  void Run() {
    while (!stopping_) {
      pollfd entry{.fd = listener_.get(), .events = POLLIN, .revents = 0};
      if (poll(&entry, 1, 10) <= 0) {
        continue;
      }
      base::UniqueFd fd(accept(listener_.get(), nullptr, nullptr));
      FakeConnection connection(std::move(fd), stopping_);
      talk_(connection, ++connections_);
    }
  }

  const Talk talk_;
  base::UniqueFd listener_;
  int port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> connections_ = 0;
  std::thread thread_;
};

}  // namespace exporters
