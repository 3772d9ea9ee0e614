#include "exporters/postgres/probe.h"

#include <map>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "tests/exporters/postgres/fake_session.h"

namespace exporters::postgres {
namespace {

constexpr char kConfig[] = R"(auth_modules:
  main:
    type: userpass
    userpass: {username: me, password: "p@ss, word"}
    options: {sslmode: disable}
)";

using Words = std::map<std::string, std::string>;

TEST(ProbeConfig, ReadsAuthModules) {
  const auto config = ParseProbeConfig(kConfig, "x.yml");
  ASSERT_TRUE(config.ok()) << config.error().message();
  ASSERT_EQ(config->auth_modules.size(), 1U);
  const AuthModule& module = config->auth_modules.at("main");
  EXPECT_EQ(module.username, "me");
  EXPECT_EQ(module.password.Reveal(), "p@ss, word");
  EXPECT_EQ(module.options.at("sslmode"), "disable");
  EXPECT_TRUE(ParseProbeConfig("", "x.yml").ok());
}

TEST(ProbeConfig, RefusesWithFileAndLine) {
  const auto check = [](const char* text, std::string_view where, std::string_view what) {
    const auto config = ParseProbeConfig(text, "x.yml");
    ASSERT_FALSE(config.ok()) << text;
    EXPECT_NE(config.error().message().find(where), std::string::npos) << config.error().message();
    EXPECT_NE(config.error().message().find(what), std::string::npos) << config.error().message();
  };
  check("auth_module: {}", "x.yml:1", "auth_module");
  check("auth_modules:\n  a:\n    type: kerberos\n", "x.yml:", "kerberos");
  check("auth_modules:\n  a:\n    userpass: {}\n", "x.yml:", "type must be userpass");
  check("auth_modules:\n  a:\n    type: userpass\n    userpass: {user: me}\n", "x.yml:4", "user");
  check("auth_modules: [a]", "x.yml:1", "map");
  check("auth_modules: {a: {type: userpass", "x.yml:", "");
  check("\ttab", "x.yml:1", "");
}

TEST(ProbeConninfo, TakesTheServerFromTheRequestAndTheRestFromTheModule) {
  const auto config = ParseProbeConfig(kConfig, "x.yml");
  const auto check = [&](std::string_view target, std::string_view module, const Words& expected) {
    const auto conninfo = ProbeConninfo(*config, target, module);
    ASSERT_TRUE(conninfo.ok()) << target << ": " << conninfo.error().message();
    Words words;
    for (const auto& [keyword, value] : conninfo->keywords()) {
      words[keyword] = value.Reveal();
    }
    EXPECT_EQ(words, expected) << target;
  };
  check("db1:5433/app", "main",
        {{"host", "db1"},
         {"port", "5433"},
         {"dbname", "app"},
         {"user", "me"},
         {"password", "p@ss, word"},
         {"sslmode", "disable"}});
  check("db1", "", {{"host", "db1"}, {"password", ""}});
  check("db1:5432/app?sslmode=require", "",
        {{"host", "db1"},
         {"port", "5432"},
         {"dbname", "app"},
         {"sslmode", "require"},
         {"password", ""}});
  check("postgresql://u:p@db1/app", "",
        {{"host", "db1"}, {"dbname", "app"}, {"user", "u"}, {"password", "p"}});
  check("host=db1 user=u password=p", "", {{"host", "db1"}, {"user", "u"}, {"password", "p"}});
}

TEST(ProbeConninfo, RefusesWhatARequestMayNotSayAndQuotesNoSecret) {
  const auto config = ParseProbeConfig(kConfig, "x.yml");
  const auto check = [&](std::string_view target, std::string_view module, std::string_view what) {
    const auto conninfo = ProbeConninfo(*config, target, module);
    ASSERT_FALSE(conninfo.ok()) << target;
    EXPECT_EQ(conninfo.error().kind(), base::ErrorKind::kInvalidArgument);
    EXPECT_NE(conninfo.error().message().find(what), std::string::npos)
        << conninfo.error().message();
    EXPECT_EQ(conninfo.error().message().find("s3cret"), std::string::npos)
        << conninfo.error().message();
  };
  check("db1", "other", "auth_module \"other\"");
  check("host=db1 passfile=/etc/s3cret", "", "passfile");
  check("host=db1 sslkey=/etc/s3cret", "", "sslkey");
  check("db1?service=s3cret", "", "service");
  check("postgres://u:s3cret%zz@db1", "", "target");
  check("[::1", "", "target");
}

TEST(ProbeRoute, AnswersWithAPageOfTheTarget) {
  FakeServer server;
  PostgresOptions options;
  options.session_factory = [&] { return std::make_unique<FakeSession>(server); };
  const base::Logger logger(base::LogLevel::kError);
  const Route route = MakeProbeRoute(
      options, std::make_shared<ProbeConfigFile>("", *ParseProbeConfig(kConfig, "x.yml"), logger),
      logger);
  EXPECT_EQ(route.path, "/probe");
  const auto get = [&](std::vector<std::pair<std::string, std::string>> query) {
    return route.handler({.method = "GET", .path = "/probe", .query = std::move(query)});
  };
  EXPECT_EQ(get({}).status, 400);
  EXPECT_EQ(get({{"target", "db1"}, {"auth_module", "nope"}}).status, 400);
  EXPECT_EQ(get({{"target", "db1"}, {"collect[]", "nope"}}).status, 400);
  const http::Response page = get({{"target", "db7:1234"}, {"auth_module", "main"}});
  EXPECT_EQ(page.status, 200);
  EXPECT_NE(page.body.find("pg_up 1\n"), std::string::npos) << page.body;
  EXPECT_NE(page.body.find("server=\"db7:1234\""), std::string::npos) << page.body;
}

TEST(ProbeConfigFile, IsReadAnewAndABrokenOneChangesNothing) {
  const std::string path = testing::TempDir() + "tarsier-probe-" + std::to_string(getpid());
  const auto write = [&](const char* text) {
    ASSERT_TRUE(base::WriteFileAtomically(path, text).ok());
  };
  int warnings = 0;
  const base::Logger logger(base::LogLevel::kInfo, base::LogFormat::kLogfmt,
                            [&](std::string_view) { ++warnings; });
  ProbeConfigFile file(path, ProbeConfig(), logger);
  EXPECT_TRUE(file.Now()->auth_modules.empty());  // No file yet.
  write("auth_modules: {a: {type: userpass, userpass: {username: u, password: p}}}");
  EXPECT_EQ(file.Now()->auth_modules.count("a"), 1U);
  write("auth_modules: [");
  EXPECT_EQ(file.Now()->auth_modules.count("a"), 1U);
  EXPECT_EQ(file.Now()->auth_modules.count("a"), 1U);
  EXPECT_EQ(warnings, 1);
  write("auth_modules: {b: {type: userpass, userpass: {username: u, password: p}}}");
  EXPECT_EQ(file.Now()->auth_modules.count("b"), 1U);
  unlink(path.c_str());
}

}  // namespace
}  // namespace exporters::postgres
