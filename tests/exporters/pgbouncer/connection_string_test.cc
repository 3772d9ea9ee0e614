#include "exporters/pgbouncer/connection_string.h"

#include <string>

#include <gtest/gtest.h>

namespace exporters::pgbouncer {
namespace {

const ConnectionDefaults kDefaults{.user = "system"};

TEST(ConnectionString, ReadsUrisAndKeywords) {
  const auto check = [](std::string_view text, const std::string& expected,
                        std::string_view password) {
    const auto info = ParseConnectionString(text, kDefaults);
    ASSERT_TRUE(info.ok()) << text << ": " << info.error().message();
    EXPECT_EQ(info->ToString(), expected) << text;
    EXPECT_EQ(info->password.Reveal(), password) << text;
  };
  check("postgres://stats:pw@db1:6543/pgbouncer", "stats@db1:6543/pgbouncer", "pw");
  check("postgresql://db1", "system@db1:6432/pgbouncer", "");
  check("postgres://", "system@localhost:6432/pgbouncer", "");
  check("postgres://postgres:@localhost:6543/pgbouncer?sslmode=disable",
        "postgres@localhost:6543/pgbouncer", "");
  check("postgres://s:p%40%2F%20w@[::1]:1/other", "s@[::1]:1/other", "p@/ w");
  check("postgres:///pgbouncer?host=/run/postgresql&user=stats&password=x%26y",
        "stats@/run/postgresql/.s.PGSQL.6432/pgbouncer", "x&y");
  check("postgres://stats@%2Frun%2Fpostgresql:6543/pgbouncer",
        "stats@/run/postgresql/.s.PGSQL.6543/pgbouncer", "");
  check("host=db1 port=6543 user=stats password=pw", "stats@db1:6543/pgbouncer", "pw");
  check("  host = /run user='st ats'  password='it\\'s \\\\' dbname=x ",
        "st ats@/run/.s.PGSQL.6432/x", "it's \\");
  check("password=a\\ b", "system@localhost:6432/pgbouncer", "a b");
  check("password=postgres://x host=db1", "system@db1:6432/pgbouncer", "postgres://x");
  check("", "system@localhost:6432/pgbouncer", "");
}

TEST(ConnectionString, ReadsEverySslMode) {
  const auto check = [](const std::string& mode, SslMode expected, TlsVerify verify) {
    const auto info = ParseConnectionString("host=db1 sslrootcert=/ca " + mode, kDefaults);
    ASSERT_TRUE(info.ok()) << mode;
    EXPECT_EQ(info->ssl_mode, expected) << mode;
    EXPECT_EQ(info->tls.verify, verify) << mode;
    EXPECT_EQ(info->tls.ca_file, "/ca");
  };
  check("", SslMode::kPrefer, TlsVerify::kNone);
  check("sslmode=disable", SslMode::kDisable, TlsVerify::kNone);
  check("sslmode=prefer", SslMode::kPrefer, TlsVerify::kNone);
  check("sslmode=require", SslMode::kRequire, TlsVerify::kNone);
  check("sslmode=verify-ca", SslMode::kRequire, TlsVerify::kAuthority);
  check("sslmode=verify-full", SslMode::kRequire, TlsVerify::kServerName);
}

TEST(ConnectionString, UsesNoTlsOverAUnixSocket) {
  const auto info = ParseConnectionString("host=/run sslmode=require", kDefaults);
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->ssl_mode, SslMode::kDisable);
}

TEST(ConnectionString, RefusesTheRestWithoutQuotingIt) {
  for (const char* text :
       {"canary", "password='canary", "host=db1 canary=1", "port=canary", "port=0", "port=70000",
        "sslmode=canary", "postgres://a:canary%zz@db1", "http://canary@db1",
        "postgres://db1/?canary=1", "connect_timeout=canary", "host=db1 password=ca nary=x",
        "postgres://canary@%zz/"}) {
    const auto info = ParseConnectionString(text, kDefaults);
    ASSERT_FALSE(info.ok()) << text;
    EXPECT_EQ(info.error().kind(), base::ErrorKind::kInvalidArgument) << text;
    EXPECT_EQ(info.error().message().find("canary"), std::string::npos) << info.error().message();
    EXPECT_EQ(info.error().message().find("nary"), std::string::npos) << info.error().message();
  }
}

TEST(ConnectionString, TakesThePasswordFromTheNextBestPlace) {
  ConnectionDefaults defaults{.user = "me", .pass_file = "db1:6432:pgbouncer:me:filed\n"};
  EXPECT_EQ(ParseConnectionString("host=db1", defaults)->password.Reveal(), "filed");
  EXPECT_EQ(ParseConnectionString("host=db2", defaults)->password.Reveal(), "");
  defaults.password = base::Secret("variable");
  EXPECT_EQ(ParseConnectionString("host=db1", defaults)->password.Reveal(), "variable");
  EXPECT_EQ(ParseConnectionString("host=db1 password=given", defaults)->password.Reveal(), "given");
}

TEST(PassFile, TakesTheFirstLineThatFits) {
  const auto check = [](std::string_view content, std::string_view expected) {
    const auto info = ParseConnectionString("host=db1 port=6432 user=me", {});
    EXPECT_EQ(FindInPassFile(content, *info).Reveal(), expected) << content;
  };
  check("", "");
  check("# db1:6432:pgbouncer:me:no\n*:*:*:*:yes", "yes");
  check("db2:*:*:*:no\n db1:*:*:me:yes\r\n*:*:*:*:late", "yes");
  check("db1:6432:pgbouncer:you:no", "");
  check("db1:6432:pgbouncer:me:a\\:b\\\\c", "a:b\\c");
  check("db1", "");
  check(":::::", "");
  check("\\", "");
}

}  // namespace
}  // namespace exporters::pgbouncer
