#include "lib/http/exchange_table.h"

#include <array>
#include <cstdlib>

#include <fmt/format.h>
#include <openssl/rand.h>

#include "lib/base/strings.h"

namespace http {
namespace {

std::string MakeKey() {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    std::abort();  // No random numbers: no safe way to go on.
  }
  std::string key;
  for (const unsigned char byte : bytes) {
    key += fmt::format("{:02x}", byte);
  }
  return key + "-";
}

}  // namespace

ExchangeTable::ExchangeTable() : key_(MakeKey()) {}

ExchangeId ExchangeTable::Begin(const std::string& client_address) {
  const base::MutexLock lock(mutex_);
  entries_[next_id_] = {.client_address = client_address};
  return next_id_++;
}

void ExchangeTable::End(ExchangeId id) {
  const base::MutexLock lock(mutex_);
  entries_.erase(id);
}

std::string ExchangeTable::HeaderLine(ExchangeId id) const {
  return fmt::format("{}: {}{}\r\n", kHeader, key_, id);
}

bool ExchangeTable::IsHandling(ExchangeId id) const {
  const base::MutexLock lock(mutex_);
  const auto entry = entries_.find(id);
  return entry != entries_.end() && entry->second.handling;
}

uint64_t ExchangeTable::ResponseBytes(ExchangeId id) const {
  const base::MutexLock lock(mutex_);
  const auto entry = entries_.find(id);
  return entry == entries_.end() ? 0 : entry->second.response_bytes;
}

std::optional<ExchangeTable::Exchange> ExchangeTable::Find(std::string_view header_value) const {
  if (header_value.substr(0, key_.size()) != key_) {
    return std::nullopt;
  }
  const ExchangeId id = base::ParseUint(header_value.substr(key_.size())).value_or(0);
  const base::MutexLock lock(mutex_);
  const auto entry = entries_.find(id);
  if (entry == entries_.end()) {
    return std::nullopt;
  }
  return Exchange{.id = id, .client_address = entry->second.client_address};
}

void ExchangeTable::BeginHandling(ExchangeId id) {
  const base::MutexLock lock(mutex_);
  if (const auto entry = entries_.find(id); entry != entries_.end()) {
    entry->second.handling = true;
  }
}

void ExchangeTable::BeginResponse(ExchangeId id, uint64_t bytes) {
  const base::MutexLock lock(mutex_);
  if (const auto entry = entries_.find(id); entry != entries_.end()) {
    entry->second.handling = false;
    entry->second.response_bytes = bytes;
  }
}

}  // namespace http
