// gflags keeps the flags and turns text into typed values: each row is registered with it under its
// dotted name, by FlagRegisterer, and set through its API. The words of the command line are read
// here, because gflags' own scan prints and exits by itself, rewrites '-' to '_', has no
// environment fall-back, no lists and no `--no-name`. Its registry belongs to the process and takes
// nothing back, so ParseFlags leaves it as it found it and hands out a value.
#include "exporters/toolkit/flags.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <gflags/gflags.h>

#include "lib/base/duration.h"
#include "lib/base/strings.h"

namespace exporters {
namespace {

constexpr size_t kMaxArguments = 4096;

base::Error BadUsage(std::string message) {
  return base::Error(std::move(message), base::ErrorKind::kInvalidArgument);
}

[[noreturn]] void Abort(std::string_view name, std::string_view why) {
  fmt::print(stderr, "bug: flag --{}: {}\n", name, why);
  std::abort();
}

// A variable that gflags knows as `name`; both live as long as the process, as gflags demands.
template <typename T>
void Register(const std::string& name) {
  auto copy = std::make_unique<char[]>(name.size() + 1);
  std::copy(name.begin(), name.end(), copy.get());
  [[maybe_unused]] const gflags::FlagRegisterer registered(copy.release(), "", __FILE__,
                                                           std::make_unique<T>().release(),
                                                           std::make_unique<T>().release());
}

void RegisterAs(FlagType type, const std::string& name) {
  switch (type) {
    case FlagType::kBool:
      return Register<bool>(name);
    case FlagType::kInt:
      return Register<gflags::int64>(name);
    case FlagType::kDouble:
      return Register<double>(name);
    case FlagType::kString:
    case FlagType::kDuration:
      return Register<std::string>(name);
  }
}

// Sets the flag from text and returns gflags' variable of it; nullptr when it refuses the text.
const void* SetByGflags(const Flag& flag, const std::string& text) {
  // One name may have different types in different tables of one process.
  const std::string name = fmt::format("{}#{}", flag.name, static_cast<int>(flag.type));
  gflags::CommandLineFlagInfo info;
  if (!gflags::GetCommandLineFlagInfo(name.c_str(), &info)) {
    RegisterAs(flag.type, name);
    gflags::GetCommandLineFlagInfo(name.c_str(), &info);
  }
  if (gflags::SetCommandLineOption(name.c_str(), text.c_str()).empty()) {
    return nullptr;
  }
  return info.flag_ptr;
}

std::string_view TypeName(FlagType type) {
  switch (type) {
    case FlagType::kBool:
      return "true or false";
    case FlagType::kInt:
      return "a whole number";
    case FlagType::kDouble:
      return "a number";
    case FlagType::kString:
      return "a text";
    case FlagType::kDuration:
      return "a duration such as 500ms, 15s or 1m30s";
  }
  return "";
}

std::string ZeroText(FlagType type) {
  switch (type) {
    case FlagType::kBool:
      return "false";
    case FlagType::kInt:
    case FlagType::kDouble:
      return "0";
    case FlagType::kDuration:
      return "0s";
    case FlagType::kString:
      return "";
  }
  return "";
}

std::vector<std::string> SplitList(std::string_view text) {
  std::vector<std::string> items;
  for (const std::string_view part : base::Split(text, ',')) {
    if (const std::string_view item = base::TrimSpace(part); !item.empty()) {
      items.emplace_back(item);
    }
  }
  return items;
}

}  // namespace

// One run over the words of one command line.
class FlagParser {
 public:
  explicit FlagParser(const CommandLine& line) : line_(line) {
    for (const Flag& flag : line.flags) {
      if (!rows_.emplace(flag.name, &flag).second) {
        Abort(flag.name, "is in the table twice");
      }
    }
  }

  base::Result<ParsedFlags> Parse(std::span<const std::string> arguments,
                                  const EnvironmentFunc& environment) {
    if (arguments.size() > kMaxArguments) {
      return BadUsage(fmt::format("more than {} arguments", kMaxArguments));
    }
    RETURN_IF_ERROR(ReadWords(arguments));
    if (parsed_.help_requested_ || parsed_.version_requested_) {
      return std::move(parsed_);
    }
    RETURN_IF_ERROR(FindCommand());
    for (const Flag& flag : line_.flags) {
      RETURN_IF_ERROR(FillIn(flag, environment));
    }
    return std::move(parsed_);
  }

 private:
  // "--name=value" split in three.
  struct Token {
    std::string name;
    std::optional<std::string> value;
  };

  static Token Dissect(std::string_view word) {
    word.remove_prefix(word.substr(0, 2) == "--" ? 2 : 1);
    const size_t equals = word.find('=');
    if (equals == std::string_view::npos) {
      return {.name = std::string(word)};
    }
    return {.name = std::string(word.substr(0, equals)),
            .value = std::string(word.substr(equals + 1))};
  }

  base::Result<void> ReadWords(std::span<const std::string> arguments) {
    for (size_t i = 0; i < arguments.size(); ++i) {
      const std::string& word = arguments[i];
      if (word == "--") {
        words_.insert(words_.end(), arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                      arguments.end());
        return {};
      }
      if (word.size() < 2 || word[0] != '-') {
        words_.push_back(word);
        continue;
      }
      ASSIGN_OR_RETURN(const bool took_next, ReadFlag(Dissect(word), arguments.subspan(i + 1)));
      i += took_next ? 1 : 0;
    }
    return {};
  }

  // Whether the flag's value was the first of `rest`.
  base::Result<bool> ReadFlag(Token token, std::span<const std::string> rest) {
    if (token.name == "help" || token.name == "h") {
      parsed_.help_requested_ = true;
      return false;
    }
    if (token.name == "version" && rows_.count(token.name) == 0) {
      parsed_.version_requested_ = true;
      return false;
    }
    const auto found = rows_.find(token.name);
    if (found == rows_.end()) {
      return ReadNegation(token);
    }
    const Flag& flag = *found->second;
    if (token.value) {
      given_[flag.name].push_back(std::move(*token.value));
      return false;
    }
    if (flag.type == FlagType::kBool) {
      given_[flag.name].emplace_back("true");
      return false;
    }
    if (rest.empty() || rest[0].substr(0, 2) == "--") {
      return BadUsage(fmt::format("flag --{} needs a value: {}", flag.name, TypeName(flag.type)));
    }
    given_[flag.name].push_back(rest[0]);
    return true;
  }

  base::Result<bool> ReadNegation(const Token& token) {
    if (base::TrimSpace(token.name).substr(0, 3) == "no-") {
      const auto found = rows_.find(token.name.substr(3));
      if (found != rows_.end() && found->second->type == FlagType::kBool && !token.value) {
        given_[found->first].emplace_back("false");
        return false;
      }
    }
    return UnknownFlag(token.name);
  }

  base::Error UnknownFlag(std::string_view name) const {
    std::vector<std::string> names{"help", "version"};
    for (const auto& [known, flag] : rows_) {
      names.push_back(known);
      if (flag->type == FlagType::kBool) {
        names.push_back("no-" + known);
      }
    }
    const std::optional<std::string_view> nearest = base::NearestName(name, names);
    return BadUsage(nearest ? fmt::format("unknown flag --{}; did you mean --{}?", name, *nearest)
                            : fmt::format("unknown flag --{}; --help lists them all", name));
  }

  base::Result<void> FindCommand() {
    const Command* command = nullptr;
    for (const Command& candidate : line_.commands) {
      const size_t length = base::Split(candidate.name, ' ').size();
      if (words_.size() < length ||
          base::Join(std::span(words_).first(length), " ") != candidate.name) {
        continue;
      }
      if (command == nullptr || candidate.name.size() > command->name.size()) {
        command = &candidate;
      }
    }
    if (command == nullptr) {
      return words_.empty() ? base::Result<void>() : UnknownCommand();
    }
    const auto length = static_cast<std::ptrdiff_t>(base::Split(command->name, ' ').size());
    parsed_.command_ = command->name;
    parsed_.arguments_.assign(words_.begin() + length, words_.end());
    return CheckArguments(*command);
  }

  base::Result<void> CheckArguments(const Command& command) const {
    const size_t count = parsed_.arguments_.size();
    if (count < command.min_arguments) {
      return BadUsage(
          fmt::format("{} {} needs {}", line_.program, command.name, command.arguments));
    }
    if (count > command.max_arguments) {
      return BadUsage(fmt::format("unexpected argument \"{}\" after {} {}",
                                  parsed_.arguments_[command.max_arguments], line_.program,
                                  command.name));
    }
    return {};
  }

  base::Error UnknownCommand() const {
    if (line_.commands.empty()) {
      return BadUsage(fmt::format("unexpected argument \"{}\"", words_[0]));
    }
    std::vector<std::string> names;
    for (const Command& command : line_.commands) {
      names.push_back(command.name);
    }
    const std::string words =
        base::Join(std::span(words_).first(std::min<size_t>(2, words_.size())), " ");
    std::optional<std::string_view> nearest = base::NearestName(words, names);
    if (!nearest) {
      nearest = base::NearestName(words_[0], names);
    }
    return BadUsage(
        nearest ? fmt::format("unknown command \"{}\"; did you mean \"{}\"?", words_[0], *nearest)
                : fmt::format("unknown command \"{}\"; there are: {}", words_[0],
                              base::Join(names, ", ")));
  }

  base::Result<void> FillIn(const Flag& flag, const EnvironmentFunc& environment) {
    ParsedFlags::Value value{
        .type = flag.type, .repeatable = flag.repeatable, .secret = flag.secret};
    std::string origin = fmt::format("flag --{}", flag.name);
    if (const auto given = given_.find(flag.name); given != given_.end()) {
      value.source = FlagSource::kCommandLine;
      value.texts = given->second;
      if (!flag.repeatable) {
        value.texts.erase(value.texts.begin(), std::prev(value.texts.end()));  // The last one wins.
      }
    } else {
      std::optional<std::string> text;
      if (!flag.env.empty()) {
        text = environment(flag.env.c_str());
      }
      if (text) {
        value.source = FlagSource::kEnvironment;
        origin = fmt::format("environment variable {}", flag.env);
      }
      const std::string& fall_back = text ? *text : flag.default_value;
      value.texts = flag.repeatable ? SplitList(fall_back) : std::vector<std::string>{fall_back};
    }
    for (const std::string& text : value.texts) {
      RETURN_IF_ERROR(Convert(flag, text, origin, &value));
    }
    parsed_.values_.emplace(flag.name, std::move(value));
    return {};
  }

  static base::Result<void> Convert(const Flag& flag, const std::string& text,
                                    std::string_view origin, ParsedFlags::Value* value) {
    const bool unset = value->source == FlagSource::kDefault && text.empty();
    const void* variable = SetByGflags(flag, unset ? ZeroText(flag.type) : text);
    bool fine = variable != nullptr;
    if (fine) {
      fine = Load(flag.type, variable, value);
    }
    if (fine) {
      return {};
    }
    if (value->source == FlagSource::kDefault) {
      Abort(flag.name, "its default is not of its type");
    }
    const std::string shown = flag.secret ? "value" : fmt::format("\"{}\"", text);
    return BadUsage(fmt::format("{}: {} is not {}", origin, shown, TypeName(flag.type)));
  }

  // From gflags' variable; false for a duration that is none.
  static bool Load(FlagType type, const void* variable, ParsedFlags::Value* value) {
    switch (type) {
      case FlagType::kBool:
        value->integer = *static_cast<const bool*>(variable) ? 1 : 0;
        return true;
      case FlagType::kInt:
        value->integer = *static_cast<const gflags::int64*>(variable);
        return true;
      case FlagType::kDouble:
        value->number = *static_cast<const double*>(variable);
        return true;
      case FlagType::kString:
        return true;
      case FlagType::kDuration: {
        const auto duration = base::ParseDuration(*static_cast<const std::string*>(variable));
        value->integer = duration.ok() ? duration->count() : 0;
        return duration.ok();
      }
    }
    return false;
  }

  const CommandLine& line_;
  std::map<std::string, const Flag*, std::less<>> rows_;
  std::map<std::string, std::vector<std::string>, std::less<>> given_;
  std::vector<std::string> words_;
  ParsedFlags parsed_;
};

std::vector<Flag> CollectorFlags(std::span<const CollectorRow> collectors) {
  std::vector<Flag> flags;
  for (const CollectorRow& collector : collectors) {
    flags.push_back({.name = fmt::format("collector.{}", collector.name),
                     .type = FlagType::kBool,
                     .default_value = collector.enabled_by_default ? "true" : "false",
                     .group = "Collectors",
                     .help = std::string(collector.help)});
  }
  return flags;
}

const ParsedFlags::Value& ParsedFlags::Get(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) {
    Abort(name, "is not in the table");
  }
  return found->second;
}

bool ParsedFlags::Bool(std::string_view name) const {
  const Value& value = Get(name);
  if (value.type != FlagType::kBool) {
    Abort(name, "is not a boolean");
  }
  return value.integer != 0;
}

int64_t ParsedFlags::Int(std::string_view name) const {
  const Value& value = Get(name);
  if (value.type != FlagType::kInt) {
    Abort(name, "is not an integer");
  }
  return value.integer;
}

double ParsedFlags::Double(std::string_view name) const {
  const Value& value = Get(name);
  if (value.type != FlagType::kDouble) {
    Abort(name, "is not a number");
  }
  return value.number;
}

const std::string& ParsedFlags::String(std::string_view name) const {
  const Value& value = Get(name);
  if (value.type != FlagType::kString || value.repeatable || value.secret) {
    Abort(name, "is not a plain text");
  }
  return value.texts.front();
}

std::chrono::milliseconds ParsedFlags::Duration(std::string_view name) const {
  const Value& value = Get(name);
  if (value.type != FlagType::kDuration) {
    Abort(name, "is not a duration");
  }
  return std::chrono::milliseconds(value.integer);
}

base::Secret ParsedFlags::Secret(std::string_view name) const {
  const Value& value = Get(name);
  if (!value.secret || value.repeatable) {
    Abort(name, "is not a secret");
  }
  return base::Secret(value.texts.front());
}

const std::vector<std::string>& ParsedFlags::List(std::string_view name) const {
  const Value& value = Get(name);
  if (!value.repeatable) {
    Abort(name, "is not a list");
  }
  return value.texts;
}

FlagSource ParsedFlags::Source(std::string_view name) const { return Get(name).source; }

base::Result<ParsedFlags> ParseFlags(const CommandLine& line,
                                     std::span<const std::string> arguments,
                                     const EnvironmentFunc& environment) {
  const gflags::FlagSaver restore_after;
  return FlagParser(line).Parse(arguments, environment);
}

base::Result<ParsedFlags> ParseFlags(const CommandLine& line, int argc, const char* const* argv) {
  const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  return ParseFlags(line, arguments, [](const char* name) { return base::GetEnv(name); });
}

}  // namespace exporters
