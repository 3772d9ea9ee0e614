// A conversation with one Redis server over a connection that is kept between scrapes: a new one
// each time would show up in the server's own connection counters.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exporters/redis/asker.h"
#include "exporters/redis/failure.h"
#include "exporters/redis/info.h"
#include "exporters/redis/options.h"
#include "exporters/redis/requests.h"
#include "exporters/toolkit/resolver.h"
#include "exporters/toolkit/transport.h"
#include "lib/base/clock.h"
#include "lib/base/result.h"

namespace exporters::redis {

// What a server refused is asked again after this long, or on a new connection: each refusal is an
// error in its statistics and, with an ACL, a line in its log.
inline constexpr std::chrono::minutes kAskAgainAfter{10};

struct Memory;
struct WalkResult;

// What one scrape learned.
struct Snapshot {
  Info info;
  Answers answers;
  double connect_seconds = 0;  // How long the connection in use took to make.
  std::optional<double> ping_seconds;
  double start_time_seconds = 0;  // 0 when INFO does not tell.
  base::MonotonicTime deadline;

  // For as long as the scrape lasts; null where recorded answers are replayed.
  Asker* asker = nullptr;
  Memory* memory = nullptr;
  const WalkResult* walk = nullptr;  // Also null before the first one is complete.
  bool key_checks = true;            // Whether keys are to be checked on a server of this role.
  const Options* options = nullptr;
};

// Thread-compatible; one scrape at a time.
class Session final : public Asker {
 public:
  // Both must outlive the session.
  Session(const Options& options, Resolver& resolver) : options_(options), resolver_(resolver) {}

  // Connects if need be, sends everything, reads everything. A connection that was kept and turns
  // out dead is replaced once. Errors come with failure_reason().
  base::Result<Snapshot> Fetch(base::MonotonicTime deadline);
  // Connects if need be, without asking for INFO.
  base::Result<std::vector<Reply>> Ask(std::string_view part, std::span<const Command> commands,
                                       base::MonotonicTime deadline) override;
  FailureReason failure_reason() const { return failure_reason_; }

 private:
  struct PartRefusal {
    base::Error error;
    base::MonotonicTime since;
  };

  struct Refusal {
    Reply reply;
    base::MonotonicTime since;
  };

  struct Greeting {
    size_t commands = 0;
    bool auth = false;  // The first of them is AUTH.
  };

  base::Result<void> Connect(base::MonotonicTime deadline);
  void Disconnect();
  // AUTH and CLIENT SETNAME for a new connection.
  base::Result<Greeting> AppendGreeting(std::string* out);
  base::Result<void> CheckAuth(const Reply& reply);
  base::Result<Snapshot> FetchOnce(base::MonotonicTime deadline);
  // Sends the requests that are wanted, not answered yet and not refused lately.
  base::Result<void> AskRequests(base::MonotonicTime deadline, Answers* answers,
                                 std::array<bool, kRequestCount>* asked);
  base::Result<void> Greet(base::MonotonicTime deadline);
  // Some of `commands`, as many as fit one write; their replies are appended.
  base::Result<size_t> AskSome(std::span<const Command> commands, base::MonotonicTime deadline,
                               std::vector<Reply>* replies);
  void RememberRefusal(std::string_view part, std::span<const Reply> replies);
  base::Result<Info> TakeInfo(base::MonotonicTime deadline, Answers* answers);
  base::Result<double> Ping(base::MonotonicTime deadline);
  // One write of `bytes`, then `count` replies.
  base::Result<std::vector<Reply>> Exchange(std::string_view bytes, size_t count,
                                            base::MonotonicTime deadline);
  base::Result<std::vector<Reply>> ReadReplies(size_t count, base::MonotonicTime deadline);
  void Remember(Request id, const Reply& reply);
  double StartTime(const Info& info);
  base::Error Fail(FailureReason reason, const base::Error& error);

  const Options& options_;
  Resolver& resolver_;
  std::unique_ptr<Transport> transport_;
  bool greeted_ = false;
  bool heard_ = false;  // Any byte in the current exchange.
  double connect_seconds_ = 0;
  ServerTraits traits_;
  bool plain_info_ = false;  // The server knows INFO, but not INFO ALL.
  std::array<std::optional<Refusal>, kRequestCount> refusals_;
  std::map<std::string, PartRefusal, std::less<>> part_refusals_;
  int64_t database_ = 0;  // The selected one; -1 when not known.
  std::string run_id_;
  double start_time_seconds_ = 0;
  FailureReason failure_reason_ = FailureReason::kError;
};

}  // namespace exporters::redis
