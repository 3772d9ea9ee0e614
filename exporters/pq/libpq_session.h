// Session over libpq: non-blocking connect, pipeline mode with a Sync after each statement.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "exporters/pq/conninfo.h"
#include "exporters/pq/session.h"

namespace exporters::pq {

struct SessionOptions {
  Conninfo conninfo;
  std::string application_name = "tarsier-postgres";
  std::chrono::milliseconds statement_timeout{3000};
  // Long enough for locks that come and go, short enough that nobody queues behind us for long.
  std::chrono::milliseconds lock_timeout{250};
};

// Read-only sessions that the server bounds by statement_timeout and lock_timeout. Where a pooler
// refuses start-up options, each statement carries its settings for its own transaction, so that
// none leaks into a connection shared with others.
std::unique_ptr<Session> MakeLibpqSession(SessionOptions options);

}  // namespace exporters::pq
