#include "exporters/redis/walker.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "exporters/redis/cluster_nodes.h"
#include "exporters/redis/info.h"
#include "lib/base/duration.h"
#include "lib/base/strings.h"

namespace exporters::redis {
namespace {

using std::chrono::steady_clock;

// How long one exchange of the walk may take, and how long it waits after one that failed.
constexpr std::chrono::seconds kExchangeTime{10};
constexpr std::chrono::seconds kRetryAfter{5};
constexpr std::string_view kUnclassified = "unclassified";
constexpr std::string_view kOverflow = "overflow";

base::MonotonicTime Soon() { return steady_clock::now() + kExchangeTime; }

base::Error ReplyError(std::string_view command, const Reply& reply) {
  return base::Error(std::string(command) + ": " +
                         (reply.IsError() ? reply.text.substr(0, 120) : "not the answer expected"),
                     reply.IsError() ? KindOfReply(reply.text) : base::ErrorKind::kInvalidArgument);
}

// The databases that have keys, from INFO keyspace.
std::vector<int64_t> DatabasesWithKeys(const Info& info) {
  std::vector<int64_t> databases;
  for (const InfoField& field : info.fields()) {
    const auto number = AfterPrefix(field.name, "db");
    const auto db = number ? base::ParseInt(*number) : std::nullopt;
    if (db.has_value() && *db >= 0 && databases.size() < kMaxDatabases) {
      databases.push_back(*db);
    }
  }
  return databases;
}

bool AnyMatches(const std::vector<KeySelector>& selectors, int64_t db, std::string_view key) {
  return std::any_of(selectors.begin(), selectors.end(), [&](const KeySelector& selector) {
    return selector.db == db && GlobMatches(selector.text, key);
  });
}

}  // namespace

// Where a pass is, so that it goes on there after an outage.
struct Walker::Pass {
  base::MonotonicTime started = steady_clock::now();
  bool has_nodes = false;
  std::vector<Address> nodes;  // Still to walk, the last first.
  bool has_databases = false;
  std::vector<int64_t> databases;  // Of the last node, still to walk, the last first.
  std::string cursor = "0";
  std::map<int64_t, std::map<std::string, KeyGroup>> groups;
  WalkResult result;
};

DatabaseGroups KeepBiggestGroups(std::map<std::string, KeyGroup> groups, size_t max_groups) {
  DatabaseGroups kept{.distinct = groups.size(), .groups = {}};
  std::vector<std::pair<std::string, KeyGroup>> sorted(groups.begin(), groups.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.second.memory_bytes > b.second.memory_bytes;
  });
  for (size_t i = 0; i < sorted.size(); ++i) {
    KeyGroup& group = kept.groups[i < max_groups ? sorted[i].first : std::string(kOverflow)];
    group.keys += sorted[i].second.keys;
    group.memory_bytes += sorted[i].second.memory_bytes;
  }
  return kept;
}

base::Result<std::unique_ptr<Walker>> Walker::Start(const Options& options, Resolver& resolver,
                                                    const base::Logger& logger) {
  std::vector<LuaPattern> groups;
  for (const std::string& text : options.keys.groups) {
    ASSIGN_OR_RETURN(LuaPattern pattern, LuaPattern::Parse(text));
    groups.push_back(std::move(pattern));
  }
  std::unique_ptr<Walker> walker(new Walker(options, std::move(groups), resolver, logger));
  walker->thread_ = std::thread([raw = walker.get()] { raw->Run(); });
  return walker;
}

Walker::Walker(const Options& options, std::vector<LuaPattern> groups, Resolver& resolver,
               const base::Logger& logger)
    : options_([&options] {
        Options own = options;
        own.client_name += own.client_name.empty() ? "" : "-scan";
        return own;
      }()),
      groups_(std::move(groups)),
      resolver_(resolver),
      logger_(logger) {}

Walker::~Walker() {
  {
    const base::MutexLock lock(mutex_);
    stop_ = true;
  }
  changed_.NotifyAll();
  if (thread_.joinable()) {
    thread_.join();
  }
}

std::shared_ptr<const WalkResult> Walker::Latest(base::MonotonicTime deadline) {
  const base::MutexLock lock(mutex_);
  while (latest_ == nullptr && !stop_) {
    if (!changed_.WaitUntil(mutex_, deadline)) {
      break;
    }
  }
  return latest_;
}

bool Walker::Pause(steady_clock::duration time) {
  const base::MonotonicTime until = steady_clock::now() + time;
  const base::MutexLock lock(mutex_);
  while (!stop_ && steady_clock::now() < until) {
    changed_.WaitUntil(mutex_, until);
  }
  return !stop_;
}

void Walker::Run() {
  auto pass = std::make_unique<Pass>();
  std::string last_error;
  for (;;) {
    const base::Result<void> walked = Walk(pass.get());
    const std::string error = walked.ok() ? "" : walked.error().message();
    if (error != last_error && !error.empty()) {
      logger_.Warn("the walk through the keys waits", {{"err", error}});
    }
    last_error = error;
    steady_clock::duration wait = kRetryAfter;
    if (walked.ok()) {
      Publish(pass.get());
      wait = std::max<steady_clock::duration>(
          pass->started + options_.scan_interval - steady_clock::now(), std::chrono::seconds(1));
    }
    if (!Pause(wait)) {
      return;
    }
    if (walked.ok()) {
      pass = std::make_unique<Pass>();
    }
  }
}

base::Result<void> Walker::Walk(Pass* pass) {
  if (!pass->has_nodes) {
    RETURN_IF_ERROR(FindNodes(pass));
  }
  while (!pass->nodes.empty()) {
    Options options = options_;
    options.address = pass->nodes.back();
    Session session(options, resolver_);
    RETURN_IF_ERROR(WalkNode(&session, pass));
    pass->nodes.pop_back();
    pass->has_databases = false;
  }
  return {};
}

// In a cluster every master has keys of its own.
base::Result<void> Walker::FindNodes(Pass* pass) {
  if (!options_.is_cluster) {
    pass->nodes = {options_.address};
    pass->has_nodes = true;
    return {};
  }
  Session session(options_, resolver_);
  const Command command{.words = {"CLUSTER", "NODES"}};
  ASSIGN_OR_RETURN(const std::vector<Reply> replies, session.Ask("walk", {&command, 1}, Soon()));
  if (replies[0].type != Reply::Type::kString) {
    return ReplyError("CLUSTER NODES", replies[0]);
  }
  for (const ClusterNode& node : ParseClusterNodes(replies[0].text)) {
    if (node.master) {
      pass->nodes.push_back(options_.address);
      pass->nodes.back().endpoint = node.endpoint;
    }
  }
  pass->has_nodes = true;
  return {};
}

base::Result<void> Walker::FindDatabases(Session* session, Pass* pass) {
  const Command command{.words = {"INFO", "keyspace"}};
  ASSIGN_OR_RETURN(const std::vector<Reply> replies, session->Ask("walk", {&command, 1}, Soon()));
  if (replies[0].IsError()) {
    return ReplyError("INFO keyspace", replies[0]);
  }
  pass->databases = DatabasesWithKeys(Info(replies[0].text));
  for (const int64_t db : pass->databases) {
    pass->result.groups[db];
  }
  pass->cursor = "0";
  pass->has_databases = true;
  return {};
}

base::Result<void> Walker::WalkNode(Session* session, Pass* pass) {
  if (!pass->has_databases) {
    RETURN_IF_ERROR(FindDatabases(session, pass));
  }
  while (!pass->databases.empty()) {
    const base::MonotonicTime start = steady_clock::now();
    const uint64_t before = pass->result.key_count;
    RETURN_IF_ERROR(WalkBatch(session, pass));
    // What the exchange took is at least what the server worked.
    const auto worked = steady_clock::now() - start;
    const double keys = static_cast<double>(pass->result.key_count - before);
    const auto pause = std::max<steady_clock::duration>(
        std::chrono::duration_cast<steady_clock::duration>(worked * (1 / kWalkShare - 1)),
        std::chrono::duration_cast<steady_clock::duration>(
            std::chrono::duration<double>(keys / kMaxWalkKeysPerSecond)));
    if (!pass->databases.empty() && !Pause(pause)) {
      return base::Error("stopped", base::ErrorKind::kCancelled);
    }
  }
  return {};
}

base::Result<void> Walker::WalkBatch(Session* session, Pass* pass) {
  const int64_t db = pass->databases.back();
  const Command scan{
      .words = {"SCAN", pass->cursor, "COUNT", std::to_string(options_.keys.batch_size)}, .db = db};
  ASSIGN_OR_RETURN(const std::vector<Reply> replies, session->Ask("walk", {&scan, 1}, Soon()));
  const Reply& reply = replies[0];
  if (reply.elements.size() != 2 || !reply.elements[1].IsArray()) {
    return ReplyError("SCAN", reply);
  }
  RETURN_IF_ERROR(Take(session, db, reply.elements[1].elements, pass));
  pass->cursor = reply.elements[0].text;
  if (pass->cursor == "0") {
    pass->databases.pop_back();
  }
  return {};
}

// A key that SCAN names twice, which it may, is counted twice, but kept once.
base::Result<void> Walker::Take(Session* session, int64_t db, const std::vector<Reply>& keys,
                                Pass* pass) {
  const KeyOptions& options = options_.keys;
  WalkResult& result = pass->result;
  std::vector<KeySelector> found;
  std::vector<KeySelector> streams;
  for (const Reply& key : keys) {
    for (const KeySelector& pattern : options.counts) {
      if (pattern.db == db && GlobMatches(pattern.text, key.text)) {
        ++result.counts[{db, pattern.text}];
      }
    }
    if (AnyMatches(options.patterns, db, key.text)) {
      found.push_back({.db = db, .text = key.text});
    }
    if (AnyMatches(options.streams, db, key.text)) {
      streams.push_back({.db = db, .text = key.text});
    }
    if (options_.queues.discover) {
      result.queues.AddKey(db, key.text);
    }
  }
  if (!groups_.empty()) {
    RETURN_IF_ERROR(TakeGroups(session, db, keys, pass));
  }
  const size_t key_room = kMaxWalkedKeys - std::min(kMaxWalkedKeys, result.keys.size());
  const size_t stream_room = kMaxWalkedStreams - std::min(kMaxWalkedStreams, result.streams.size());
  result.truncated = result.truncated || found.size() > key_room || streams.size() > stream_room;
  found.resize(std::min(found.size(), key_room));
  streams.resize(std::min(streams.size(), stream_room));
  if (!found.empty()) {
    ASSIGN_OR_RETURN(std::vector<KeyFact> facts,
                     FetchKeys(*session, "walk keys", found, options.values, Soon()));
    for (KeyFact& fact : facts) {
      std::pair<int64_t, std::string> name(fact.key.db, fact.key.text);
      result.keys.insert_or_assign(std::move(name), std::move(fact));
    }
  }
  if (!streams.empty()) {
    ASSIGN_OR_RETURN(std::vector<StreamFact> facts, FetchStreams(*session, "walk streams", streams,
                                                                 options.stream_consumers, Soon()));
    std::move(facts.begin(), facts.end(), std::back_inserter(result.streams));
  }
  result.key_count += keys.size();
  return {};
}

base::Result<void> Walker::TakeGroups(Session* session, int64_t db, const std::vector<Reply>& keys,
                                      Pass* pass) {
  std::vector<Command> commands;
  commands.reserve(keys.size());
  for (const Reply& key : keys) {
    commands.push_back({.words = {"MEMORY", "USAGE", key.text}, .db = db});
  }
  ASSIGN_OR_RETURN(const std::vector<Reply> sizes, session->Ask("walk memory", commands, Soon()));
  std::map<std::string, KeyGroup>& groups = pass->groups[db];
  for (size_t i = 0; i < keys.size(); ++i) {
    std::string name(kUnclassified);
    for (const LuaPattern& pattern : groups_) {
      if (auto group = pattern.Group(keys[i].text)) {
        name = *std::move(group);
        break;
      }
    }
    if (groups.size() >= kMaxTrackedGroups && groups.find(name) == groups.end()) {
      name = kOverflow;
    }
    KeyGroup& group = groups[name];
    ++group.keys;
    group.memory_bytes += static_cast<double>(sizes[i].integer);  // 0 for one that has gone.
  }
  return {};
}

// Adds what is no longer there as 0: a queue that was worked off must not vanish from the page.
void Walker::Publish(Pass* pass) {
  WalkResult& result = pass->result;
  result.finished = steady_clock::now();
  result.seconds = base::ToSeconds(result.finished - pass->started);
  for (const KeySelector& pattern : options_.keys.counts) {
    result.counts.try_emplace({pattern.db, pattern.text}, 0);
  }
  for (auto& [db, groups] : pass->groups) {
    result.groups[db] = KeepBiggestGroups(std::move(groups), options_.keys.max_groups);
  }
  for (const auto& [name, fact] : result.keys) {
    if (last_seen_.size() < 2 * kMaxWalkedKeys || last_seen_.find(name) != last_seen_.end()) {
      last_seen_.insert_or_assign(name, result.finished);
    }
  }
  std::erase_if(last_seen_,
                [&](const auto& seen) { return result.finished - seen.second > kForgetKeyAfter; });
  for (const auto& [name, seen] : last_seen_) {
    if (seen != result.finished && result.keys.size() < kMaxWalkedKeys) {
      result.keys.try_emplace(
          name, KeyFact{.key = {.db = name.first, .text = name.second}, .size = 0, .value = {}});
    }
  }
  auto shared = std::make_shared<const WalkResult>(std::move(result));
  {
    const base::MutexLock lock(mutex_);
    latest_ = std::move(shared);
  }
  changed_.NotifyAll();
}

}  // namespace exporters::redis
