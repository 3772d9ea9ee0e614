// The command line of every binary: one table of flags, read into typed values.
//
// Accepted: --name value, --name=value, -name=value (as Go's flag package takes it), --name and
// --no-name for booleans (`--no-collector.cpu`), -h and --help, --version, and `--` before what
// must not be read as a flag. Sub-commands are words before the first flag. The command line beats
// the environment, the environment beats the default.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/secret.h"

namespace exporters {

enum class FlagType { kBool, kInt, kDouble, kString, kDuration };

// One row of a binary's flag table, in its main.cc.
struct Flag {
  std::string name;  // Without dashes: "web.listen-address".
  FlagType type = FlagType::kString;
  std::string default_value = {};  // As one would type it; false, 0, 0.0, "" and 0s when empty.
  std::string env = {};            // The environment variable that stands in for it; may be none.
  std::string group = "General";   // The heading in --help; groups keep the order of the table.
  std::string help;                // A sentence.
  bool repeatable = false;  // Collects a list; the default and the environment are split at commas.
  bool secret = false;      // Its value is never printed, not even in an error.
  bool hidden = false;      // Works, but --help does not show it.
  std::string value_name = {};  // In --help: "ADDRESS"; chosen by type when empty.
};

// A sub-command: one word or two ("check config"), then its positional arguments.
struct Command {
  std::string name;
  std::string help;            // A sentence.
  std::string arguments = {};  // In --help: "FILE…".
  size_t min_arguments = 0;
  size_t max_arguments = 0;
};

struct CommandLine {
  std::string program;  // "tarsier-host".
  std::string summary;  // What it does, one or two sentences: the head of --help.
  std::vector<Command> commands = {};
  std::vector<Flag> flags;    // --help and --version are added by the parser.
  std::string examples = {};  // Lines for the end of --help.
};

// The rows of --collector.NAME for an exporter's collectors.
struct CollectorRow {
  std::string_view name;
  std::string_view help;
  bool enabled_by_default = true;
};
std::vector<Flag> CollectorFlags(std::span<const CollectorRow> collectors);

enum class FlagSource { kDefault, kEnvironment, kCommandLine };

// What was asked for. Immutable. Asking for a name or type the table does not have is a bug in the
// caller and aborts.
class ParsedFlags {
 public:
  const std::string& command() const { return command_; }  // "" for none.
  const std::vector<std::string>& arguments() const { return arguments_; }
  bool help_requested() const { return help_requested_; }
  bool version_requested() const { return version_requested_; }

  bool Bool(std::string_view name) const;
  int64_t Int(std::string_view name) const;
  double Double(std::string_view name) const;
  const std::string& String(std::string_view name) const;
  std::chrono::milliseconds Duration(std::string_view name) const;
  base::Secret Secret(std::string_view name) const;                   // Of a flag marked secret.
  const std::vector<std::string>& List(std::string_view name) const;  // Of a repeatable flag.

  bool Has(std::string_view name) const { return values_.find(name) != values_.end(); }
  FlagSource Source(std::string_view name) const;
  // Whether the user said so, on the command line or in the environment.
  bool IsSet(std::string_view name) const { return Source(name) != FlagSource::kDefault; }

 private:
  friend class FlagParser;
  struct Value {
    FlagType type = FlagType::kString;
    bool repeatable = false;
    bool secret = false;
    FlagSource source = FlagSource::kDefault;
    std::vector<std::string> texts;  // One, unless repeatable.
    int64_t integer = 0;             // Also booleans, and durations in milliseconds.
    double number = 0;
  };
  const Value& Get(std::string_view name) const;

  std::string command_;
  std::vector<std::string> arguments_;
  bool help_requested_ = false;
  bool version_requested_ = false;
  std::map<std::string, Value, std::less<>> values_;
};

// How the environment is read; base::GetEnv in production.
using EnvironmentFunc = std::function<std::optional<std::string>(const char* name)>;

// `arguments` are argv[1…]. Errors: kInvalidArgument, ready to print, naming the nearest flag or
// command when one is unknown. Pure, but for `environment`.
base::Result<ParsedFlags> ParseFlags(const CommandLine& line,
                                     std::span<const std::string> arguments,
                                     const EnvironmentFunc& environment);

// argv[1…] and the process environment.
base::Result<ParsedFlags> ParseFlags(const CommandLine& line, int argc, const char* const* argv);

// The text of --help: usage, commands, flags by group with default and environment variable.
std::string HelpText(const CommandLine& line);

// The text of --version: program, version, revision, compiler.
std::string VersionText(std::string_view program);

}  // namespace exporters
