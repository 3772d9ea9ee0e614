#include "lib/base/log.h"

#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace base {
namespace {

// The lines a logger writes, each without its time.
class Lines {
 public:
  Logger::Sink sink() {
    return [this](std::string_view line) {
      const std::lock_guard lock(mutex_);
      lines_.emplace_back(line);
    };
  }
  std::string Last() const {
    const std::string& line = lines_.back();
    const size_t level = line.find("level");
    return line.substr(level);
  }
  size_t size() const { return lines_.size(); }
  const std::vector<std::string>& all() const { return lines_; }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

TEST(Logger, WritesOneLogfmtLineAnEvent) {
  Lines lines;
  const Logger logger(LogLevel::kInfo, LogFormat::kLogfmt, lines.sink());
  logger.Info("listening", {{"address", "127.0.0.1:9187"}});
  ASSERT_EQ(lines.size(), 1u);
  const std::string& line = lines.all()[0];
  EXPECT_EQ(line.substr(0, 3), "ts=");
  EXPECT_EQ(line.substr(3 + 10, 1), "T");
  EXPECT_EQ(line.find("Z level=info"), 3 + 23u) << line;
  EXPECT_EQ(lines.Last(), "level=info msg=listening address=127.0.0.1:9187\n");
}

TEST(Logger, QuotesWhatWouldNotReadBack) {
  Lines lines;
  const Logger logger(LogLevel::kDebug, LogFormat::kLogfmt, lines.sink());
  const auto check = [&](const std::string& value, const std::string& written) {
    logger.Warn("m", {{"k", value}});
    EXPECT_EQ(lines.Last(), "level=warn msg=m k=" + written + "\n");
  };
  check("plain", "plain");
  check("", "\"\"");
  check("two words", "\"two words\"");
  check("a=b", "\"a=b\"");
  check("say \"hi\"", R"("say \"hi\"")");
  check("back\\slash", R"("back\\slash")");
  check("ünïcode", "ünïcode");
  // A line break in a value must not become a line of its own.
  check("a\nlevel=info msg=forged", R"("a\nlevel=info msg=forged")");
  check(std::string("nul\0", 4), "\"nul\\u0000\"");
  check("\x7f", "\"\\u007f\"");
}

TEST(Logger, WritesJson) {
  Lines lines;
  const Logger logger(LogLevel::kInfo, LogFormat::kJson, lines.sink());
  logger.Error("it \"broke\"", {{"why", "line\nbreak"}});
  EXPECT_EQ(lines.all()[0].substr(0, 7), "{\"ts\":\"");
  EXPECT_EQ(lines.Last(),
            "level\":\"error\",\"msg\":\"it \\\"broke\\\"\",\"why\":\"line\\nbreak\"}\n");
}

TEST(Logger, LeavesOutWhatIsBelowItsLevel) {
  const auto written = [](LogLevel level) {
    Lines lines;
    const Logger logger(level, LogFormat::kLogfmt, lines.sink());
    logger.Debug("d");
    logger.Info("i");
    logger.Warn("w");
    logger.Error("e");
    return lines.size();
  };
  EXPECT_EQ(written(LogLevel::kDebug), 4u);
  EXPECT_EQ(written(LogLevel::kInfo), 3u);
  EXPECT_EQ(written(LogLevel::kWarn), 2u);
  EXPECT_EQ(written(LogLevel::kError), 1u);
}

TEST(Logger, WritesWholeLinesFromManyThreads) {
  Lines lines;
  const Logger logger(LogLevel::kInfo, LogFormat::kLogfmt, lines.sink());
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&logger] {
      for (int j = 0; j < 50; ++j) {
        logger.Info("m", {{"a", "b"}});
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(lines.size(), 200u);
  for (const std::string& line : lines.all()) {
    EXPECT_EQ(line.substr(line.find("level")), "level=info msg=m a=b\n");
  }
}

TEST(ParseLogLevel, KnowsFourNames) {
  EXPECT_EQ(ParseLogLevel("debug").value_or(LogLevel::kError), LogLevel::kDebug);
  EXPECT_EQ(ParseLogLevel("info").value_or(LogLevel::kError), LogLevel::kInfo);
  EXPECT_EQ(ParseLogLevel("warn").value_or(LogLevel::kError), LogLevel::kWarn);
  EXPECT_EQ(ParseLogLevel("error").value_or(LogLevel::kInfo), LogLevel::kError);
  for (const char* name : {"", "Info", "warning", "trace", "info "}) {
    const auto level = ParseLogLevel(name);
    ASSERT_FALSE(level.ok()) << name;
    EXPECT_NE(level.error().message().find("debug, info, warn, error"), std::string::npos);
  }
}

TEST(ParseLogFormat, KnowsTwoNames) {
  EXPECT_EQ(ParseLogFormat("logfmt").value_or(LogFormat::kJson), LogFormat::kLogfmt);
  EXPECT_EQ(ParseLogFormat("json").value_or(LogFormat::kLogfmt), LogFormat::kJson);
  EXPECT_FALSE(ParseLogFormat("text").ok());
}

}  // namespace
}  // namespace base
