// Names to addresses within a deadline. getaddrinfo cannot be bounded or cancelled, so each lookup
// runs on a thread of its own, at most one a name; the last good answer stands in for one that is
// late or fails.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/mutex.h"
#include "lib/base/result.h"

namespace exporters {

// How long a scrape waits for a name server, even if its deadline is further away.
inline constexpr std::chrono::milliseconds kMaxLookupTime{2000};
// Names that may be looked up at once; more are refused.
inline constexpr size_t kMaxLookups = 16;
// Addresses of one name that are tried.
inline constexpr size_t kMaxAddresses = 8;
// Names whose last good answer is kept.
inline constexpr size_t kMaxKnownNames = 256;

struct ResolvedAddress {
  std::string bytes;  // A sockaddr, whole, port included.
  int family = 0;     // AF_INET or AF_INET6.
};

// Thread-safe. The destructor waits for lookups that still run.
class Resolver {
 public:
  Resolver();
  ~Resolver();

  // Numeric hosts are answered without a lookup. Errors: kNotFound (no such name, or the name
  // server failed), kDeadlineExceeded, kResourceExhausted.
  base::Result<std::vector<ResolvedAddress>> Resolve(const std::string& host, int port,
                                                     base::MonotonicTime deadline);

 private:
  struct Lookup;

  base::Result<std::shared_ptr<Lookup>> JoinOrStart(const std::string& name,
                                                    const std::string& host, int port);

  base::Mutex mutex_;
  std::map<std::string, std::shared_ptr<Lookup>> lookups_ GUARDED_BY(mutex_);
  std::map<std::string, std::vector<ResolvedAddress>> last_good_ GUARDED_BY(mutex_);
};

}  // namespace exporters
