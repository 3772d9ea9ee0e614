#include "agent/discovery/local.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

namespace discovery {

std::vector<std::optional<ServerKind>> LocalFinder::AskAll(
    const std::vector<Listener>& listeners) const {
  std::vector<std::optional<ServerKind>> kinds(listeners.size());
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i = next++; i < listeners.size(); i = next++) {
      kinds[i] = options_.probe(listeners[i]);
    }
  };
  std::vector<std::thread> threads;
  for (size_t i = 0; i < std::min(kProbesAtOnce, listeners.size()); ++i) {
    threads.emplace_back(work);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  return kinds;
}

base::Result<std::vector<FoundServer>> LocalFinder::Find() {
  ASSIGN_OR_RETURN(std::vector<Listener> listeners, ReadTcpListeners(options_.proc));
  for (Listener& listener : FindUnixListeners(options_.socket_patterns)) {
    listeners.push_back(std::move(listener));
  }
  const auto& own = options_.own_ports;
  std::erase_if(listeners, [&own](const Listener& listener) {
    return std::find(own.begin(), own.end(), listener.port) != own.end();
  });

  std::map<Listener, Known> known;
  std::vector<Listener> unknown;
  for (const Listener& listener : listeners) {
    const auto before = known_.find(listener);
    const Known state = before == known_.end() ? Known() : before->second;
    known.emplace(listener, state);
    if (!state.kind && state.asks < kMaxAsks) {
      unknown.push_back(listener);
    }
  }
  const std::vector<std::optional<ServerKind>> kinds = AskAll(unknown);
  for (size_t i = 0; i < unknown.size(); ++i) {
    Known& state = known[unknown[i]];
    state.kind = kinds[i];
    ++state.asks;
  }
  std::vector<FoundServer> found;
  for (const Listener& listener : listeners) {
    if (const auto kind = known[listener].kind) {
      found.push_back({*kind, listener});
    }
  }
  known_ = std::move(known);
  return found;
}

}  // namespace discovery
