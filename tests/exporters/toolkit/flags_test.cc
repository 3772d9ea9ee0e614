#include "exporters/toolkit/flags.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace exporters {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

CommandLine Line() {
  return {.program = "tarsier-test",
          .summary = "Tests flags.",
          .commands = {{.name = "healthcheck", .help = "Asks."},
                       {.name = "check", .help = "Checks everything."},
                       {.name = "check config",
                        .help = "Checks files.",
                        .arguments = "FILE…",
                        .min_arguments = 1,
                        .max_arguments = 3}},
          .flags = {
              {.name = "web.listen-address",
               .default_value = ":9100",
               .env = "LISTEN",
               .group = "Web",
               .help = "Where to listen.",
               .repeatable = true},
              {.name = "web.max-requests",
               .type = FlagType::kInt,
               .default_value = "40",
               .env = "MAX_REQUESTS",
               .group = "Web",
               .help = "How many at once."},
              {.name = "collector.cpu",
               .type = FlagType::kBool,
               .default_value = "true",
               .env = "COLLECTOR_CPU",
               .group = "Collectors",
               .help = "CPU time."},
              {.name = "collector.cpu.info",
               .type = FlagType::kBool,
               .group = "Collectors",
               .help = "CPU models."},
              {.name = "redis.addr", .env = "REDIS_ADDR", .help = "Whom to ask."},
              {.name = "redis.password",
               .env = "REDIS_PASSWORD",
               .help = "The password.",
               .secret = true},
              {.name = "secret.number",
               .type = FlagType::kInt,
               .help = "A number to keep.",
               .secret = true},
              {.name = "ratio", .type = FlagType::kDouble, .help = "A ratio."},
              {.name = "pgBouncer.timeout",
               .type = FlagType::kDuration,
               .default_value = "5s",
               .help = "How long."},
              {.name = "old-name", .help = "Not shown.", .hidden = true},
          }};
}

using Environment = std::map<std::string, std::string>;

base::Result<ParsedFlags> Parse(std::vector<std::string> arguments, Environment environment = {}) {
  return ParseFlags(
      Line(), arguments, [&environment](const char* name) -> std::optional<std::string> {
        const auto found = environment.find(name);
        return found == environment.end() ? std::nullopt : std::optional(found->second);
      });
}

std::string ErrorOf(std::vector<std::string> arguments, Environment environment = {}) {
  const auto parsed = Parse(std::move(arguments), std::move(environment));
  if (parsed.ok()) {
    return "no error";
  }
  EXPECT_EQ(parsed.error().kind(), base::ErrorKind::kInvalidArgument);
  return parsed.error().message();
}

TEST(Flags, NothingGivenMeansDefaults) {
  const auto flags = Parse({});
  ASSERT_TRUE(flags.ok());
  EXPECT_EQ(flags->command(), "");
  EXPECT_THAT(flags->List("web.listen-address"), ElementsAre(":9100"));
  EXPECT_EQ(flags->Int("web.max-requests"), 40);
  EXPECT_TRUE(flags->Bool("collector.cpu"));
  EXPECT_FALSE(flags->Bool("collector.cpu.info"));
  EXPECT_EQ(flags->String("redis.addr"), "");
  EXPECT_EQ(flags->Double("ratio"), 0);
  EXPECT_EQ(flags->Duration("pgBouncer.timeout"), std::chrono::seconds(5));
  EXPECT_FALSE(flags->IsSet("web.max-requests"));
}

TEST(Flags, EverySpellingOfAValueIsAccepted) {
  const auto check = [](std::vector<std::string> arguments) {
    const auto flags = Parse(arguments);
    ASSERT_TRUE(flags.ok()) << arguments[0] << ": " << flags.error().message();
    EXPECT_EQ(flags->String("redis.addr"), "redis://h:1/?a=b") << arguments[0];
    EXPECT_EQ(flags->Source("redis.addr"), FlagSource::kCommandLine);
  };
  check({"--redis.addr=redis://h:1/?a=b"});
  check({"--redis.addr", "redis://h:1/?a=b"});
  check({"-redis.addr=redis://h:1/?a=b"});
  check({"-redis.addr", "redis://h:1/?a=b"});
}

TEST(Flags, BooleansHaveTwoForms) {
  const auto check = [](const std::string& argument, bool expected) {
    const auto flags = Parse({argument});
    ASSERT_TRUE(flags.ok()) << argument << ": " << flags.error().message();
    EXPECT_EQ(flags->Bool("collector.cpu"), expected) << argument;
  };
  check("--collector.cpu", true);
  check("--no-collector.cpu", false);
  check("-no-collector.cpu", false);
  check("--collector.cpu=false", false);
  check("--collector.cpu=1", true);
}

TEST(Flags, BooleanDoesNotTakeTheNextWord) {
  EXPECT_THAT(ErrorOf({"--collector.cpu", "false"}), HasSubstr("unknown command \"false\""));
}

TEST(Flags, TheLastOfSeveralValuesWins) {
  const auto flags = Parse(
      {"--web.max-requests=1", "--web.max-requests=2", "--collector.cpu", "--no-collector.cpu"});
  ASSERT_TRUE(flags.ok());
  EXPECT_EQ(flags->Int("web.max-requests"), 2);
  EXPECT_FALSE(flags->Bool("collector.cpu"));
}

TEST(Flags, RepeatableFlagCollectsAndKeepsCommas) {
  const auto flags = Parse({"--web.listen-address=:1", "--web.listen-address", "a,b"});
  ASSERT_TRUE(flags.ok());
  EXPECT_THAT(flags->List("web.listen-address"), ElementsAre(":1", "a,b"));
}

TEST(Flags, EnvironmentBeatsDefaultAndFlagBeatsEnvironment) {
  const Environment environment = {{"LISTEN", ":1, :2"},
                                   {"MAX_REQUESTS", "7"},
                                   {"COLLECTOR_CPU", "false"},
                                   {"REDIS_ADDR", "a,b"}};
  const auto flags = Parse({"--web.max-requests=8"}, environment);
  ASSERT_TRUE(flags.ok());
  EXPECT_THAT(flags->List("web.listen-address"), ElementsAre(":1", ":2"));
  EXPECT_EQ(flags->Int("web.max-requests"), 8);
  EXPECT_FALSE(flags->Bool("collector.cpu"));
  EXPECT_EQ(flags->String("redis.addr"), "a,b");
  EXPECT_EQ(flags->Source("redis.addr"), FlagSource::kEnvironment);
  EXPECT_TRUE(flags->IsSet("redis.addr"));
}

TEST(Flags, ParsingLeavesNothingBehindForTheNextParse) {
  ASSERT_TRUE(Parse({"--web.max-requests=99", "--no-collector.cpu", "--redis.addr=x"}).ok());
  const auto flags = Parse({});
  ASSERT_TRUE(flags.ok());
  EXPECT_EQ(flags->Int("web.max-requests"), 40);
  EXPECT_TRUE(flags->Bool("collector.cpu"));
  EXPECT_EQ(flags->String("redis.addr"), "");
}

TEST(Flags, CommandsAreWordsBeforeOrAmongFlags) {
  const auto flags = Parse({"check", "config", "a.yml", "--web.max-requests", "3", "b.yml"});
  ASSERT_TRUE(flags.ok()) << flags.error().message();
  EXPECT_EQ(flags->command(), "check config");
  EXPECT_THAT(flags->arguments(), ElementsAre("a.yml", "b.yml"));
  EXPECT_EQ(Parse({"check"})->command(), "check");
}

TEST(Flags, WordsAfterTwoDashesAreArguments) {
  const auto flags = Parse({"check", "config", "--", "--web.max-requests=3"});
  ASSERT_TRUE(flags.ok());
  EXPECT_THAT(flags->arguments(), ElementsAre("--web.max-requests=3"));
  EXPECT_EQ(flags->Int("web.max-requests"), 40);
}

TEST(Flags, BadUsageIsExplained) {
  const auto check = [](std::vector<std::string> arguments, std::string_view expected) {
    const std::string name = testing::PrintToString(arguments);
    EXPECT_EQ(ErrorOf(std::move(arguments)), expected) << name;
  };
  check({"--web.listen-adress=:1"},
        "unknown flag --web.listen-adress; did you mean --web.listen-address?");
  check({"--no-colector.cpu"}, "unknown flag --no-colector.cpu; did you mean --no-collector.cpu?");
  check({"--quite-another-thing"}, "unknown flag --quite-another-thing; --help lists them all");
  check({"--no-web.max-requests"},
        "unknown flag --no-web.max-requests; did you mean --web.max-requests?");
  check({"--web.max-requests"}, "flag --web.max-requests needs a value: a whole number");
  check({"--redis.addr", "--collector.cpu"}, "flag --redis.addr needs a value: a text");
  check({"--web.max-requests=many"}, "flag --web.max-requests: \"many\" is not a whole number");
  check({"--web.max-requests="}, "flag --web.max-requests: \"\" is not a whole number");
  check({"--web.max-requests=99999999999999999999"},
        "flag --web.max-requests: \"99999999999999999999\" is not a whole number");
  check({"--collector.cpu=maybe"}, "flag --collector.cpu: \"maybe\" is not true or false");
  check({"--ratio=half"}, "flag --ratio: \"half\" is not a number");
  check({"--pgBouncer.timeout=5"},
        "flag --pgBouncer.timeout: \"5\" is not a duration such as 500ms, 15s or 1m30s");
  check({"healthchek"}, "unknown command \"healthchek\"; did you mean \"healthcheck\"?");
  check({"chekc", "config", "x"}, "unknown command \"chekc\"; did you mean \"check config\"?");
  check({"something-else"},
        "unknown command \"something-else\"; there are: healthcheck, check, check config");
  check({"healthcheck", "now"}, "unexpected argument \"now\" after tarsier-test healthcheck");
  check({"check", "config"}, "tarsier-test check config needs FILE…");
}

TEST(Flags, BadEnvironmentNamesTheVariable) {
  EXPECT_EQ(ErrorOf({}, {{"MAX_REQUESTS", "x"}}),
            "environment variable MAX_REQUESTS: \"x\" is not a whole number");
}

TEST(Flags, TooManyArgumentsAreRefused) {
  EXPECT_THAT(ErrorOf(std::vector<std::string>(4097, "--collector.cpu")),
              HasSubstr("more than 4096"));
}

TEST(Flags, SecretNeverShowsInAnError) {
  const std::string error = ErrorOf({"--secret.number=hunter2"});
  EXPECT_THAT(error, HasSubstr("--secret.number"));
  EXPECT_THAT(error, Not(HasSubstr("hunter2")));
  EXPECT_EQ(Parse({"--redis.password=hunter2"})->Secret("redis.password").Reveal(), "hunter2");
}

TEST(Flags, HelpAndVersionWinOverEverythingElse) {
  EXPECT_TRUE(Parse({"-h"})->help_requested());
  EXPECT_TRUE(Parse({"--help", "no-such-command"})->help_requested());
  EXPECT_TRUE(Parse({"-version"})->version_requested());
  EXPECT_TRUE(Parse({"--version"}, {{"MAX_REQUESTS", "x"}})->version_requested());
}

TEST(Flags, HelpGroupsFlagsAndTeaches) {
  const std::string help = HelpText(Line());
  EXPECT_THAT(help, HasSubstr("tarsier-test: Tests flags.\n"));
  EXPECT_THAT(help, HasSubstr("  tarsier-test check config FILE… [flags]\n      Checks files.\n"));
  EXPECT_THAT(help,
              HasSubstr("\nWeb:\n  --web.listen-address TEXT\n"
                        "      Where to listen. May be repeated. Default: :9100 [env LISTEN]\n"));
  EXPECT_THAT(help, HasSubstr("--collector.cpu\n      CPU time. On; --no-collector.cpu switches it "
                              "off. [env COLLECTOR_CPU]\n"));
  EXPECT_THAT(help, HasSubstr("--collector.cpu.info\n      CPU models. Off.\n"));
  EXPECT_THAT(help, Not(HasSubstr("old-name")));
}

TEST(Flags, HelpFitsATerminal) {
  CommandLine line = Line();
  line.flags[0].help = "Many words";
  for (int i = 0; i < 40; ++i) {
    line.flags[0].help += " and more";
  }
  std::string help = HelpText(line);
  for (size_t end = help.find('\n'); end != std::string::npos; end = help.find('\n')) {
    EXPECT_LE(end, 100U) << help.substr(0, end);
    help.erase(0, end + 1);
  }
  EXPECT_THAT(help, IsEmpty());
}

TEST(Flags, CollectorRowsBecomeBooleans) {
  const CollectorRow rows[] = {{.name = "cpu", .help = "CPU."},
                               {.name = "perf", .help = "Perf.", .enabled_by_default = false}};
  const auto flags = ParseFlags({.program = "p", .summary = "s", .flags = CollectorFlags(rows)},
                                std::vector<std::string>{"--collector.perf"},
                                [](const char*) { return std::optional<std::string>(); });
  ASSERT_TRUE(flags.ok());
  EXPECT_TRUE(flags->Bool("collector.cpu"));
  EXPECT_FALSE(flags->IsSet("collector.cpu"));
  EXPECT_TRUE(flags->Bool("collector.perf"));
}

TEST(FlagsDeathTest, AskingForAnUnknownFlagIsABug) {
  const auto flags = Parse({});
  ASSERT_TRUE(flags.ok());
  EXPECT_DEATH(static_cast<void>(flags->Bool("no.such")), "--no.such: is not in the table");
  EXPECT_DEATH(static_cast<void>(flags->Int("collector.cpu")), "is not an integer");
  EXPECT_DEATH(static_cast<void>(flags->String("redis.password")), "is not a plain text");
}

TEST(VersionText, NamesProgramAndVersion) {
  EXPECT_THAT(VersionText("tarsier-test"), testing::StartsWith("tarsier-test, version 0."));
}

}  // namespace
}  // namespace exporters
