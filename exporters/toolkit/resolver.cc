#include "exporters/toolkit/resolver.h"

#include <algorithm>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include "lib/base/url.h"

namespace exporters {
namespace {

using Addresses = std::vector<ResolvedAddress>;

base::Result<Addresses> GetAddresses(const std::string& host, int port, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int code = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (code != 0) {
    return base::Error(fmt::format("look up \"{}\": {}", host, gai_strerror(code)),
                       base::ErrorKind::kNotFound);
  }
  Addresses addresses;
  for (const addrinfo* at = list; at != nullptr && addresses.size() < kMaxAddresses;
       at = at->ai_next) {
    addresses.push_back(
        {.bytes = std::string(reinterpret_cast<const char*>(at->ai_addr), at->ai_addrlen),
         .family = at->ai_family});
  }
  freeaddrinfo(list);
  return addresses;
}

}  // namespace

// Shared by the thread that looks up and those that wait for it.
struct Resolver::Lookup {
  base::Mutex mutex;
  base::CondVar changed;
  bool done GUARDED_BY(mutex) = false;
  base::Result<Addresses> outcome GUARDED_BY(mutex) = Addresses();
  std::thread thread;  // Written before the lookup is shared, joined once it is not.

  void Finish(base::Result<Addresses> result) {
    const base::MutexLock lock(mutex);
    outcome = std::move(result);
    done = true;
    changed.NotifyAll();
  }

  // True when it finished before `deadline`.
  bool WaitUntil(base::MonotonicTime deadline) {
    const base::MutexLock lock(mutex);
    while (!done) {
      if (!changed.WaitUntil(mutex, deadline) && !done) {
        return false;
      }
    }
    return true;
  }

  bool Done() {
    const base::MutexLock lock(mutex);
    return done;
  }

  base::Result<Addresses> Outcome() {
    const base::MutexLock lock(mutex);
    return outcome;
  }

  ~Lookup() {
    if (thread.joinable()) {
      thread.join();
    }
  }
};

Resolver::Resolver() = default;
Resolver::~Resolver() = default;

base::Result<std::shared_ptr<Resolver::Lookup>> Resolver::JoinOrStart(const std::string& name,
                                                                      const std::string& host,
                                                                      int port) {
  const base::MutexLock lock(mutex_);
  if (const auto running = lookups_.find(name); running != lookups_.end()) {
    return running->second;
  }
  std::erase_if(lookups_, [](const auto& entry) { return entry.second->Done(); });
  if (lookups_.size() >= kMaxLookups) {
    return base::Error(
        fmt::format("look up \"{}\": {} lookups are still running", host, kMaxLookups),
        base::ErrorKind::kResourceExhausted);
  }
  auto lookup = std::make_shared<Lookup>();
  lookup->thread = std::thread(
      [raw = lookup.get(), host, port] { raw->Finish(GetAddresses(host, port, AI_ADDRCONFIG)); });
  lookups_.emplace(name, lookup);
  return lookup;
}

base::Result<Addresses> Resolver::Resolve(const std::string& host, int port,
                                          base::MonotonicTime deadline) {
  if (auto numeric = GetAddresses(host, port, AI_NUMERICHOST); numeric.ok()) {
    return numeric;
  }
  const std::string name = base::FormatHostPort(host, port);
  ASSIGN_OR_RETURN(const std::shared_ptr<Lookup> lookup, JoinOrStart(name, host, port));
  const bool finished =
      lookup->WaitUntil(std::min(deadline, std::chrono::steady_clock::now() + kMaxLookupTime));
  base::Result<Addresses> outcome =
      finished
          ? lookup->Outcome()
          : base::Error(fmt::format("look up \"{}\": the name server did not answer in time", host),
                        base::ErrorKind::kDeadlineExceeded);
  const base::MutexLock lock(mutex_);
  if (finished) {
    if (const auto at = lookups_.find(name); at != lookups_.end() && at->second == lookup) {
      lookups_.erase(at);
    }
  }
  if (outcome.ok()) {
    if (last_good_.size() >= kMaxKnownNames) {
      last_good_.clear();
    }
    last_good_.insert_or_assign(name, *outcome);
    return outcome;
  }
  if (const auto known = last_good_.find(name); known != last_good_.end()) {
    return known->second;
  }
  return outcome;
}

}  // namespace exporters
