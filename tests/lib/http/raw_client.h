// A TCP client that sends exactly the bytes it is given, for requests no library would make.
#pragma once

#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "lib/base/file.h"

namespace http {

class RawClient {
 public:
  explicit RawClient(int port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port));
    connected_ =
        connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  }

  bool connected() const { return connected_; }
  int fd() const { return fd_.get(); }

  bool Send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) {
        return false;
      }
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  void CloseWrite() const { shutdown(fd_.get(), SHUT_WR); }

  // Until the server closes.
  std::string ReadAll() const {
    std::string all;
    char buffer[4096];
    for (ssize_t got = 0; (got = recv(fd_.get(), buffer, sizeof(buffer), 0)) > 0;) {
      all.append(buffer, static_cast<size_t>(got));
    }
    return all;
  }

  // Until `end` has been seen or the server closes.
  std::string ReadUntil(std::string_view end) const {
    std::string all;
    char byte = 0;
    while (all.find(end) == std::string::npos && recv(fd_.get(), &byte, 1, 0) == 1) {
      all += byte;
    }
    return all;
  }

 private:
  base::UniqueFd fd_;
  bool connected_ = false;
};

}  // namespace http
