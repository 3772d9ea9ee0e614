#include "exporters/redis/resp.h"

#include <utility>
#include <vector>

#include <fmt/format.h>
#include <hiredis/hiredis.h>
#include <hiredis/read.h>

namespace exporters::redis {
namespace {

// Where the reader's callbacks put what they are told: a tree of replies, and why they refused.
struct Builder {
  Reply root;
  size_t elements = 0;
  const char* refusal = nullptr;
};

Builder& BuilderOf(const redisReadTask* task) { return *static_cast<Builder*>(task->privdata); }

size_t DepthOf(const redisReadTask* task) {
  size_t depth = 0;
  for (const redisReadTask* at = task->parent; at != nullptr; at = at->parent) {
    ++depth;
  }
  return depth;
}

// The place of the value that `task` reads; null, with a refusal, beyond a limit.
Reply* Place(const redisReadTask* task) {
  Builder& builder = BuilderOf(task);
  if (++builder.elements > kMaxElements) {
    builder.refusal = "too many elements";
    return nullptr;
  }
  if (task->parent == nullptr) {
    builder.root = Reply();
    return &builder.root;
  }
  auto* array = static_cast<Reply*>(task->parent->obj);
  const auto index = static_cast<size_t>(task->idx);
  return index < array->elements.size() ? &array->elements[index] : nullptr;
}

void* CreateString(const redisReadTask* task, char* bytes, size_t size) {
  if (size > kMaxBulkBytes) {
    BuilderOf(task).refusal = "too long a string";
    return nullptr;
  }
  Reply* reply = Place(task);
  if (reply != nullptr) {
    reply->type = task->type == REDIS_REPLY_ERROR    ? Reply::Type::kError
                  : task->type == REDIS_REPLY_STATUS ? Reply::Type::kStatus
                                                     : Reply::Type::kString;
    reply->text.assign(bytes, size);
  }
  return reply;
}

// The count is an int in hiredis 0.14 and a size_t since 1.0.
template <typename Count>
void* CreateArray(const redisReadTask* task, Count count) {
  const auto size = static_cast<size_t>(count);
  Builder& builder = BuilderOf(task);
  if (size > kMaxElements - builder.elements) {
    builder.refusal = "too many elements";
    return nullptr;
  }
  if (DepthOf(task) >= kMaxDepth) {
    builder.refusal = "arrays too deep";
    return nullptr;
  }
  Reply* reply = Place(task);
  if (reply != nullptr) {
    reply->type = Reply::Type::kArray;
    reply->elements.resize(size);
  }
  return reply;
}

void* CreateInteger(const redisReadTask* task, long long value) {
  Reply* reply = Place(task);
  if (reply != nullptr) {
    reply->type = Reply::Type::kInteger;
    reply->integer = value;
  }
  return reply;
}

void* CreateNil(const redisReadTask* task) { return Place(task); }

void FreeNothing(void* /*reply*/) {}  // The builder owns the tree.

redisReplyObjectFunctions Callbacks() {
  redisReplyObjectFunctions functions{};
  functions.createString = CreateString;
  functions.createArray = CreateArray;
  functions.createInteger = CreateInteger;
  functions.createNil = CreateNil;
  functions.freeObject = FreeNothing;
  return functions;
}

}  // namespace

struct ReplyReader::Impl {
  redisReplyObjectFunctions functions = Callbacks();
  Builder builder;
  redisReader* reader = redisReaderCreateWithFunctions(&functions);
  size_t fed_bytes = 0;
};

void AppendCommand(std::span<const std::string_view> words, std::string* out) {
  std::vector<const char*> starts;
  std::vector<size_t> sizes;
  for (const std::string_view word : words) {
    starts.push_back(word.data());
    sizes.push_back(word.size());
  }
  char* bytes = nullptr;
  const auto size =
      redisFormatCommandArgv(&bytes, static_cast<int>(words.size()), starts.data(), sizes.data());
  if (size > 0) {  // Not so only when memory is out.
    out->append(bytes, static_cast<size_t>(size));
    redisFreeCommand(bytes);
  }
}

ReplyReader::ReplyReader() : impl_(std::make_unique<Impl>()) {
  impl_->reader->privdata = &impl_->builder;
}

ReplyReader::~ReplyReader() { redisReaderFree(impl_->reader); }

base::Result<void> ReplyReader::Feed(std::string_view bytes) {
  impl_->fed_bytes += bytes.size();
  if (impl_->fed_bytes > kMaxReplyBytes) {
    return base::Error(fmt::format("the replies are longer than {} bytes", kMaxReplyBytes),
                       base::ErrorKind::kResourceExhausted);
  }
  if (redisReaderFeed(impl_->reader, bytes.data(), bytes.size()) != REDIS_OK) {
    return base::Error("out of memory for a reply", base::ErrorKind::kResourceExhausted);
  }
  return {};
}

base::Result<std::optional<Reply>> ReplyReader::Next() {
  void* done = nullptr;
  if (redisReaderGetReply(impl_->reader, &done) != REDIS_OK) {
    if (impl_->builder.refusal != nullptr) {
      return base::Error(fmt::format("a reply is over a limit: {}", impl_->builder.refusal),
                         base::ErrorKind::kResourceExhausted);
    }
    return base::Error("not the Redis protocol (RESP2)", base::ErrorKind::kInvalidArgument);
  }
  if (done == nullptr) {
    return std::optional<Reply>();
  }
  return std::optional<Reply>(std::exchange(impl_->builder.root, Reply()));
}

}  // namespace exporters::redis
