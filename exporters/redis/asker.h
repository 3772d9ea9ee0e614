// Commands beyond the fixed requests of a scrape: those that depend on flags, on names found in the
// server, or on earlier answers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporters/redis/reply.h"
#include "lib/base/clock.h"
#include "lib/base/result.h"

namespace exporters::redis {

struct Command {
  std::vector<std::string> words;
  int64_t db = 0;  // The database it is about.
};

// Commands a part may send in one scrape; a caller that has more has forgotten a limit.
inline constexpr size_t kMaxCommands = 20'000;

class Asker {
 public:
  virtual ~Asker() = default;

  // One reply a command, errors of the server included; few writes, not one a command. `part` is
  // who asks: when the server refuses all of it (no permission, unknown command), the part is not
  // sent again for a while and gets the refusal as kPermissionDenied or kUnsupported. Other errors
  // end the connection: kUnavailable, kDeadlineExceeded, kInvalidArgument, kResourceExhausted.
  virtual base::Result<std::vector<Reply>> Ask(std::string_view part,
                                               std::span<const Command> commands,
                                               base::MonotonicTime deadline) = 0;
};

// The kind of an error reply: kPermissionDenied for NOPERM, kUnsupported for an unknown command,
// else kUnavailable.
base::ErrorKind KindOfReply(std::string_view error_text);

}  // namespace exporters::redis
