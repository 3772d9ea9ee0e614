// A Redis for tests: replies in RESP, looked up by the command's words.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "exporters/redis/resp.h"
#include "lib/base/mutex.h"
#include "tests/exporters/toolkit/fake_server.h"

namespace exporters::redis {

inline std::string Bulk(const std::string& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

class FakeRedis {
 public:
  // Commands without a reply of their own get "*0". The longest key that a command starts with
  // counts: "AUTH", "CONFIG GET maxmemory".
  explicit FakeRedis(std::map<std::string, std::string> replies)
      : replies_(std::move(replies)),
        server_([this](FakeConnection& connection, int) { Talk(connection); }) {}

  int port() const { return server_.port(); }
  int connections() const { return server_.connections(); }

  // Every command received so far, its words joined by spaces.
  std::vector<std::string> commands() const {
    const base::MutexLock lock(mutex_);
    return commands_;
  }

  void SetReply(const std::string& command, const std::string& reply) {
    const base::MutexLock lock(mutex_);
    replies_.insert_or_assign(command, reply);
  }

 private:
  void Talk(FakeConnection& connection) {
    ReplyReader reader;  // Commands have the form of replies.
    for (std::string bytes = connection.Read(); !bytes.empty(); bytes = connection.Read()) {
      if (!reader.Feed(bytes).ok()) {
        return;
      }
      std::string answer;
      for (auto next = reader.Next(); next.ok() && next->has_value(); next = reader.Next()) {
        std::string command;
        for (const Reply& word : (*next)->elements) {
          command += (command.empty() ? "" : " ") + word.text;
        }
        answer += Answer(command);
      }
      connection.Write(answer);
    }
  }

  std::string Answer(const std::string& command) {
    const base::MutexLock lock(mutex_);
    commands_.push_back(command);
    std::string best = "*0\r\n";
    size_t length = 0;
    for (const auto& [start, reply] : replies_) {
      if (command.rfind(start, 0) == 0 && start.size() >= length) {
        best = reply;
        length = start.size();
      }
    }
    return best;
  }

  mutable base::Mutex mutex_;
  std::map<std::string, std::string> replies_ GUARDED_BY(mutex_);
  std::vector<std::string> commands_ GUARDED_BY(mutex_);
  FakeServer server_;  // Last: its thread uses what is above.
};

}  // namespace exporters::redis
