// Recorded replies as a server would give them: the stream of replies to every request that the
// default options and the recorded INFO ask for, in the order of AllRequests().
#pragma once

#include <string_view>
#include <utility>

#include "exporters/redis/context.h"
#include "exporters/redis/resp.h"

namespace exporters::redis {

// Pure. Replies that are missing at the end stay unasked.
inline base::Result<Snapshot> ReplaySnapshot(std::string_view stream, const Options& options) {
  ReplyReader reader;
  RETURN_IF_ERROR(reader.Feed(stream));
  Snapshot snapshot;
  snapshot.options = &options;
  ServerTraits traits;
  for (const RequestRow& row : AllRequests()) {
    if (!row.wanted(options, traits)) {
      continue;
    }
    ASSIGN_OR_RETURN(std::optional<Reply> reply, reader.Next());
    if (!reply.has_value()) {
      break;
    }
    if (row.id == Request::kInfo) {
      snapshot.info = Info(reply->text);
      traits = TraitsOf(snapshot.info);
    }
    snapshot.answers.Set(row.id, *std::move(reply));
  }
  return snapshot;
}

}  // namespace exporters::redis
