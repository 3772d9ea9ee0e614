#include "exporters/pq/conninfo.h"

#include <map>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "lib/base/file.h"

namespace exporters::pq {
namespace {

using Words = std::map<std::string, std::string>;

Words Revealed(const Conninfo& conninfo) {
  Words words;
  for (const auto& [keyword, value] : conninfo.keywords()) {
    words[keyword] = value.Reveal();
  }
  return words;
}

EnvironmentFunc Environment(const Words& variables) {
  return [variables](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

TEST(Conninfo, ReadsUrisAndKeywords) {
  const auto check = [](const char* dsn, const Words& expected) {
    const auto conninfo = Conninfo::Parse(base::Secret(dsn));
    ASSERT_TRUE(conninfo.ok()) << dsn << ": " << conninfo.error().message();
    EXPECT_EQ(Revealed(*conninfo), expected) << dsn;
  };
  check("postgresql://u:p%40ss@db1:6543/app?sslmode=disable", {{"user", "u"},
                                                               {"password", "p@ss"},
                                                               {"host", "db1"},
                                                               {"port", "6543"},
                                                               {"dbname", "app"},
                                                               {"sslmode", "disable"}});
  check("postgres://db1", {{"host", "db1"}});
  check("postgresql:///app?host=/run/postgresql", {{"dbname", "app"}, {"host", "/run/postgresql"}});
  check("postgresql://a:1,b:2/app", {{"host", "a,b"}, {"port", "1,2"}, {"dbname", "app"}});
  check("host=db1 user='a b' password='it\\'s'",
        {{"host", "db1"}, {"user", "a b"}, {"password", "it's"}});
  check("service=main", {{"service", "main"}});
  check("", {});
}

TEST(Conninfo, RefusesWhatLibpqRefusesAndQuotesNothing) {
  const auto check = [](const char* dsn) {
    const auto conninfo = Conninfo::Parse(base::Secret(dsn));
    ASSERT_FALSE(conninfo.ok()) << dsn;
    EXPECT_EQ(conninfo.error().kind(), base::ErrorKind::kInvalidArgument) << dsn;
    EXPECT_EQ(conninfo.error().message().find("s3cret"), std::string::npos)
        << conninfo.error().message();
  };
  check("postgresql://u:s3cret%zz@db1/app");
  check("postgresql://u:s3cret@[::1/app");
  check("postgresql://u@db1/app?s3cret=1");
  check("postgresql://u@db1/app?s3cret");
  check("s3cret");
  check("host=db1 s3cret");
  check("password='s3cret");
  check("password=\"s3cret\" s3cret\"s3cret");
  check("db1:5432/s3cret");
}

TEST(Conninfo, NamesItsServerWithoutSecrets) {
  const auto check = [](const char* dsn, const char* expected) {
    const auto conninfo = Conninfo::Parse(base::Secret(dsn));
    ASSERT_TRUE(conninfo.ok()) << dsn;
    EXPECT_EQ(conninfo->Server(), expected) << dsn;
  };
  check("postgresql://u:p@db1:6543/app", "db1:6543");
  check("postgresql://u:p@db1/app", "db1:5432");
  check("postgresql://[::1]:6543/app", "[::1]:6543");
  check("host=/run/postgresql", "/run/postgresql:5432");
  check("hostaddr=10.0.0.1", "10.0.0.1:5432");
}

TEST(ConninfoFromEnvironment, TakesTheNameBeforeTheParts) {
  const auto check = [](const Words& variables, const Words& expected) {
    const auto conninfo = ConninfoFromEnvironment(Environment(variables));
    ASSERT_TRUE(conninfo.ok()) << conninfo.error().message();
    EXPECT_EQ(Revealed(*conninfo), expected);
  };
  check({}, {});
  check({{"DATA_SOURCE_NAME", "host=a"}, {"DATA_SOURCE_URI", "b"}}, {{"host", "a"}});
  check({{"DATA_SOURCE_URI", "db1:5432/app?sslmode=disable"},
         {"DATA_SOURCE_USER", "me"},
         {"DATA_SOURCE_PASS", "p@s/s:w%rd,x"}},
        {{"host", "db1"},
         {"port", "5432"},
         {"dbname", "app"},
         {"sslmode", "disable"},
         {"user", "me"},
         {"password", "p@s/s:w%rd,x"}});
  check({{"DATA_SOURCE_URI", "postgres://db1"}}, {{"host", "db1"}});
  check({{"DATA_SOURCE_USER", "me"}}, {{"user", "me"}});
  // libpq's own list of hosts is one server.
  check({{"DATA_SOURCE_NAME", "postgresql://a,b/app"}},
        {{"host", "a,b"}, {"port", ","}, {"dbname", "app"}});
}

TEST(ConninfoFromEnvironment, ReadsFilesAndTrimsThem) {
  const std::string path = testing::TempDir() + "/conninfo_test_password";
  ASSERT_TRUE(base::WriteFileAtomically(path, "s3cret\n").ok());
  const auto conninfo = ConninfoFromEnvironment(
      Environment({{"DATA_SOURCE_URI", "db1"}, {"DATA_SOURCE_PASS_FILE", path}}));
  ASSERT_TRUE(conninfo.ok());
  EXPECT_EQ(conninfo->keywords().at("password").Reveal(), "s3cret");
}

TEST(ConninfoFromEnvironment, NamesTheVariableThatIsWrong) {
  const auto check = [](const Words& variables, const char* name) {
    const auto conninfo = ConninfoFromEnvironment(Environment(variables));
    ASSERT_FALSE(conninfo.ok());
    EXPECT_NE(conninfo.error().message().find(name), std::string::npos)
        << conninfo.error().message();
    EXPECT_EQ(conninfo.error().message().find("s3cret"), std::string::npos)
        << conninfo.error().message();
  };
  check({{"DATA_SOURCE_NAME", "postgres://u:s3cret@a/b,postgres://u:s3cret@c/d"}},
        "DATA_SOURCE_NAME lists several servers");
  check({{"DATA_SOURCE_NAME", "host=a password=s3cret,host=b"}}, "DATA_SOURCE_NAME");
  check({{"DATA_SOURCE_NAME", "s3cret"}}, "DATA_SOURCE_NAME");
  check({{"DATA_SOURCE_URI", "u:s3cret%zz@db1"}}, "DATA_SOURCE_URI");
  check({{"DATA_SOURCE_URI", "db1"}, {"DATA_SOURCE_PASS_FILE", "/nonexistent/file"}},
        "DATA_SOURCE_PASS_FILE");
}

}  // namespace
}  // namespace exporters::pq
