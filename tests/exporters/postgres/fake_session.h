// A server that answers from a script, in place of a connection.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "exporters/pq/session.h"
#include "exporters/toolkit/query_table.h"

namespace exporters::postgres {

// Shared by a test and the sessions made for it. What a statement is answered is decided by the
// first key that its text contains.
struct FakeServer {
  int version = 150020;
  std::optional<pq::ConnectFailure> refuses = std::nullopt;
  std::vector<std::pair<std::string, base::Result<pq::RowsPtr>>> answers = {};
  bool loses_connection_once = false;  // At the next Run.
  bool hangs = false;                  // Every statement runs into the deadline.
  int connects = 0;
  std::vector<std::string> seen = {};  // Statements of the last Run.
  std::vector<std::chrono::milliseconds> timeouts = {};
  std::function<void()> on_run = nullptr;

  void Answer(std::string key, base::Result<pq::RowsPtr> rows) {
    answers.insert(answers.begin(), {std::move(key), std::move(rows)});
  }
};

inline pq::RowsPtr MakeRows(std::vector<std::string> columns, std::vector<TextRows::Row> rows) {
  return std::make_shared<const TextRows>(std::move(columns), std::move(rows));
}

// The answer to the statement that identifies the server.
inline pq::RowsPtr Identity(std::string started = "1700000000", std::string extensions = "") {
  return MakeRows({"version", "user", "database", "in_recovery", "started", "extensions"},
                  {{"PostgreSQL 15.20", "monitor", "postgres", "f", std::move(started),
                    std::move(extensions)}});
}

class FakeSession final : public pq::Session {
 public:
  explicit FakeSession(FakeServer& server) : server_(server) {}

  std::optional<pq::ConnectFailure> Connect(base::MonotonicTime) override {
    if (!connected_ && server_.refuses.has_value()) {
      ++server_.connects;
      return server_.refuses;
    }
    server_.connects += connected_ ? 0 : 1;
    connected_ = true;
    return std::nullopt;
  }
  bool connected() const override { return connected_; }
  void Close() override { connected_ = false; }
  int server_version() const override { return server_.version; }

  void Run(std::span<const pq::Statement> statements, base::MonotonicTime, const pq::Interrupt*,
           const OnAnswer& on_answer) override {
    server_.seen.clear();
    server_.timeouts.clear();
    if (server_.on_run) {
      server_.on_run();
    }
    if (std::exchange(server_.loses_connection_once, false)) {
      connected_ = false;
    }
    for (size_t i = 0; i < statements.size(); ++i) {
      server_.seen.push_back(statements[i].sql);
      server_.timeouts.push_back(statements[i].timeout);
      on_answer(i, AnswerTo(statements[i].sql), 0.25);
    }
    connected_ = connected_ && !server_.hangs;
  }

 private:
  base::Result<pq::RowsPtr> AnswerTo(const std::string& sql) const {
    if (!connected_) {
      return base::Error("the connection broke", base::ErrorKind::kUnavailable);
    }
    if (server_.hangs) {
      return base::Error("no answer in time", base::ErrorKind::kDeadlineExceeded);
    }
    for (const auto& [key, rows] : server_.answers) {
      if (sql.find(key) != std::string::npos) {
        return rows;
      }
    }
    if (sql.find("AS extensions") != std::string::npos) {
      return Identity();
    }
    return base::Error("relation does not exist (SQLSTATE 42P01)", base::ErrorKind::kNotFound);
  }

  FakeServer& server_;
  bool connected_ = false;
};

}  // namespace exporters::postgres
