// Logs: one logfmt line an event, on stderr unless told otherwise:
//   ts=2026-11-20T09:49:28.123Z level=info msg="listening" address=127.0.0.1:9187
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace base {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

// "debug", "info", "warn" or "error".
Result<LogLevel> ParseLogLevel(std::string_view name);

enum class LogFormat { kLogfmt, kJson };

// "logfmt" or "json".
Result<LogFormat> ParseLogFormat(std::string_view name);

struct LogField {
  std::string_view key;
  std::string value;
};

// Thread-safe: a line reaches the sink in one call.
class Logger {
 public:
  using Sink = std::function<void(std::string_view line)>;

  // The default sink writes to stderr.
  explicit Logger(LogLevel level = LogLevel::kInfo, LogFormat format = LogFormat::kLogfmt,
                  Sink sink = nullptr);

  void Debug(std::string_view message, std::initializer_list<LogField> fields = {}) const;
  void Info(std::string_view message, std::initializer_list<LogField> fields = {}) const;
  void Warn(std::string_view message, std::initializer_list<LogField> fields = {}) const;
  void Error(std::string_view message, std::initializer_list<LogField> fields = {}) const;

 private:
  void Write(LogLevel level, std::string_view message,
             std::initializer_list<LogField> fields) const;

  LogLevel level_;
  LogFormat format_;
  Sink sink_;
};

}  // namespace base
