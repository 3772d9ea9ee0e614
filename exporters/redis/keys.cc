#include "exporters/redis/keys.h"

#include <algorithm>
#include <utility>

#include "lib/base/strings.h"

namespace exporters::redis {
namespace {

struct SizeCommand {
  std::string_view type;  // As TYPE says.
  std::string_view command;
};

constexpr SizeCommand kSizeCommands[] = {
    {"string", "STRLEN"}, {"list", "LLEN"}, {"set", "SCARD"},
    {"zset", "ZCARD"},    {"hash", "HLEN"}, {"stream", "XLEN"},
};

std::string_view SizeCommandOf(std::string_view type) {
  for (const SizeCommand& row : kSizeCommands) {
    if (row.type == type) {
      return row.command;
    }
  }
  return "";
}

Command About(const KeySelector& key, std::vector<std::string> before,
              std::vector<std::string> after = {}) {
  before.push_back(key.text);
  before.insert(before.end(), after.begin(), after.end());
  return {.words = std::move(before), .db = key.db};
}

std::optional<double> Number(const Reply& reply) {
  return reply.type == Reply::Type::kInteger ? std::optional(static_cast<double>(reply.integer))
                                             : std::nullopt;
}

const Reply* Field(const Reply& map, std::string_view name) {
  for (size_t i = 0; i + 1 < map.elements.size(); i += 2) {
    if (map.elements[i].text == name) {
      return &map.elements[i + 1];
    }
  }
  return nullptr;
}

std::string Text(const Reply& map, std::string_view name) {
  const Reply* field = Field(map, name);
  return field == nullptr ? "" : field->text;
}

std::optional<int64_t> MaybeInteger(const Reply& map, std::string_view name) {
  const Reply* field = Field(map, name);
  return field != nullptr && field->type == Reply::Type::kInteger ? std::optional(field->integer)
                                                                  : std::nullopt;
}

int64_t Integer(const Reply& map, std::string_view name) {
  return MaybeInteger(map, name).value_or(0);
}

// "first-entry" is [id, [field, value, …]], or nil in an empty stream.
std::string EntryId(const Reply& map, std::string_view name) {
  const Reply* entry = Field(map, name);
  return entry == nullptr || entry->elements.empty() ? "" : entry->elements[0].text;
}

StreamFact ParseStream(const KeySelector& key, const Reply& reply) {
  return {.key = key,
          .length = Integer(reply, "length"),
          .radix_tree_keys = Integer(reply, "radix-tree-keys"),
          .radix_tree_nodes = Integer(reply, "radix-tree-nodes"),
          .group_count = Integer(reply, "groups"),
          .last_generated_id = Text(reply, "last-generated-id"),
          .first_entry_id = EntryId(reply, "first-entry"),
          .last_entry_id = EntryId(reply, "last-entry"),
          .max_deleted_entry_id = Text(reply, "max-deleted-entry-id"),
          .entries_added = MaybeInteger(reply, "entries-added"),
          .groups = {}};
}

std::vector<StreamGroup> ParseGroups(const Reply& reply) {
  std::vector<StreamGroup> groups;
  for (const Reply& each : reply.elements) {
    if (groups.size() == kMaxStreamGroups) {
      break;
    }
    groups.push_back({.name = Text(each, "name"),
                      .consumers = Integer(each, "consumers"),
                      .pending = Integer(each, "pending"),
                      .last_delivered_id = Text(each, "last-delivered-id"),
                      .entries_read = MaybeInteger(each, "entries-read"),
                      .lag = MaybeInteger(each, "lag"),
                      .members = {}});
  }
  return groups;
}

std::vector<StreamConsumer> ParseConsumers(const Reply& reply) {
  std::vector<StreamConsumer> consumers;
  for (const Reply& each : reply.elements) {
    if (consumers.size() == kMaxStreamConsumers) {
      break;
    }
    consumers.push_back({.name = Text(each, "name"),
                         .pending = Integer(each, "pending"),
                         .idle_ms = Integer(each, "idle")});
  }
  return consumers;
}

base::Result<void> FetchConsumers(Asker& asker, std::string_view part,
                                  std::vector<StreamFact>* facts, base::MonotonicTime deadline) {
  std::vector<Command> commands;
  std::vector<StreamGroup*> groups;
  for (StreamFact& fact : *facts) {
    for (StreamGroup& group : fact.groups) {
      commands.push_back(About(fact.key, {"XINFO", "CONSUMERS"}, {group.name}));
      groups.push_back(&group);
    }
  }
  ASSIGN_OR_RETURN(const std::vector<Reply> replies, asker.Ask(part, commands, deadline));
  for (size_t i = 0; i < groups.size(); ++i) {
    groups[i]->members = ParseConsumers(replies[i]);
  }
  return {};
}

}  // namespace

base::Result<std::vector<KeyFact>> FetchKeys(Asker& asker, std::string_view part,
                                             std::span<const KeySelector> keys, bool values,
                                             base::MonotonicTime deadline) {
  std::vector<Command> commands;
  for (const KeySelector& key : keys) {
    commands.push_back(About(key, {"TYPE"}));
    commands.push_back(About(key, {"MEMORY", "USAGE"}));
  }
  ASSIGN_OR_RETURN(const std::vector<Reply> first, asker.Ask(part, commands, deadline));
  std::vector<KeyFact> facts;
  commands.clear();
  std::vector<size_t> sized;
  for (size_t i = 0; i < keys.size(); ++i) {
    const Reply& type = first[2 * i];
    KeyFact fact{.key = keys[i], .memory_bytes = Number(first[2 * i + 1]), .value = {}};
    if (type.text == "none" && !type.IsError()) {
      fact.size = 0;
    } else if (const std::string_view command = SizeCommandOf(type.text); !command.empty()) {
      commands.push_back(About(keys[i], {std::string(command)}));
      sized.push_back(i);
    }
    facts.push_back(std::move(fact));
  }
  ASSIGN_OR_RETURN(const std::vector<Reply> sizes, asker.Ask(part, commands, deadline));
  commands.clear();
  std::vector<size_t> shown;
  for (size_t i = 0; i < sized.size(); ++i) {
    KeyFact& fact = facts[sized[i]];
    fact.size = Number(sizes[i]);
    if (values && first[2 * sized[i]].text == "string" &&
        fact.size.value_or(kMaxShownValueBytes + 1) <= kMaxShownValueBytes) {
      // Not GET: the string may have grown since.
      commands.push_back(
          About(fact.key, {"GETRANGE"}, {"0", std::to_string(kMaxShownValueBytes - 1)}));
      shown.push_back(sized[i]);
    }
  }
  ASSIGN_OR_RETURN(std::vector<Reply> texts, asker.Ask(part, commands, deadline));
  for (size_t i = 0; i < shown.size(); ++i) {
    if (texts[i].type == Reply::Type::kString) {
      facts[shown[i]].value = std::move(texts[i].text);
    }
  }
  return facts;
}

base::Result<std::vector<StreamFact>> FetchStreams(Asker& asker, std::string_view part,
                                                   std::span<const KeySelector> streams,
                                                   bool consumers, base::MonotonicTime deadline) {
  std::vector<Command> commands;
  for (const KeySelector& stream : streams) {
    commands.push_back(About(stream, {"XINFO", "STREAM"}));
    commands.push_back(About(stream, {"XINFO", "GROUPS"}));
  }
  ASSIGN_OR_RETURN(const std::vector<Reply> replies, asker.Ask(part, commands, deadline));
  std::vector<StreamFact> facts;
  for (size_t i = 0; i < streams.size(); ++i) {
    if (!replies[2 * i].IsArray()) {
      continue;
    }
    facts.push_back(ParseStream(streams[i], replies[2 * i]));
    facts.back().groups = ParseGroups(replies[2 * i + 1]);
  }
  if (consumers) {
    RETURN_IF_ERROR(FetchConsumers(asker, part, &facts, deadline));
  }
  return facts;
}

std::optional<double> StreamIdMilliseconds(std::string_view id) {
  const auto number = base::ParseUint(id.substr(0, id.find('-')));
  return number.has_value() ? std::optional(static_cast<double>(*number)) : std::nullopt;
}

}  // namespace exporters::redis
