#include "exporters/redis/queue_names.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace exporters::redis {
namespace {

constexpr size_t kMaxNameBytes = 200;
constexpr std::string_view kLaravelSuffixes[] = {":delayed", ":reserved", ":notify"};
constexpr std::string_view kHorizonRegistry = "measured_queues";
constexpr std::string_view kKombuBinding = "_kombu.binding.";
// Exchanges of Celery itself, which carry no tasks.
constexpr std::string_view kNoTaskEndings[] = {"celeryev", ".pidbox", ".reply"};

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// "app_database_queues:default:reserved" is of the queue "app_database_queues:default".
std::optional<std::string_view> LaravelQueue(std::string_view key) {
  for (const std::string_view suffix : kLaravelSuffixes) {
    if (EndsWith(key, suffix)) {
      key.remove_suffix(suffix.size());
      break;
    }
  }
  const size_t at = key.rfind("queues:");
  const bool starts_a_word =
      at == 0 || (at != std::string_view::npos &&
                  (key[at - 1] == '_' || key[at - 1] == ':' || key[at - 1] == '-'));
  if (!starts_a_word || at + 7 == key.size() || key.substr(0, 3) == "rq:") {
    return std::nullopt;
  }
  return key;
}

}  // namespace

void QueueNames::Add(int64_t db, std::string_view system, std::string_view name) {
  if (queues_.size() < kMaxQueues && name.size() <= kMaxNameBytes) {
    queues_.insert({.db = db, .system = std::string(system), .name = std::string(name)});
  }
}

void QueueNames::AddKey(int64_t db, std::string_view key) {
  if (key == "queues") {
    Add(db, "sidekiq", "");
  } else if (key == "rq:queues") {
    Add(db, "rq", "");
  } else if (EndsWith(key, kHorizonRegistry)) {
    Add(db, "horizon", key.substr(0, key.size() - kHorizonRegistry.size()));
  } else if (key.substr(0, kKombuBinding.size()) == kKombuBinding) {
    const std::string_view name = key.substr(kKombuBinding.size());
    if (std::none_of(std::begin(kNoTaskEndings), std::end(kNoTaskEndings),
                     [&](std::string_view end) { return EndsWith(name, end); })) {
      Add(db, "celery", name);
    }
  } else if (const auto laravel = LaravelQueue(key)) {
    Add(db, "laravel", *laravel);
  } else {
    AddBull(db, key);
  }
}

// bull:NAME:meta is enough; with another prefix the stream of events must be there as well.
void QueueNames::AddBull(int64_t db, std::string_view key) {
  const bool meta = EndsWith(key, ":meta");
  if (!meta && !EndsWith(key, ":events")) {
    return;
  }
  const std::string_view base = key.substr(0, key.rfind(':'));
  if (base.substr(0, 5) == "bull:") {
    Add(db, "bullmq", base);
    return;
  }
  if (base.find(':') == std::string_view::npos || bull_.size() >= 10 * kMaxQueues) {
    return;
  }
  int& seen = bull_[{db, std::string(base)}];
  seen |= meta ? 1 : 2;
  if (seen == 3) {
    Add(db, "bullmq", base);
  }
}

}  // namespace exporters::redis
