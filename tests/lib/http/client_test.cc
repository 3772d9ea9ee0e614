#include "lib/http/client.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/exposition/gzip.h"
#include "lib/http/server.h"

namespace http {
namespace {

const base::Logger kQuiet(base::LogLevel::kError, base::LogFormat::kLogfmt,
                          [](std::string_view) {});

class ClientTest : public testing::Test {
 protected:
  void Serve(Server::Handler handler) {
    auto server = Server::Start({.listen_addresses = {"127.0.0.1:0"}}, std::move(handler), kQuiet);
    ASSERT_TRUE(server.ok()) << server.error().message();
    server_ = std::move(server).value();
  }
  std::string Url(const std::string& path = "/") const {
    return "http://127.0.0.1:" + std::to_string(server_->ports().at(0)) + path;
  }

  std::unique_ptr<Server> server_;
};

TEST_F(ClientTest, SendsMethodHeadersAndBodyAndReadsTheAnswer) {
  Serve([](const Request& request) {
    return Response{.status = 418,
                    .content_type = "text/x",
                    .headers = {{"X-Reply", "yes"}},
                    .body = request.method + " " + request.path + " " +
                            std::string(request.Query("q").value_or("")) + " " +
                            std::string(request.Header("X-Ask").value_or("")) + " " +
                            std::string(request.Header("X-Empty").value_or("none")) + " " +
                            request.body};
  });
  Client client;
  const auto response = client.Do({.method = "PUT",
                                   .url = Url("/a?q=1"),
                                   .headers = {{"X-Ask", "why"}, {"X-Empty", ""}},
                                   .body = "data"});
  ASSERT_TRUE(response.ok()) << response.error().message();
  EXPECT_EQ(response->status, 418);
  EXPECT_EQ(response->content_type, "text/x");
  EXPECT_EQ(response->body, "PUT /a 1 why  data");
  EXPECT_NE(std::find(response->headers.begin(), response->headers.end(),
                      std::make_pair(std::string("x-reply"), std::string("yes"))),
            response->headers.end());
}

TEST_F(ClientTest, AsksForTheHeadOnly) {
  Serve([](const Request& request) { return Response{.body = "body of " + request.method}; });
  Client client;
  const auto response = client.Do({.method = "HEAD", .url = Url()});
  ASSERT_TRUE(response.ok()) << response.error().message();
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "");
}

TEST_F(ClientTest, KeepsItsConnection) {
  Serve([](const Request& request) { return Response{.body = request.remote_address}; });
  Client client;
  const auto first = client.Do({.url = Url()});
  const auto second = client.Do({.url = Url()});
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first->body, second->body);
}

TEST_F(ClientTest, SendsCredentials) {
  Serve([](const Request& request) {
    return Response{.body = std::string(request.Header("Authorization").value_or("none"))};
  });
  const auto authorization = [this](ClientOptions options, const std::string& url) {
    Client client(std::move(options));
    const auto response = client.Do({.url = url});
    return response.ok() ? response->body : response.error().message();
  };
  EXPECT_EQ(authorization({}, Url()), "none");
  EXPECT_EQ(
      authorization({.basic_auth_user = "u", .basic_auth_password = base::Secret("p")}, Url()),
      "Basic dTpw");
  EXPECT_EQ(authorization({.bearer_token = base::Secret("token")}, Url()), "Bearer token");
  const std::string port = std::to_string(server_->ports().at(0));
  EXPECT_EQ(authorization({}, "http://u:p@127.0.0.1:" + port), "Basic dTpw");
}

TEST_F(ClientTest, FollowsRedirectsOnlyWhenTold) {
  Serve([](const Request& request) {
    if (request.path == "/end") {
      return Response{.body = "end"};
    }
    const std::string to = request.path == "/loop" ? "/loop" : "/end";
    return Response{.status = 302, .headers = {{"Location", to}, {"X-Hop", "1"}}};
  });
  const auto status = [this](bool follow, const std::string& path) {
    Client client({.follow_redirects = follow});
    const auto response = client.Do({.url = Url(path)});
    return response.ok() ? std::to_string(response->status)
                         : std::string(base::ErrorKindName(response.error().kind()));
  };
  EXPECT_EQ(status(false, "/start"), "302");
  EXPECT_EQ(status(true, "/start"), "200");
  EXPECT_EQ(status(true, "/loop"), "resource_exhausted");
}

TEST_F(ClientTest, GivesUpOnABodyThatIsTooLong) {
  const std::string zeros(1 << 20, '0');
  Serve([zeros](const Request& request) {
    if (request.path == "/gzip") {
      return Response{.headers = {{"Content-Encoding", "gzip"}}, .body = exposition::Gzip(zeros)};
    }
    return Response{.body = zeros};
  });
  Client client;
  const auto fits = [&](const std::string& path, size_t limit) {
    const auto response =
        client.Do({.url = Url(path), .max_response_bytes = limit, .accept_gzip = true});
    if (!response.ok()) {
      EXPECT_EQ(response.error().kind(), base::ErrorKind::kResourceExhausted);
    }
    return response.ok() && response->body.size() == zeros.size();
  };
  EXPECT_TRUE(fits("/plain", zeros.size()));
  EXPECT_FALSE(fits("/plain", zeros.size() - 1));
  EXPECT_TRUE(fits("/gzip", zeros.size()));
  EXPECT_FALSE(fits("/gzip", zeros.size() - 1));  // Few bytes on the wire, too many in memory.
}

TEST_F(ClientTest, BoundsTheWholeExchange) {
  const auto release = std::make_shared<base::StopSignal>();
  Serve([release](const Request&) {
    release->WaitUntil(std::chrono::steady_clock::now() + std::chrono::seconds(30));
    return Response{};
  });
  Client client;
  const auto response = client.Do({.url = Url(), .timeout = std::chrono::milliseconds(50)});
  release->Request();
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().kind(), base::ErrorKind::kDeadlineExceeded);
}

TEST_F(ClientTest, NamesWhatWentWrongWithoutThePassword) {
  Serve([](const Request&) { return Response{}; });
  const std::string port = std::to_string(server_->ports().at(0));
  server_.reset();
  Client client;
  const auto check = [&client](const std::string& url, base::ErrorKind kind) {
    const auto response = client.Do({.url = url, .timeout = std::chrono::seconds(2)});
    ASSERT_FALSE(response.ok()) << url;
    EXPECT_EQ(response.error().kind(), kind) << response.error().message();
    EXPECT_EQ(response.error().message().find("hunter2"), std::string::npos)
        << response.error().message();
  };
  check("http://user:hunter2@127.0.0.1:" + port + "/x", base::ErrorKind::kUnavailable);
  check("http://user:hunter2@no.such.host.invalid/", base::ErrorKind::kUnavailable);
  check("ftp://user:hunter2@127.0.0.1/", base::ErrorKind::kInvalidArgument);
  check("file:///etc/passwd", base::ErrorKind::kInvalidArgument);
  check("http://user:hunter2@/", base::ErrorKind::kInvalidArgument);
  check("user:hunter2@127.0.0.1", base::ErrorKind::kInvalidArgument);
  check("", base::ErrorKind::kInvalidArgument);
}

TEST_F(ClientTest, RefusesAHeaderWithALineBreak) {
  Serve([](const Request&) { return Response{}; });
  Client client;
  const auto response = client.Do({.url = Url(), .headers = {{"X-A", "b\r\nX-C: d"}}});
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().kind(), base::ErrorKind::kInvalidArgument);
}

TEST_F(ClientTest, DoesNotReadTheProxyFromTheEnvironment) {
  Serve([](const Request&) { return Response{.body = "direct"}; });
  setenv("http_proxy", "http://127.0.0.1:1", 1);  // NOLINT(concurrency-mt-unsafe): one thread asks.
  Client client;
  const auto response = client.Do({.url = Url()});
  unsetenv("http_proxy");  // NOLINT(concurrency-mt-unsafe): one thread asks.
  ASSERT_TRUE(response.ok()) << response.error().message();
  EXPECT_EQ(response->body, "direct");
}

TEST_F(ClientTest, GoesThroughAProxyWhenTold) {
  Serve([](const Request& request) {
    return Response{.body = "proxied " + std::string(request.Header("Host").value_or(""))};
  });
  Client client({.proxy_url = Url()});
  const auto response = client.Do({.url = "http://elsewhere.invalid/x"});
  ASSERT_TRUE(response.ok()) << response.error().message();
  EXPECT_EQ(response->body, "proxied elsewhere.invalid");
}

TEST_F(ClientTest, ServesManyThreads) {
  Serve([](const Request& request) { return Response{.body = request.path}; });
  Client client;
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      const std::string path = "/" + std::to_string(i);
      for (int j = 0; j < 20; ++j) {
        const auto response = client.Do({.url = Url(path)});
        right += response.ok() && response->body == path ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(right, 160);
}

}  // namespace
}  // namespace http
