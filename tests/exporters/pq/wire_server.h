// A server on a loopback port that speaks as much of PostgreSQL's protocol 3 as a test scripts,
// right or wrong.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <thread>

namespace exporters::pq {

// One message: type, length, body.
std::string Message(char type, std::string_view body);
// AuthenticationOk, server_version 15.20, BackendKeyData, ReadyForQuery.
std::string Greeting(std::string_view server_version = "15.20");
// The answer to Parse, Bind, Describe and Execute of a statement with one text column "v".
std::string OneValue(std::string_view value);
// The same with no row.
std::string NoRows();
// An error with this SQLSTATE.
std::string ErrorMessage(std::string_view sqlstate, std::string_view text);
std::string Ready();

class WireServer {
 public:
  struct Script {
    std::string greeting;  // Sent in answer to the startup packet.
    // The answer to the statement with this text, up to its Sync, ReadyForQuery excluded. Called
    // each time it is parsed or, prepared before, executed.
    std::function<std::string(const std::string& sql)> answer;
    // The connection is closed after this many statements were answered.
    int close_after = -1;
    // Nothing is said at all, as by a stopped process.
    bool mute = false;
  };

  explicit WireServer(Script script);
  ~WireServer();

  int port() const { return port_; }
  int connections() const { return connections_; }
  std::string Dsn(std::string_view extra = "") const;

 private:
  void Serve();
  void Talk(int fd);
  struct Conversation {
    std::string buffer;  // What was read and not yet taken.
    std::string reply;   // What the next Sync sends.
    std::map<std::string, std::string> prepared;
    bool unnamed_answered = false;
    int answered = 0;
  };
  void AnswerMessages(int fd, Conversation* talk);
  bool Finished(const Conversation& talk) const;

  const Script script_;
  int listener_ = -1;
  int stop_ = -1;
  int port_ = 0;
  std::atomic<int> connections_{0};
  std::thread thread_;
};

}  // namespace exporters::pq
