#include "exporters/toolkit/health_probe.h"

#include <gtest/gtest.h>

#include "lib/http/server.h"

namespace exporters {
namespace {

using base::ErrorKind;

base::Result<void> ProbePort(int port) {
  return ProbeHealth({.host = "", .port = port}, false,
                     std::chrono::steady_clock::now() + std::chrono::seconds(5));
}

std::unique_ptr<http::Server> Serve(int status, const base::Logger& logger) {
  auto server = http::Server::Start(
      {.listen_addresses = {"127.0.0.1:0"}},
      [status](const http::Request& request) {
        EXPECT_EQ(request.path, "/-/healthy");
        return http::Response{.status = status, .body = "text\n"};
      },
      logger);
  EXPECT_TRUE(server.ok());
  return *std::move(server);
}

TEST(HealthProbe, TakesAnAnswerAndADemandForAPasswordAsLife) {
  const base::Logger logger(base::LogLevel::kError);
  for (const int status : {200, 401}) {
    const auto server = Serve(status, logger);
    const auto health = ProbePort(server->ports().front());
    EXPECT_TRUE(health.ok()) << health.error().message();
  }
}

TEST(HealthProbe, TakesAnyOtherStatusAsIllness) {
  const base::Logger logger(base::LogLevel::kError);
  const auto server = Serve(503, logger);
  const auto health = ProbePort(server->ports().front());
  ASSERT_FALSE(health.ok());
  EXPECT_NE(health.error().message().find("answered 503"), std::string::npos)
      << health.error().message();
}

TEST(HealthProbe, SaysSoWhenNobodyListens) {
  const base::Logger logger(base::LogLevel::kError);
  int port = 0;
  { port = Serve(200, logger)->ports().front(); }
  const auto health = ProbePort(port);
  ASSERT_FALSE(health.ok());
  EXPECT_EQ(health.error().kind(), ErrorKind::kUnavailable) << health.error().message();
}

}  // namespace
}  // namespace exporters
