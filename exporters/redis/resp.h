// The Redis protocol, version 2, without I/O: commands to bytes, bytes to replies. hiredis does the
// work; the limits are ours.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "exporters/redis/reply.h"
#include "lib/base/result.h"

namespace exporters::redis {

// Limits of what one ReplyReader takes in its life, which is one exchange.
inline constexpr size_t kMaxReplyBytes = 32 << 20;
inline constexpr size_t kMaxBulkBytes = 16 << 20;
inline constexpr size_t kMaxElements = 1 << 20;
// Arrays inside arrays; LATENCY HISTOGRAM has three levels.
inline constexpr size_t kMaxDepth = 7;

void AppendCommand(std::span<const std::string_view> words, std::string* out);

// Thread-compatible. After an error it answers nothing but that error.
class ReplyReader {
 public:
  ReplyReader();
  ~ReplyReader();

  // Errors: kResourceExhausted.
  base::Result<void> Feed(std::string_view bytes);
  // The next complete reply; nothing when more bytes are needed. Errors: kInvalidArgument (not
  // RESP2), kResourceExhausted (a limit above).
  base::Result<std::optional<Reply>> Next();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace exporters::redis
