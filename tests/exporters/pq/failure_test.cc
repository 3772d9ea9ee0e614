#include "exporters/pq/failure.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace exporters::pq {
namespace {

using base::ErrorKind;

TEST(Failure, KindsOfSqlstates) {
  const auto check = [](std::string_view sqlstate, ErrorKind kind) {
    EXPECT_EQ(KindOfSqlstate(sqlstate), kind) << sqlstate;
  };
  check("42501", ErrorKind::kPermissionDenied);
  check("28P01", ErrorKind::kPermissionDenied);
  check("42P01", ErrorKind::kNotFound);
  check("42703", ErrorKind::kNotFound);
  check("42883", ErrorKind::kNotFound);
  check("3D000", ErrorKind::kNotFound);
  check("0A000", ErrorKind::kUnsupported);
  check("55000", ErrorKind::kUnsupported);
  check("57014", ErrorKind::kDeadlineExceeded);
  check("55P03", ErrorKind::kDeadlineExceeded);
  check("53300", ErrorKind::kResourceExhausted);
  check("57P01", ErrorKind::kUnavailable);
  check("57P03", ErrorKind::kUnavailable);
  check("08006", ErrorKind::kUnavailable);
  check("42601", ErrorKind::kInvalidArgument);
  check("22012", ErrorKind::kInvalidArgument);
  check("XX000", ErrorKind::kUnknown);
  check("", ErrorKind::kUnknown);
}

// Messages as libpq 15 wrote them.
TEST(Failure, ReasonsOfConnectFailures) {
  const auto check = [](std::string_view message, std::string_view reason, ErrorKind kind) {
    const ConnectFailure failure = ClassifyConnectFailure(message);
    EXPECT_EQ(FailureReasonName(failure.reason), reason) << message;
    EXPECT_EQ(failure.error.kind(), kind) << message;
  };
  check(
      "connection to server at \"127.0.0.1\", port 1 failed: Connection refused\n\tIs the server "
      "running on that host and accepting TCP/IP connections?\n",
      "refused", ErrorKind::kUnavailable);
  check(
      "connection to server on socket \"/tmp/.s.PGSQL.1\" failed: No such file or directory\n"
      "\tIs the server running locally and accepting connections on that socket?\n",
      "refused", ErrorKind::kUnavailable);
  check("could not translate host name \"nope.invalid\" to address: Name or service not known\n",
        "dns", ErrorKind::kUnavailable);
  check(
      "connection to server at \"db1\" (10.0.0.1), port 5432 failed: FATAL:  28P01: password "
      "authentication failed for user \"u\"\nLOCATION:  auth_failed, auth.c:331\n",
      "auth", ErrorKind::kPermissionDenied);
  check(
      "connection to server at \"db1\" (10.0.0.1), port 5432 failed: FATAL:  28000: no "
      "pg_hba.conf entry for host \"10.0.0.9\", user \"u\", database \"d\", SSL encryption\n",
      "auth", ErrorKind::kPermissionDenied);
  check("connection to server at \"db1\", port 5432 failed: fe_sendauth: no password supplied\n",
        "auth", ErrorKind::kPermissionDenied);
  check("connection failed: FATAL:  3D000: database \"x\" does not exist\n", "no_database",
        ErrorKind::kNotFound);
  check("connection failed: FATAL:  53300: sorry, too many clients already\n",
        "too_many_connections", ErrorKind::kResourceExhausted);
  check("connection failed: FATAL:  57P03: the database system is starting up\n", "starting",
        ErrorKind::kUnavailable);
  check("connection failed: server does not support SSL, but SSL was required\n", "tls",
        ErrorKind::kUnavailable);
  check("connection failed: SSL error: certificate verify failed\n", "tls",
        ErrorKind::kUnavailable);
  check("connection failed: Connection timed out\n", "timeout", ErrorKind::kDeadlineExceeded);
  check("connection failed: server closed the connection unexpectedly\n\tThis probably means...\n",
        "connection_lost", ErrorKind::kUnavailable);
  check("connection failed: something new\n", "other", ErrorKind::kUnavailable);
  check("", "other", ErrorKind::kUnavailable);
}

TEST(Failure, MessagesAreOneShortLineWithoutSourceLocations) {
  const ConnectFailure failure = ClassifyConnectFailure(
      "connection failed: FATAL:  28P01: password authentication failed for user \"u\"\n"
      "LOCATION:  auth_failed, auth.c:331\n");
  EXPECT_EQ(failure.error.message(),
            "connection failed: FATAL:  28P01: password authentication failed for user \"u\"");
  EXPECT_LE(ClassifyConnectFailure(std::string(5000, 'x')).error.message().size(), 500U);
  EXPECT_EQ(ClassifyConnectFailure("caf\xe9").error.message(), "caf\xef\xbf\xbd");
}

TEST(Failure, EveryReasonIsListedOnceAndHasItsOwnName) {
  std::set<std::string_view> names;
  for (const FailureReason reason : kFailureReasons) {
    EXPECT_TRUE(names.insert(FailureReasonName(reason)).second) << FailureReasonName(reason);
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(FailureReason::kOther) + 1);
}

TEST(Failure, KnowsHowPoolersRefuseStartupOptions) {
  EXPECT_TRUE(RefusesStartupOptions("FATAL:  08P01: unsupported startup parameter: options"));
  EXPECT_TRUE(RefusesStartupOptions(
      "FATAL:  08P01: unsupported startup parameter in options: tarsier.direct"));
  EXPECT_FALSE(RefusesStartupOptions("FATAL:  28P01: password authentication failed"));
}

}  // namespace
}  // namespace exporters::pq
