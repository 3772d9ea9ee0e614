#include "exporters/redis/queues.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "lib/base/duration.h"
#include "lib/base/strings.h"

namespace exporters::redis {
namespace {

using Target = std::optional<double> QueueFact::*;

constexpr std::string_view kPart = "queues";
constexpr size_t kMaxJsonDepth = 64;
// BullMQ keeps milliseconds × 4096 + a sequence number.
constexpr double kBullScoreUnits = 4096 * 1e3;

constexpr std::chrono::seconds kHistoryStep{15};
constexpr std::chrono::seconds kHistoryLength{300};
constexpr std::chrono::seconds kMinHistory{30};

std::optional<double> ReplyNumber(const Reply& reply) {
  switch (reply.type) {
    case Reply::Type::kInteger:
      return static_cast<double>(reply.integer);
    case Reply::Type::kString:
      return base::ParseDouble(reply.text);
    default:
      return std::nullopt;
  }
}

// Commands of one round and what their replies are for.
class Round {
 public:
  using Use = void (*)(const Reply& reply, QueueFact& fact, double now);

  // The reply's number is added to `target`; of a key that is not there it is 0.
  void AddCount(size_t fact, Target target, int64_t db, std::vector<std::string> words) {
    Add(fact, target, nullptr, db, std::move(words));
  }
  void AddUse(size_t fact, Use use, int64_t db, std::vector<std::string> words) {
    Add(fact, nullptr, use, db, std::move(words));
  }

  base::Result<std::vector<Reply>> Run(Asker& asker, std::vector<QueueFact>* facts, double now,
                                       base::MonotonicTime deadline) const {
    ASSIGN_OR_RETURN(std::vector<Reply> replies, asker.Ask(kPart, commands_, deadline));
    for (size_t i = 0; i < replies.size(); ++i) {
      QueueFact& fact = (*facts)[items_[i].fact];
      if (items_[i].use != nullptr) {
        items_[i].use(replies[i], fact, now);
      } else if (const auto number = ReplyNumber(replies[i]);
                 number.has_value() && items_[i].target != nullptr) {
        fact.*items_[i].target = (fact.*items_[i].target).value_or(0) + *number;
      }
    }
    return replies;
  }

  size_t size() const { return commands_.size(); }

 private:
  struct Item {
    size_t fact = 0;
    Target target = nullptr;
    Use use = nullptr;
  };

  void Add(size_t fact, Target target, Use use, int64_t db, std::vector<std::string> words) {
    commands_.push_back({.words = std::move(words), .db = db});
    items_.push_back({.fact = fact, .target = target, .use = use});
  }

  std::vector<Command> commands_;
  std::vector<Item> items_;
};

// A score as a bound of ZCOUNT.
std::string Score(double value) { return fmt::format("{:.6f}", value); }

void SetAge(std::optional<double> since, double now, std::optional<double>* age) {
  if (since.has_value()) {
    *age = std::max(0.0, now - *since);
  }
}

// Sidekiq writes whole milliseconds since 8.0 and seconds with a fraction before.
double SecondsOf(double seconds_or_ms) {
  return seconds_or_ms > 1e11 ? seconds_or_ms / 1e3 : seconds_or_ms;
}

void UseLaravelHead(const Reply& reply, QueueFact& fact, double now) {
  auto since = JsonNumber(reply.text, "createdAt");
  since = since.has_value() ? since : JsonNumber(reply.text, "pushedAt");
  SetAge(since, now, &fact.oldest_age);
}

void UseSidekiqHead(const Reply& reply, QueueFact& fact, double now) {
  if (const auto since = JsonNumber(reply.text, "enqueued_at")) {
    SetAge(SecondsOf(*since), now, &fact.oldest_age);
  }
}

void UseRqEnqueuedAt(const Reply& reply, QueueFact& fact, double now) {
  SetAge(ParseIsoTime(reply.text), now, &fact.oldest_age);
}

void UseBullTimestamp(const Reply& reply, QueueFact& fact, double now) {
  if (const auto ms = base::ParseDouble(reply.text)) {
    SetAge(*ms / 1e3, now, &fact.oldest_age);
  }
}

void UseBullProcessedOn(const Reply& reply, QueueFact& fact, double now) {
  if (const auto ms = base::ParseDouble(reply.text)) {
    SetAge(*ms / 1e3, now, &fact.oldest_running_age);
  }
}

// The oldest job that runs has lost its lock: its worker is dead or stuck.
void UseBullLock(const Reply& reply, QueueFact& fact, double /*now*/) {
  if (reply.type == Reply::Type::kInteger) {
    fact.expired = reply.integer == 0 ? 1U : 0U;
  }
}

void UseUnackedHead(const Reply& reply, QueueFact& fact, double now) {
  if (reply.elements.size() == 2) {
    SetAge(base::ParseDouble(reply.elements[1].text), now, &fact.oldest_running_age);
  }
}

void UseFlag(const Reply& reply, QueueFact& fact, double /*now*/) {
  if (reply.type == Reply::Type::kInteger) {
    fact.paused = reply.integer != 0 ? 1U : 0U;
  }
}

void UseSidekiqProcess(const Reply& reply, QueueFact& fact, double /*now*/) {
  if (reply.elements.size() == 2) {
    fact.busy_workers = fact.busy_workers.value_or(0) + ReplyNumber(reply.elements[0]).value_or(0);
    fact.workers = fact.workers.value_or(0) + ReplyNumber(reply.elements[1]).value_or(0);
  }
}

// A counter that starts with the first job is 0 before.
void UseProcessed(const Reply& reply, QueueFact& fact, double /*now*/) {
  if (!reply.IsError()) {
    fact.processed = ReplyNumber(reply).value_or(0);
  }
}
void UseFailures(const Reply& reply, QueueFact& fact, double /*now*/) {
  if (!reply.IsError()) {
    fact.failures = ReplyNumber(reply).value_or(0);
  }
}
void UseAdded(const Reply& reply, QueueFact& fact, double /*now*/) {
  if (!reply.IsError()) {
    fact.added = ReplyNumber(reply).value_or(0);
  }
}

void AskLaravel(const QueueSelector& queue, size_t i, double now, Round* round) {
  const std::string& key = queue.name;
  const std::string due = Score(now - base::ToSeconds(kOverdueGrace));
  round->AddCount(i, &QueueFact::depth, queue.db, {"LLEN", key});
  round->AddCount(i, &QueueFact::delayed, queue.db, {"ZCARD", key + ":delayed"});
  round->AddCount(i, &QueueFact::running, queue.db, {"ZCARD", key + ":reserved"});
  round->AddCount(i, &QueueFact::overdue, queue.db, {"ZCOUNT", key + ":delayed", "-inf", due});
  round->AddCount(i, &QueueFact::expired, queue.db,
                  {"ZCOUNT", key + ":reserved", "-inf", Score(now)});
  round->AddUse(i, UseLaravelHead, queue.db, {"LINDEX", key, "0"});
}

void AskHorizon(const QueueSelector& queue, size_t i, double now, Round* round) {
  round->AddCount(i, &QueueFact::failed, queue.db, {"ZCARD", queue.name + "failed_jobs"});
  // A master supervisor that has said nothing for 14 seconds is gone.
  round->AddCount(i, &QueueFact::workers, queue.db,
                  {"ZCOUNT", queue.name + "masters", Score(now - 14), "+inf"});
}

void AskHorizonQueue(const QueueSelector& queue, const std::string& name, size_t i, Round* round) {
  // Starts again from 0 at every horizon:snapshot, as a counter may.
  round->AddUse(i, UseProcessed, queue.db, {"HGET", queue.name + "queue:" + name, "throughput"});
}

void AskSidekiq(const QueueSelector& queue, size_t i, double now, Round* round) {
  const std::string due = Score(now - base::ToSeconds(kOverdueGrace));
  round->AddCount(i, &QueueFact::delayed, queue.db, {"ZCARD", "schedule"});
  round->AddCount(i, &QueueFact::overdue, queue.db, {"ZCOUNT", "schedule", "-inf", due});
  round->AddCount(i, &QueueFact::retrying, queue.db, {"ZCARD", "retry"});
  round->AddCount(i, &QueueFact::failed, queue.db, {"ZCARD", "dead"});
  round->AddUse(i, UseProcessed, queue.db, {"GET", "stat:processed"});
  round->AddUse(i, UseFailures, queue.db, {"GET", "stat:failed"});
}

void AskSidekiqQueue(const QueueSelector& queue, const std::string& name, size_t i, Round* round) {
  round->AddCount(i, &QueueFact::depth, queue.db, {"LLEN", "queue:" + name});
  round->AddUse(i, UseSidekiqHead, queue.db, {"LINDEX", "queue:" + name, "-1"});
  round->AddUse(i, UseFlag, queue.db, {"SISMEMBER", "paused", name});
}

void AskBull(const QueueSelector& queue, size_t i, double now, Round* round) {
  const std::string base = queue.name + ":";
  const std::string due =
      fmt::format("{:.0f}", (now - base::ToSeconds(kOverdueGrace)) * kBullScoreUnits);
  round->AddCount(i, &QueueFact::depth, queue.db, {"LLEN", base + "wait"});
  round->AddCount(i, &QueueFact::depth, queue.db, {"LLEN", base + "paused"});
  round->AddCount(i, &QueueFact::depth, queue.db, {"ZCARD", base + "prioritized"});
  round->AddCount(i, &QueueFact::running, queue.db, {"LLEN", base + "active"});
  round->AddCount(i, &QueueFact::delayed, queue.db, {"ZCARD", base + "delayed"});
  round->AddCount(i, &QueueFact::failed, queue.db, {"ZCARD", base + "failed"});
  round->AddCount(i, &QueueFact::overdue, queue.db, {"ZCOUNT", base + "delayed", "-inf", due});
  round->AddUse(i, UseAdded, queue.db, {"GET", base + "id"});
  // Only there when the worker is told to keep them.
  round->AddCount(i, &QueueFact::processed, queue.db,
                  {"HGET", base + "metrics:completed", "count"});
  round->AddCount(i, &QueueFact::failures, queue.db, {"HGET", base + "metrics:failed", "count"});
  round->AddUse(i, UseFlag, queue.db, {"HEXISTS", base + "meta", "paused"});
}

void AskRqQueue(const QueueSelector& queue, const std::string& name, size_t i, double now,
                Round* round) {
  const std::string due = Score(now - base::ToSeconds(kOverdueGrace));
  round->AddCount(i, &QueueFact::depth, queue.db, {"LLEN", "rq:queue:" + name});
  round->AddCount(i, &QueueFact::running, queue.db, {"ZCARD", "rq:wip:" + name});
  round->AddCount(i, &QueueFact::delayed, queue.db, {"ZCARD", "rq:scheduled:" + name});
  round->AddCount(i, &QueueFact::failed, queue.db, {"ZCARD", "rq:failed:" + name});
  round->AddCount(i, &QueueFact::overdue, queue.db,
                  {"ZCOUNT", "rq:scheduled:" + name, "-inf", due});
  round->AddCount(i, &QueueFact::expired, queue.db,
                  {"ZCOUNT", "rq:wip:" + name, "-inf", Score(now)});
  round->AddCount(i, &QueueFact::workers, queue.db, {"SCARD", "rq:workers:" + name});
}

// Celery sends a task of priority 3 to a list of its own.
void AskCeleryQueue(const QueueSelector& queue, size_t i, Round* round) {
  for (const char* suffix : {"",
                             "\x06\x16"
                             "3",
                             "\x06\x16"
                             "6",
                             "\x06\x16"
                             "9"}) {
    round->AddCount(i, &QueueFact::depth, queue.db, {"LLEN", queue.name + suffix});
  }
}

void AskCelery(const QueueSelector& queue, size_t i, double now, Round* round) {
  const std::string lost = Score(now - base::ToSeconds(kCeleryVisibility));
  round->AddCount(i, &QueueFact::running, queue.db, {"HLEN", "unacked"});
  round->AddCount(i, &QueueFact::expired, queue.db, {"ZCOUNT", "unacked_index", "-inf", lost});
  round->AddUse(i, UseUnackedHead, queue.db, {"ZRANGE", "unacked_index", "0", "0", "WITHSCORES"});
}

// What comes behind the last "queues:" or, for BullMQ, the first colon.
std::string LabelOf(const QueueSelector& queue) {
  if (queue.system == "laravel") {
    const size_t at = queue.name.rfind("queues:");
    return at == std::string::npos ? queue.name : queue.name.substr(at + 7);
  }
  if (queue.system == "bullmq") {
    return queue.name.substr(0, 5) == "bull:" ? queue.name.substr(5) : queue.name;
  }
  return queue.system == "horizon" ? "" : queue.name;
}

// A system whose registry names its queues.
struct Registry {
  std::string_view system;
  std::string_view key;
  std::string_view strip;  // In front of each name.
};

constexpr Registry kRegistries[] = {{"sidekiq", "queues", ""},
                                    {"rq", "rq:queues", "rq:queue:"},
                                    {"horizon", "measured_queues", ""}};

const Registry* RegistryOf(const QueueSelector& queue) {
  for (const Registry& registry : kRegistries) {
    const bool all = queue.system == "horizon" || queue.name.empty();
    if (registry.system == queue.system && all) {
      return &registry;
    }
  }
  return nullptr;
}

struct Named {
  QueueSelector queue;  // As it was selected: of Horizon the prefix.
  std::string name;     // Of one queue; empty for the system as a whole.
};

// Round one: the registries. SRANDMEMBER with a count costs no more than the count, SMEMBERS would
// cost whatever somebody put into a set of that name.
base::Result<std::vector<Named>> NameQueues(Asker& asker, const QueueSet& wanted,
                                            base::MonotonicTime deadline) {
  std::vector<Named> named;
  std::vector<Command> commands;
  std::vector<std::pair<const Registry*, QueueSelector>> asked;
  for (const QueueSelector& queue : wanted) {
    if (const Registry* registry = RegistryOf(queue)) {
      commands.push_back({.words = {"SRANDMEMBER", queue.name + std::string(registry->key),
                                    std::to_string(kMaxQueues)},
                          .db = queue.db});
      asked.emplace_back(registry, queue);
      named.push_back({.queue = queue, .name = ""});
    } else {
      named.push_back({.queue = queue, .name = LabelOf(queue)});
    }
  }
  ASSIGN_OR_RETURN(const std::vector<Reply> replies, asker.Ask(kPart, commands, deadline));
  for (size_t i = 0; i < replies.size(); ++i) {
    for (const Reply& member : replies[i].elements) {
      const std::string_view strip = asked[i].first->strip;
      std::string_view name = member.text;
      name.remove_prefix(name.substr(0, strip.size()) == strip ? strip.size() : 0);
      const bool known = std::any_of(named.begin(), named.end(), [&](const Named& each) {
        return each.queue.system == asked[i].second.system && each.queue.db == asked[i].second.db &&
               each.name == name && !name.empty();
      });
      if (!known && named.size() < kMaxQueues) {
        named.push_back({.queue = asked[i].second, .name = std::string(name)});
      }
    }
  }
  return named;
}

void AskFacts(const Named& named, size_t i, double now, Round* round) {
  const QueueSelector& queue = named.queue;
  if (queue.system == "laravel") {
    AskLaravel(queue, i, now, round);
  } else if (queue.system == "horizon") {
    named.name.empty() ? AskHorizon(queue, i, now, round)
                       : AskHorizonQueue(queue, named.name, i, round);
  } else if (queue.system == "sidekiq") {
    named.name.empty() ? AskSidekiq(queue, i, now, round)
                       : AskSidekiqQueue(queue, named.name, i, round);
  } else if (queue.system == "bullmq") {
    AskBull(queue, i, now, round);
  } else if (queue.system == "rq" && !named.name.empty()) {
    AskRqQueue(queue, named.name, i, now, round);
  } else if (queue.system == "celery") {
    named.name.empty() ? AskCelery(queue, i, now, round) : AskCeleryQueue(queue, i, round);
  }
}

// A job's id at the head of a list, and its place among the facts.
struct Head {
  size_t fact = 0;
  bool running = false;
  std::string id;
};

// Round two, second half: who is at the head, where that is only an id; and who works.
class Heads {
 public:
  void Add(const Named& named, size_t i) {
    const QueueSelector& queue = named.queue;
    if (queue.system == "bullmq") {
      // BullMQ 4 and older leaves a marker "0:0" at the end of the list; the job is before it.
      AddList(i, false, queue.db, {"LRANGE", queue.name + ":wait", "-2", "-1"});
      AddList(i, true, queue.db, {"LRANGE", queue.name + ":active", "-1", "-1"});
    } else if (queue.system == "rq" && !named.name.empty()) {
      AddList(i, false, queue.db, {"LRANGE", "rq:queue:" + named.name, "0", "0"});
    } else if (queue.system == "sidekiq" && named.name.empty()) {
      commands_.push_back(
          {.words = {"SRANDMEMBER", "processes", std::to_string(kMaxWorkerProcesses)},
           .db = queue.db});
      lists_.push_back({.fact = i});
    }
  }

  base::Result<void> Run(Asker& asker, const std::vector<Named>& named,
                         std::vector<QueueFact>* facts, double now,
                         base::MonotonicTime deadline) const {
    ASSIGN_OR_RETURN(const std::vector<Reply> replies, asker.Ask(kPart, commands_, deadline));
    Round round;
    for (size_t k = 0; k < replies.size(); ++k) {
      const QueueSelector& queue = named[lists_[k].fact].queue;
      QueueFact& fact = (*facts)[lists_[k].fact];
      if (queue.system == "sidekiq") {
        UseProcesses(replies[k], queue, lists_[k].fact, &fact, &round);
      } else if (queue.system == "rq") {
        UseRqHead(replies[k], queue, lists_[k].fact, &round);
      } else {
        UseBullHead(replies[k], queue, lists_[k], &fact, &round);
      }
    }
    return round.Run(asker, facts, now, deadline).ok()
               ? base::Result<void>()
               : base::Error("queues: the oldest jobs could not be read",
                             base::ErrorKind::kUnavailable);
  }

 private:
  void AddList(size_t i, bool running, int64_t db, std::vector<std::string> words) {
    commands_.push_back({.words = std::move(words), .db = db});
    lists_.push_back({.fact = i, .running = running, .id = {}});
  }

  static void UseProcesses(const Reply& reply, const QueueSelector& queue, size_t i,
                           QueueFact* fact, Round* round) {
    if (!reply.IsArray()) {
      return;
    }
    fact->workers = 0;
    fact->busy_workers = 0;
    for (const Reply& process : reply.elements) {
      round->AddUse(i, UseSidekiqProcess, queue.db, {"HMGET", process.text, "busy", "concurrency"});
    }
  }

  static void UseRqHead(const Reply& reply, const QueueSelector& queue, size_t i, Round* round) {
    if (!reply.elements.empty()) {
      round->AddUse(i, UseRqEnqueuedAt, queue.db,
                    {"HGET", "rq:job:" + reply.elements[0].text, "enqueued_at"});
    }
  }

  static void UseBullHead(const Reply& reply, const QueueSelector& queue, const Head& head,
                          QueueFact* fact, Round* round) {
    std::string_view id;
    for (const Reply& each : reply.elements) {
      if (each.text.substr(0, 2) != "0:") {
        id = each.text;
      } else if (fact->depth.value_or(0) > 0) {
        fact->depth = *fact->depth - 1;
      }
    }
    if (id.empty()) {
      if (head.running && reply.IsArray()) {
        fact->expired = 0;
      }
      return;
    }
    const std::string key = queue.name + ":" + std::string(id);
    if (head.running) {
      round->AddUse(head.fact, UseBullProcessedOn, queue.db, {"HGET", key, "processedOn"});
      round->AddUse(head.fact, UseBullLock, queue.db, {"EXISTS", key + ":lock"});
    } else {
      round->AddUse(head.fact, UseBullTimestamp, queue.db, {"HGET", key, "timestamp"});
    }
  }

  std::vector<Command> commands_;
  std::vector<Head> lists_;
};

}  // namespace

base::Result<std::vector<QueueFact>> FetchQueues(Asker& asker, const QueueSet& wanted, double now,
                                                 base::MonotonicTime deadline) {
  ASSIGN_OR_RETURN(std::vector<Named> named, NameQueues(asker, wanted, deadline));
  // What Celery keeps for all queues of a database.
  std::set<int64_t> celery;
  for (const QueueSelector& queue : wanted) {
    if (queue.system == "celery" && celery.insert(queue.db).second) {
      named.push_back({.queue = {.db = queue.db, .system = "celery", .name = ""}, .name = ""});
    }
  }
  std::vector<QueueFact> facts;
  Round round;
  Heads heads;
  for (size_t i = 0; i < named.size(); ++i) {
    QueueSelector queue = named[i].queue;
    queue.name += queue.system == "horizon" || queue.name.empty() ? named[i].name : "";
    facts.push_back({.queue = std::move(queue), .label = named[i].name});
    AskFacts(named[i], i, now, &round);
    heads.Add(named[i], i);
  }
  RETURN_IF_ERROR(round.Run(asker, &facts, now, deadline));
  RETURN_IF_ERROR(heads.Run(asker, named, &facts, now, deadline));
  return facts;
}

QueueSet QueueMemory::Remember(const QueueSet& found, base::MonotonicTime now) {
  for (const QueueSelector& queue : found) {
    if (known_.size() < kMaxQueues || known_.find(queue) != known_.end()) {
      known_.insert_or_assign(queue, now);
    }
  }
  std::erase_if(known_, [&](const auto& entry) { return now - entry.second > kForgetQueueAfter; });
  QueueSet known;
  for (const auto& [queue, seen] : known_) {
    known.insert(queue);
  }
  return known;
}

std::optional<double> QueueMemory::DrainSeconds(const QueueSelector& queue, double depth,
                                                base::MonotonicTime now) {
  if (history_.size() >= kMaxQueues && history_.find(queue) == history_.end()) {
    return std::nullopt;
  }
  std::deque<Point>& history = history_[queue];
  if (history.empty() || now - history.back().time >= kHistoryStep) {
    history.push_back({.time = now, .depth = depth});
  }
  // The first point is the last one that is older than the length.
  while (history.size() > 1 && now - history[1].time >= kHistoryLength) {
    history.pop_front();
  }
  if (depth <= 0) {
    return 0;
  }
  const Point& then = history.front();
  if (now - then.time < kMinHistory) {
    return std::nullopt;
  }
  const double per_second = (then.depth - depth) / base::ToSeconds(now - then.time);
  return per_second > 0 ? depth / per_second : std::numeric_limits<double>::infinity();
}

namespace {

// Behind the string that starts at `at`; npos when it does not end.
size_t SkipString(std::string_view json, size_t at) {
  for (size_t i = at + 1; i < json.size(); ++i) {
    if (json[i] == '\\') {
      ++i;
    } else if (json[i] == '"') {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

size_t SkipSpace(std::string_view json, size_t at) {
  const size_t end = json.find_first_not_of(" \t\r\n", at);
  return end == std::string_view::npos ? json.size() : end;
}

std::optional<double> NumberAt(std::string_view json, size_t at) {
  at = SkipSpace(json, at);
  at += at < json.size() && json[at] == '"' ? 1U : 0U;
  const size_t end = json.find_first_not_of("+-.0123456789eE", at);
  return base::ParseDouble(json.substr(at, end == std::string_view::npos ? end : end - at));
}

}  // namespace

std::optional<double> JsonNumber(std::string_view json, std::string_view name) {
  size_t depth = 0;
  for (size_t i = 0; i < json.size();) {
    const char c = json[i];
    if (c == '"') {
      const size_t end = SkipString(json, i);
      if (end == std::string_view::npos) {
        return std::nullopt;
      }
      const size_t colon = SkipSpace(json, end);
      const bool is_key = colon < json.size() && json[colon] == ':';
      if (depth == 1 && is_key && json.substr(i + 1, end - i - 2) == name) {
        return NumberAt(json, colon + 1);
      }
      i = end;
      continue;
    }
    if (c == '{' || c == '[') {
      if (++depth > kMaxJsonDepth) {
        return std::nullopt;
      }
    } else if (c == '}' || c == ']') {
      if (depth == 0 || --depth == 0) {
        return std::nullopt;
      }
    }
    ++i;
  }
  return std::nullopt;
}

std::optional<double> ParseIsoTime(std::string_view text) {
  constexpr uint64_t kNoNumber = 9999;
  constexpr std::string_view kForm = "0000-00-00T00:00:00";
  if (text.size() < kForm.size()) {
    return std::nullopt;
  }
  const auto number = [&](size_t at, size_t size) {
    return base::ParseUint(text.substr(at, size)).value_or(kNoNumber);
  };
  for (const size_t at : {size_t{4}, size_t{7}, size_t{13}, size_t{16}}) {
    if (text[at] != kForm[at]) {
      return std::nullopt;
    }
  }
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(number(0, 4))),
                                         std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                         std::chrono::day(static_cast<unsigned>(number(8, 2)))};
  if (!date.ok() || number(0, 4) == kNoNumber || (text[10] != 'T' && text[10] != ' ') ||
      number(11, 2) > 23 || number(14, 2) > 59 || number(17, 2) > 60) {
    return std::nullopt;
  }
  std::string_view rest = text.substr(kForm.size());
  double fraction = 0;
  if (rest.substr(0, 1) == ".") {
    const size_t end = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
    fraction = base::ParseDouble("0" + std::string(rest.substr(0, end))).value_or(0);
    rest.remove_prefix(end);
  }
  if (!rest.empty() && rest != "Z" && rest != "+00:00") {
    return std::nullopt;
  }
  const auto days = std::chrono::sys_days(date).time_since_epoch().count();
  return static_cast<double>(days) * 86400 + static_cast<double>(number(11, 2)) * 3600 +
         static_cast<double>(number(14, 2)) * 60 + static_cast<double>(number(17, 2)) + fraction;
}

}  // namespace exporters::redis
