#include "agent/notify/retry.h"

#include <string>

#include <gtest/gtest.h>

namespace notify {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// 2026-11-20T10:00:00Z
const base::WallTime kNow{seconds(1'795'168'800)};

base::Result<http::ClientResponse> Answer(int status, const std::string& retry_after = "") {
  http::ClientResponse response{.status = status};
  if (!retry_after.empty()) {
    response.headers.emplace_back("retry-after", retry_after);
  }
  return response;
}

TEST(Judge, TellsPassingFailuresFromRejections) {
  const auto kind = [](int status) { return Judge(Answer(status), kNow).kind; };
  EXPECT_EQ(kind(200), Verdict::Kind::kDelivered);
  EXPECT_EQ(kind(204), Verdict::Kind::kDelivered);
  for (const int status : {408, 425, 429, 500, 502, 503, 599}) {
    EXPECT_EQ(kind(status), Verdict::Kind::kRetry) << status;
  }
  for (const int status : {301, 302, 400, 401, 403, 404, 413, 422}) {
    EXPECT_EQ(kind(status), Verdict::Kind::kRejected) << status;
  }
  EXPECT_EQ(Judge(Answer(503), kNow).reason, "HTTP status 503");
}

TEST(Judge, RetriesWithoutAnAnswer) {
  const auto kind = [](base::ErrorKind error) {
    return Judge(base::Error("connect: refused", error), kNow).kind;
  };
  EXPECT_EQ(kind(base::ErrorKind::kUnavailable), Verdict::Kind::kRetry);
  EXPECT_EQ(kind(base::ErrorKind::kDeadlineExceeded), Verdict::Kind::kRetry);
  EXPECT_EQ(kind(base::ErrorKind::kInvalidArgument), Verdict::Kind::kRejected);
}

TEST(ParseRetryAfter, TakesSecondsAndDates) {
  EXPECT_EQ(ParseRetryAfter("120", kNow), seconds(120));
  EXPECT_EQ(ParseRetryAfter(" 0 ", kNow), seconds(0));
  EXPECT_EQ(ParseRetryAfter("Fri, 20 Nov 2026 10:00:30 GMT", kNow), seconds(30));
  EXPECT_EQ(ParseRetryAfter("Fri, 20 Nov 2026 09:00:00 GMT", kNow), seconds(0)) << "passed";
}

TEST(ParseRetryAfter, BoundsTheWish) {
  EXPECT_EQ(ParseRetryAfter("999999999999", kNow), kMaxRetryAfter);
  EXPECT_EQ(ParseRetryAfter("Sat, 20 Nov 2027 10:00:00 GMT", kNow), kMaxRetryAfter);
}

TEST(ParseRetryAfter, IgnoresWhatIsNeither) {
  for (const char* text : {"", "soon", "-5", "1.5", "12s", "Fri, 20 Nov 2026", "2026-11-20",
                           "Fri, 20 Nov 2026 10:00:30 GMT trailing"}) {
    EXPECT_FALSE(ParseRetryAfter(text, kNow)) << text;
  }
}

TEST(BackoffAfter, DoublesUpToTheLimit) {
  const auto most = [](int failures) { return BackoffAfter(failures, {}, [] { return 1.0; }); };
  EXPECT_EQ(most(1), seconds(1));
  EXPECT_EQ(most(2), seconds(2));
  EXPECT_EQ(most(6), seconds(32));
  EXPECT_EQ(most(7), seconds(60));
  EXPECT_EQ(most(1'000'000), seconds(60));
}

TEST(BackoffAfter, VariesInItsUpperHalf) {
  EXPECT_EQ(BackoffAfter(3, {}, [] { return 0.0; }), seconds(2));
  EXPECT_EQ(BackoffAfter(3, {}, [] { return 0.5; }), seconds(3));
}

TEST(BackoffAfter, IsNeverShorterThanTheReceiverWants) {
  EXPECT_EQ(BackoffAfter(1, {.retry_after = seconds(90)}, [] { return 0.0; }), seconds(90));
  EXPECT_EQ(BackoffAfter(7, {.retry_after = seconds(5)}, [] { return 1.0; }), seconds(60));
}

}  // namespace
}  // namespace notify
