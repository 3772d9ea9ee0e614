#include "lib/base/log.h"

#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/json_writer.h"

namespace base {
namespace {

constexpr std::string_view kLevelNames[] = {"debug", "info", "warn", "error"};

void WriteToStderr(std::string_view line) {
  // One write call, so that lines of several threads do not mix. A failing stderr has nowhere to be
  // reported.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
}

bool NeedsQuotes(std::string_view value) {
  if (value.empty()) {
    return true;
  }
  for (const char c : value) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f) {
      return true;
    }
  }
  return false;
}

void AppendLogfmt(std::string_view key, std::string_view value, std::string* line) {
  if (!line->empty()) {
    *line += ' ';
  }
  *line += key;
  *line += '=';
  if (NeedsQuotes(value)) {
    AppendJsonString(value, line);
  } else {
    *line += value;
  }
}

}  // namespace

Result<LogLevel> ParseLogLevel(std::string_view name) {
  for (size_t i = 0; i < std::size(kLevelNames); ++i) {
    if (kLevelNames[i] == name) {
      return static_cast<LogLevel>(i);
    }
  }
  return base::Error(
      fmt::format("log level \"{}\": one of debug, info, warn, error is expected", name),
      ErrorKind::kInvalidArgument);
}

Result<LogFormat> ParseLogFormat(std::string_view name) {
  if (name == "logfmt") {
    return LogFormat::kLogfmt;
  }
  if (name == "json") {
    return LogFormat::kJson;
  }
  return base::Error(fmt::format("log format \"{}\": logfmt or json is expected", name),
                     ErrorKind::kInvalidArgument);
}

Logger::Logger(LogLevel level, LogFormat format, Sink sink)
    : level_(level), format_(format), sink_(sink ? std::move(sink) : Sink(WriteToStderr)) {}

void Logger::Debug(std::string_view message, std::initializer_list<LogField> fields) const {
  Write(LogLevel::kDebug, message, fields);
}
void Logger::Info(std::string_view message, std::initializer_list<LogField> fields) const {
  Write(LogLevel::kInfo, message, fields);
}
void Logger::Warn(std::string_view message, std::initializer_list<LogField> fields) const {
  Write(LogLevel::kWarn, message, fields);
}
void Logger::Error(std::string_view message, std::initializer_list<LogField> fields) const {
  Write(LogLevel::kError, message, fields);
}

void Logger::Write(LogLevel level, std::string_view message,
                   std::initializer_list<LogField> fields) const {
  if (level < level_) {
    return;
  }
  const std::string time = FormatRfc3339(std::chrono::system_clock::now());
  const std::string_view level_name = kLevelNames[static_cast<size_t>(level)];
  std::string line;
  if (format_ == LogFormat::kJson) {
    JsonWriter json(&line);
    json.BeginObject();
    json.Member("ts", time);
    json.Member("level", level_name);
    json.Member("msg", message);
    for (const LogField& field : fields) {
      json.Member(field.key, field.value);
    }
    json.EndObject();
  } else {
    AppendLogfmt("ts", time, &line);
    AppendLogfmt("level", level_name, &line);
    AppendLogfmt("msg", message, &line);
    for (const LogField& field : fields) {
      AppendLogfmt(field.key, field.value, &line);
    }
  }
  line += '\n';
  sink_(line);
}

}  // namespace base
