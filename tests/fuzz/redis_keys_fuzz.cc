// What names keys and queues, and what a server says about them: flags, patterns, job payloads,
// CLIENT LIST, CLUSTER NODES; and any replies to the questions about keys, streams and queues.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporters/redis/client_list.h"
#include "exporters/redis/cluster_nodes.h"
#include "exporters/redis/key_selector.h"
#include "exporters/redis/keys.h"
#include "exporters/redis/lua_pattern.h"
#include "exporters/redis/queues.h"
#include "exporters/redis/resp.h"

namespace {

using exporters::redis::Reply;

// Gives the same replies again and again, whatever is asked.
class Parrot final : public exporters::redis::Asker {
 public:
  explicit Parrot(std::vector<Reply> replies) : replies_(std::move(replies)) {}

  base::Result<std::vector<Reply>> Ask(std::string_view,
                                       std::span<const exporters::redis::Command> commands,
                                       base::MonotonicTime) override {
    std::vector<Reply> answers;
    for (size_t i = 0; i < commands.size(); ++i) {
      answers.push_back(replies_.empty() ? Reply() : replies_[next_++ % replies_.size()]);
    }
    return answers;
  }

 private:
  const std::vector<Reply> replies_;
  size_t next_ = 0;
};

void AskParrot(std::string_view text) {
  exporters::redis::ReplyReader reader;
  std::vector<Reply> replies;
  if (reader.Feed(text).ok()) {
    for (auto reply = reader.Next(); reply.ok() && reply->has_value() && replies.size() < 16;
         reply = reader.Next()) {
      replies.push_back(**std::move(reply));
    }
  }
  Parrot parrot(std::move(replies));
  const std::vector<exporters::redis::KeySelector> keys(3);
  static_cast<void>(exporters::redis::FetchKeys(parrot, "fuzz", keys, true, {}));
  static_cast<void>(exporters::redis::FetchStreams(parrot, "fuzz", keys, true, {}));
  const auto queues = exporters::redis::ParseQueueSelectors(
      "sidekiq,rq,laravel:queues:c,bullmq:bull:d,celery:e,horizon:f:");
  static_cast<void>(exporters::redis::FetchQueues(
      parrot, exporters::redis::QueueSet(queues->begin(), queues->end()), 1.8e9, {}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view pattern = text.substr(0, text.find('\n'));
  const std::string_view rest = text.substr(std::min(size, pattern.size() + 1));
  static_cast<void>(exporters::redis::GlobMatches(pattern, rest));
  if (const auto lua = exporters::redis::LuaPattern::Parse(pattern); lua.ok()) {
    static_cast<void>(lua->Group(rest));
  }
  static_cast<void>(exporters::redis::ParseKeySelectors(text));
  static_cast<void>(exporters::redis::ParseQueueSelectors(text));
  static_cast<void>(exporters::redis::JsonNumber(text, "createdAt"));
  const auto time = exporters::redis::ParseIsoTime(text);
  if (time.has_value() && !(*time > -1e12 && *time < 1e12)) {
    std::abort();
  }
  exporters::redis::QueueNames names;
  names.AddKey(0, text);
  for (const auto& client : exporters::redis::ParseClientList(text)) {
    static_cast<void>(client.Host());
    static_cast<void>(client.Number("idle"));
  }
  if (exporters::redis::ParseClusterNodes(text).size() > exporters::redis::kMaxClusterNodes) {
    std::abort();
  }
  AskParrot(text);
  return 0;
}
