// One answer of a server that speaks RESP2.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace exporters::redis {

struct Reply {
  enum class Type { kNil, kString, kStatus, kError, kInteger, kArray };

  Type type = Type::kNil;
  std::string text = {};  // Of strings, statuses and errors.
  int64_t integer = 0;
  std::vector<Reply> elements = {};  // Of arrays.

  bool IsError() const { return type == Type::kError; }
  bool IsArray() const { return type == Type::kArray; }
};

}  // namespace exporters::redis
