// The requests that the front has passed on and whose responses are not through: what the front and
// the handlers of requests know of each other.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/mutex.h"

namespace http {

using ExchangeId = uint64_t;

// Thread-safe.
class ExchangeTable {
 public:
  // Every request that is passed on carries this header, first of all, with a value nobody can
  // guess: what reaches civetweb without it did not come through the front.
  static constexpr std::string_view kHeader = "X-Tarsier-Exchange";

  struct Exchange {
    ExchangeId id = 0;
    std::string client_address;
  };

  ExchangeTable();

  // For the front.
  ExchangeId Begin(const std::string& client_address);
  void End(ExchangeId id);
  std::string HeaderLine(ExchangeId id) const;
  bool IsHandling(ExchangeId id) const;
  uint64_t ResponseBytes(ExchangeId id) const;  // 0 until it is known.

  // For the handlers. Ids that have ended meanwhile are ignored.
  std::optional<Exchange> Find(std::string_view header_value) const;
  // The request has been read whole: its exchange must not make room for another.
  void BeginHandling(ExchangeId id);
  // So many bytes follow.
  void BeginResponse(ExchangeId id, uint64_t bytes);

 private:
  struct Entry {
    std::string client_address;
    bool handling = false;
    uint64_t response_bytes = 0;
  };

  const std::string key_;  // What local programs that connect to civetweb themselves do not know.
  mutable base::Mutex mutex_;
  ExchangeId next_id_ GUARDED_BY(mutex_) = 1;
  std::map<ExchangeId, Entry> entries_ GUARDED_BY(mutex_);
};

}  // namespace http
