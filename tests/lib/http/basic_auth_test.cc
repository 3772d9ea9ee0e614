#include "lib/http/basic_auth.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace http {
namespace {

using Verdict = PasswordChecker::Verdict;

// Of "secret", at cost 4.
constexpr char kHashOfSecret[] = "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

Credentials Of(std::string user, std::string password) {
  return {.user = std::move(user), .password = base::Secret(std::move(password))};
}

TEST(ParseBasicAuth, DecodesUserAndPassword) {
  const auto check = [](const char* header, const char* user, const char* password) {
    Credentials credentials;
    ASSERT_TRUE(ParseBasicAuth(header, &credentials)) << header;
    EXPECT_EQ(credentials.user, user);
    EXPECT_EQ(credentials.password.Reveal(), password);
  };
  check("Basic YWxpY2U6c2VjcmV0", "alice", "secret");
  check("basic  YWxpY2U6c2VjcmV0 ", "alice", "secret");
  check("Basic YWxpY2U6", "alice", "");
  check("Basic OnA=", "", "p");
  check("Basic YTpiOmM=", "a", "b:c");
}

TEST(ParseBasicAuth, RefusesEverythingElse) {
  for (const char* header :
       {"", "Basic", "Basic ", "Bearer YWxpY2U6c2VjcmV0", "Basic YWxpY2U6c2VjcmV", "Basic !!!!",
        "Basic YWxpY2U=", "Basic ====", "Basic YWxp=2U6"}) {
    Credentials credentials;
    EXPECT_FALSE(ParseBasicAuth(header, &credentials)) << header;
  }
}

TEST(PasswordChecker, AcceptsTheRightPasswordOfAKnownUserOnly) {
  const PasswordChecker::Users users = {{"alice", kHashOfSecret}};
  PasswordChecker checker;
  for (int round = 0; round < 2; ++round) {  // The second is answered from memory.
    EXPECT_EQ(checker.Check(users, Of("alice", "secret")), Verdict::kRight);
    EXPECT_EQ(checker.Check(users, Of("alice", "Secret")), Verdict::kWrong);
    EXPECT_EQ(checker.Check(users, Of("alice", "")), Verdict::kWrong);
    EXPECT_EQ(checker.Check(users, Of("bob", "secret")), Verdict::kWrong);
    EXPECT_EQ(checker.Check(users, Of("", "")), Verdict::kWrong);
    EXPECT_EQ(checker.Check(users, Of("alice", std::string("secret\0x", 8))), Verdict::kWrong);
  }
}

TEST(PasswordChecker, HashesForUnknownUsersAsForKnownOnes) {
  int hashed = 0;
  PasswordChecker checker([&hashed](const std::string&, const std::string& hash) {
    ++hashed;
    return hash;  // Whatever is asked, the hash matches.
  });
  EXPECT_EQ(checker.Check({}, Of("nobody", "x")), Verdict::kWrong);
  EXPECT_EQ(hashed, 1);
}

TEST(PasswordChecker, RemembersAnswersUntilTheHashChanges) {
  int hashed = 0;
  PasswordChecker checker([&hashed](const std::string& password, const std::string&) {
    ++hashed;
    return "hash of " + password;
  });
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(checker.Check({{"a", "hash of p"}}, Of("a", "p")), Verdict::kRight);
  }
  EXPECT_EQ(hashed, 1);
  EXPECT_EQ(checker.Check({{"a", "hash of q"}}, Of("a", "p")), Verdict::kWrong);
  EXPECT_EQ(hashed, 2);
}

TEST(PasswordChecker, ForgetsTheOldestBeyondItsLimit) {
  int hashed = 0;
  PasswordChecker checker([&hashed](const std::string&, const std::string&) {
    ++hashed;
    return "";
  });
  for (size_t i = 0; i <= PasswordChecker::kMaxRemembered; ++i) {
    checker.Check({}, Of("user", std::to_string(i)));
  }
  const int before = hashed;
  checker.Check({}, Of("user", std::to_string(PasswordChecker::kMaxRemembered)));
  EXPECT_EQ(hashed, before);
  checker.Check({}, Of("user", "0"));
  EXPECT_EQ(hashed, before + 1);
}

TEST(PasswordChecker, ComputesOneHashAtATime) {
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  PasswordChecker checker([&](const std::string&, const std::string&) {
    const int now = ++running;
    most = std::max(most.load(), now);
    std::this_thread::yield();
    --running;
    return "";
  });
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&checker, i] { checker.Check({}, Of("user", std::to_string(i))); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(most, 1);
}

}  // namespace
}  // namespace http
