// A visit to PgBouncer's console: log in, ask everything, leave. The connection is not kept: since
// version 1.23 PgBouncer waits at SIGTERM until every client is gone, an exporter included.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "exporters/pgbouncer/connection_string.h"
#include "exporters/pgbouncer/failure.h"
#include "exporters/pgbouncer/protocol.h"
#include "exporters/pgbouncer/scram.h"
#include "exporters/pgbouncer/shows.h"
#include "exporters/toolkit/resolver.h"
#include "exporters/toolkit/transport.h"
#include "lib/base/clock.h"
#include "lib/base/result.h"

namespace exporters::pgbouncer {

// Thread-compatible; one visit.
class Console {
 public:
  // All must outlive the console.
  Console(const ConnectionInfo& info, Resolver& resolver, ScramKeyCache& keys)
      : info_(info), resolver_(resolver), keys_(keys) {}

  // Errors come with failure_reason(). A command that the server refuses is an error in the
  // snapshot only.
  base::Result<Snapshot> Fetch(base::MonotonicTime deadline,
                               size_t max_listed_clients = kDefaultMaxListedClients);
  FailureReason failure_reason() const { return failure_reason_; }

 private:
  base::Result<void> Connect(base::MonotonicTime deadline);
  base::Result<void> NegotiateTls(base::MonotonicTime deadline);
  base::Result<void> LogIn(base::MonotonicTime deadline);
  base::Result<void> Authenticate(const Authentication& request, base::MonotonicTime deadline);
  base::Result<void> AuthenticateScram(const Authentication& offer, base::MonotonicTime deadline);
  base::Result<void> AwaitReady(base::MonotonicTime deadline);
  base::Result<void> Ask(bool lists_connections, Snapshot* snapshot, base::MonotonicTime deadline);
  base::Result<Answer> ReadAnswer(std::string* notice, base::MonotonicTime deadline);

  base::Result<void> Send(const std::string& bytes, base::MonotonicTime deadline);
  base::Result<Message> Receive(base::MonotonicTime deadline);
  // The same, with an ErrorResponse made into an error.
  base::Result<Message> ReceiveOrFail(base::MonotonicTime deadline);
  base::Result<Authentication> ReceiveAuthentication(base::MonotonicTime deadline);
  base::Error Fail(FailureReason reason, const base::Error& error);
  base::Error FailProtocol(const base::Error& error);

  const ConnectionInfo& info_;
  Resolver& resolver_;
  ScramKeyCache& keys_;
  std::unique_ptr<Transport> transport_;
  MessageReader reader_;
  FailureReason failure_reason_ = FailureReason::kError;
};

}  // namespace exporters::pgbouncer
