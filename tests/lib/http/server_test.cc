#include "lib/http/server.h"

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "lib/base/clock.h"
#include "lib/http/client.h"
#include "lib/http/exchange_table.h"
#include "lib/http/front.h"
#include "tests/lib/http/raw_client.h"

namespace http {
namespace {

const base::Logger kQuiet(base::LogLevel::kError, base::LogFormat::kLogfmt,
                          [](std::string_view) {});

Response Echo(const Request& request) {
  std::string text = request.method + " " + request.path;
  for (const auto& [name, value] : request.query) {
    text += " " + name + "=" + value;
  }
  return {.body = text + " " + request.body};
}

std::unique_ptr<Server> StartServer(ServerOptions options = {}, Server::Handler handler = Echo) {
  options.listen_addresses = {"127.0.0.1:0"};
  auto server = Server::Start(std::move(options), std::move(handler), kQuiet);
  EXPECT_TRUE(server.ok()) << (server.ok() ? "" : server.error().message());
  return std::move(server).value();
}

std::string Ask(int port, std::string_view request) {
  const RawClient client(port);
  EXPECT_TRUE(client.Send(request));
  return client.ReadAll();
}

std::string StatusOf(const std::string& response) {
  return response.size() < 12 ? response : response.substr(9, 3);
}

std::string BodyOf(const std::string& response) {
  const size_t end = response.find("\r\n\r\n");
  return end == std::string::npos ? "" : response.substr(end + 4);
}

std::string Get(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
}

TEST(Server, HandsMethodPathQueryHeadersAndBodyToTheHandler) {
  const auto server = StartServer({}, [](const Request& request) {
    return Response{.status = 202,
                    .content_type = "application/json",
                    .headers = {{"X-Answer", "42"}},
                    .body = request.method + "|" + request.path + "|" +
                            std::string(request.Query("a").value_or("-")) + "|" +
                            std::string(request.Header("x-ASK").value_or("-")) + "|" +
                            request.body + "|" + request.remote_address.substr(0, 10)};
  });
  const std::string response =
      Ask(server->ports().at(0),
          "POST /a%20b/%C3%A4?a=1%2B1&b HTTP/1.1\r\nHost: x\r\nX-Ask: why\r\n"
          "Content-Length: 5\r\nConnection: close\r\n\r\nhello");
  EXPECT_EQ(BodyOf(response), "POST|/a b/ä|1+1|why|hello|127.0.0.1:");
  EXPECT_EQ(response.substr(0, 23), "HTTP/1.1 202 Accepted\r\n");
  EXPECT_NE(response.find("Content-Type: application/json\r\n"), std::string::npos);
  EXPECT_NE(response.find("X-Answer: 42\r\n"), std::string::npos);
  EXPECT_NE(response.find("X-Content-Type-Options: nosniff\r\n"), std::string::npos);
}

TEST(Server, AnswersEveryUriThroughTheHandler) {
  const auto server = StartServer();
  const auto check = [&server](const std::string& target, const std::string& path) {
    EXPECT_EQ(BodyOf(Ask(server->ports().at(0), Get(target))), "GET " + path + " ") << target;
  };
  check("/", "/");
  check("//", "//");
  check("////etc//passwd", "////etc//passwd");
  check("/../", "/../");
  check("/../../../etc/passwd", "/../../../etc/passwd");
  check("/%2e%2e/%2E%2E/etc/passwd", "/../../etc/passwd");
  check("/etc", "/etc");
  check("/tmp", "/tmp");
  check("/tmp/", "/tmp/");
  check("/.htpasswd", "/.htpasswd");
  check("/index.html", "/index.html");
  check("/a/./b", "/a/./b");
  check("/x.cgi", "/x.cgi");
  check("/a%2Fb", "/a/b");
  check("/a;b=c", "/a;b=c");
  check("/" + std::string(8000, 'a'), "/" + std::string(8000, 'a'));
  check("http://other.example/path", "/path");
}

TEST(Server, PassesEveryKnownMethodOn) {
  const auto server = StartServer();
  for (const char* method : {"GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"}) {
    const std::string response =
        Ask(server->ports().at(0),
            std::string(method) + " / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(BodyOf(response), std::string(method) + " / ") << method;
  }
}

TEST(Server, AnswersHeadWithTheLengthButWithoutTheBody) {
  const auto server = StartServer();
  const std::string response =
      Ask(server->ports().at(0), "HEAD /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_NE(response.find("Content-Length: 8\r\n"), std::string::npos) << response;
  EXPECT_EQ(BodyOf(response), "");
}

TEST(Server, RefusesMalformedRequests) {
  const auto server = StartServer({.max_body_bytes = 1000, .max_header_bytes = 4096});
  const auto check = [&server](const std::string& request, const std::string& status) {
    EXPECT_EQ(StatusOf(Ask(server->ports().at(0), request)), status) << request.substr(0, 200);
  };
  const std::string line = "GET / HTTP/1.1\r\n";
  const std::string host = "Host: x\r\n";
  check("\r\n\r\n", "400");
  check("GET\r\n\r\n", "400");
  check("GET /\r\n\r\n", "400");
  check("GET / HTTP/1.1 \r\nHost: x\r\n\r\n", "400");
  check("GET  / HTTP/1.1\r\nHost: x\r\n\r\n", "400");
  check(" GET / HTTP/1.1\r\nHost: x\r\n\r\n", "400");
  check("GET / FTP/1.1\r\nHost: x\r\n\r\n", "400");
  check("GET / HTTP/2.0\r\nHost: x\r\n\r\n", "505");
  check("GET / HTTP/0.9\r\nHost: x\r\n\r\n", "505");
  check("GET / http/1.1\r\nHost: x\r\n\r\n", "400");
  check("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505");
  check("TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", "501");
  check("BREW / HTTP/1.1\r\nHost: x\r\n\r\n", "501");
  check("get / HTTP/1.1\r\nHost: x\r\n\r\n", "501");
  check("CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n", "501");
  check("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "400");
  check("GET x HTTP/1.1\r\nHost: x\r\n\r\n", "400");
  check("GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n", "400");
  check("GET /a\x01 HTTP/1.1\r\nHost: x\r\n\r\n", "400");
  check("GET /\xC3\xA4 HTTP/1.1\r\nHost: x\r\n\r\n", "400");
  check("GET /%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "400");
  check("GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "400");
  check("GET /% HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "400");
  check("GET / HTTP/1.1\nHost: x\n\n", "400");
  check(line + "Host: x\n\r\n", "400");
  check(line + "\r\n", "400");
  check(line + host + "Host: y\r\n\r\n", "400");
  check(line + host + "No colon here\r\n\r\n", "400");
  check(line + host + ": no name\r\n\r\n", "400");
  check(line + host + "Name : value\r\n\r\n", "400");
  check(line + host + "A: b\r\n folded\r\n\r\n", "400");
  check(line + host + "\tA: b\r\n\r\n", "400");
  check(line + host + std::string("A: b\0c\r\n\r\n", 10), "400");
  check(line + host + "A: b\rc\r\n\r\n", "400");
  check(line + host + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", "400");
  check(line + host + "Content-Length: 1, 1\r\n\r\na", "400");
  check(line + host + "Content-Length: -1\r\n\r\n", "400");
  check(line + host + "Content-Length: +1\r\n\r\na", "400");
  check(line + host + "Content-Length: 0x1\r\n\r\na", "400");
  check(line + host + "Content-Length: 99999999999999999999\r\n\r\n", "400");
  check(line + host + "Content-Length:\r\n\r\n", "400");
  check(line + host + "Content-Length: 1001\r\n\r\n", "413");
  check(line + host + "Content-Length: 18446744073709551615\r\n\r\n", "413");
  check(line + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "411");
  check(line + host + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc", "400");
  check(line + host + "Transfer-Encoding: xchunked\r\n\r\n", "411");
  check(line + host + "Expect: 200-ok\r\n\r\n", "417");
  check(line + host + "A: " + std::string(5000, 'a') + "\r\n\r\n", "431");
  check("GET /" + std::string(5000, 'a'), "431");
  std::string many = line + host;
  for (int i = 0; i < 64; ++i) {
    many += "A" + std::to_string(i) + ": b\r\n";
  }
  check(many + "\r\n", "431");
}

TEST(Server, KeepsAConnectionForTheNextRequest) {
  const auto server = StartServer();
  const RawClient client(server->ports().at(0));
  for (const std::string path : {"/first", "/second", "/third"}) {
    ASSERT_TRUE(client.Send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"));
    EXPECT_EQ(BodyOf(client.ReadUntil(path + " ")), "GET " + path + " ");
  }
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  const auto server = StartServer();
  const std::string all = Ask(
      server->ports().at(0),
      "POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
      "GET /2 HTTP/1.1\r\nHost: x\r\n\r\nGET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const size_t first = all.find("POST /1 abc");
  const size_t second = all.find("GET /2 ");
  const size_t third = all.find("GET /3 ");
  EXPECT_TRUE(first < second && second < third && third != std::string::npos) << all;
}

TEST(Server, ClosesWhenTheClientWantsIt) {
  const auto server = StartServer();
  for (const char* request :
       {"GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nConnection: Close\r\n\r\n"}) {
    const std::string response = Ask(server->ports().at(0), request);
    EXPECT_NE(response.find("Connection: close\r\n"), std::string::npos);
    EXPECT_EQ(BodyOf(response), "GET / ");
  }
}

TEST(Server, ServesAClientThatClosedItsSide) {
  const auto server = StartServer();
  const RawClient client(server->ports().at(0));
  ASSERT_TRUE(client.Send(Get("/")));
  client.CloseWrite();
  EXPECT_EQ(BodyOf(client.ReadAll()), "GET / ");
}

TEST(Server, InvitesABodyThatWaitsToBeAskedFor) {
  const auto server = StartServer();
  const RawClient client(server->ports().at(0));
  ASSERT_TRUE(
      client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
                  "Expect: 100-continue\r\nConnection: close\r\n\r\n"));
  EXPECT_EQ(client.ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_TRUE(client.Send("ok"));
  EXPECT_EQ(BodyOf(client.ReadAll()), "POST / ok");
}

TEST(Server, MovesBodiesOfSeveralMegabytesBothWays) {
  const std::string large(5 << 20, 'b');
  const auto server =
      StartServer({}, [](const Request& request) { return Response{.body = request.body}; });
  Client client;
  const auto response = client.Do({.method = "POST",
                                   .url = "http://127.0.0.1:" + std::to_string(server->ports()[0]),
                                   .body = large});
  ASSERT_TRUE(response.ok()) << response.error().message();
  EXPECT_EQ(response->body.size(), large.size());
  EXPECT_EQ(response->body, large);
}

TEST(Server, ProtectsHtmlPages) {
  const auto server = StartServer({}, [](const Request&) {
    return Response{.content_type = "text/html; charset=utf-8", .body = "<p>"};
  });
  const std::string response = Ask(server->ports().at(0), Get("/"));
  EXPECT_NE(response.find("Content-Security-Policy: default-src 'none'"), std::string::npos);
  EXPECT_NE(response.find("X-Frame-Options: deny\r\n"), std::string::npos);
  EXPECT_NE(response.find("X-Content-Type-Options: nosniff\r\n"), std::string::npos);
}

TEST(Server, DropsAHeaderThatWouldSplitTheResponse) {
  const auto server = StartServer({}, [](const Request&) {
    return Response{.headers = {{"X-A", "b\r\nSet-Cookie: c"}, {"X-Good", "d"}}};
  });
  const std::string response = Ask(server->ports().at(0), Get("/"));
  EXPECT_EQ(response.find("Set-Cookie"), std::string::npos);
  EXPECT_NE(response.find("X-Good: d"), std::string::npos);
}

TEST(Server, SaysInternalErrorWhenAHandlerThrows) {
  const auto server =
      StartServer({}, [](const Request&) -> Response { throw std::runtime_error("boom"); });
  const std::string response = Ask(server->ports().at(0), Get("/"));
  EXPECT_EQ(StatusOf(response), "500");
  EXPECT_EQ(response.find("boom"), std::string::npos);
}

// Handlers wait at it until it opens.
class Gate {
 public:
  void Pass() {
    std::unique_lock lock(mutex_);
    ++inside_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void WaitForInside(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this, count] { return inside_ >= count; });
  }
  void Open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int inside_ = 0;
  bool open_ = false;
};

TEST(Server, AnswersBusyBeyondMaxInFlight) {
  Gate gate;
  std::atomic<int> observed_busy{0};
  const auto server = StartServer(
      {.max_in_flight = 2,
       .on_request = [&observed_busy](
                         int status, std::chrono::nanoseconds) { observed_busy += status == 503; }},
      [&gate](const Request& request) {
        if (request.path == "/wait") {
          gate.Pass();
        }
        return Response{.body = "done"};
      });
  const int port = server->ports().at(0);
  std::vector<std::thread> waiting;
  for (int i = 0; i < 2; ++i) {
    waiting.emplace_back([port] { EXPECT_EQ(BodyOf(Ask(port, Get("/wait"))), "done"); });
  }
  gate.WaitForInside(2);
  const std::string busy = Ask(port, Get("/"));
  EXPECT_EQ(StatusOf(busy), "503");
  EXPECT_NE(busy.find("Retry-After: 1\r\n"), std::string::npos);
  gate.Open();
  for (std::thread& thread : waiting) {
    thread.join();
  }
  EXPECT_EQ(BodyOf(Ask(port, Get("/"))), "done");
  EXPECT_EQ(observed_busy, 1);
}

TEST(Server, FinishesRunningRequestsWhenItIsStopped) {
  Gate gate;
  auto server = StartServer({}, [&gate](const Request&) {
    gate.Pass();
    return Response{.body = std::string(300000, 'x')};
  });
  const int port = server->ports().at(0);
  std::string body;
  std::thread client([port, &body] { body = BodyOf(Ask(port, Get("/"))); });
  gate.WaitForInside(1);
  std::thread stopper([&server] { server.reset(); });
  gate.Open();
  stopper.join();
  client.join();
  EXPECT_EQ(body.size(), 300000u);
}

TEST(Server, AnswersWhileHundredsOfClientsSendHalfARequest) {
  const auto server = StartServer();
  const int port = server->ports().at(0);
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 600; ++i) {
    slow.push_back(std::make_unique<RawClient>(port));
    slow.back()->Send(i % 2 == 0 ? "GET / HTTP/1.1\r\nHost: x\r\nX-" : "");
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(BodyOf(Ask(port, Get("/"))), "GET / ");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
}

TEST(Server, AnswersAtOnceWhileClientsSendHalfOfAShortBody) {
  const auto server = StartServer({.max_in_flight = 2});
  const int port = server->ports().at(0);
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 40; ++i) {
    slow.push_back(std::make_unique<RawClient>(port));
    slow.back()->Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf");
  }
  EXPECT_EQ(BodyOf(Ask(port, Get("/"))), "GET / ");
}

TEST(Server, AnswersSoonWhileClientsSendHalfOfALongBody) {
  const auto server = StartServer({.max_in_flight = 2});
  const int port = server->ports().at(0);
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 40; ++i) {
    slow.push_back(std::make_unique<RawClient>(port));
    slow.back()->Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nhalf");
  }
  std::string status;
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (status != "200" && std::chrono::steady_clock::now() < give_up) {
    status = StatusOf(Ask(port, Get("/")));  // 503 until one of them has had its grace.
  }
  EXPECT_EQ(status, "200");
}

TEST(Server, AnswersWhileClientsDoNotReadTheirResponses) {
  const auto server = StartServer({.max_in_flight = 2}, [](const Request& request) {
    return Response{.body = std::string(request.path == "/big" ? 16 << 20 : 1, 'x')};
  });
  const int port = server->ports().at(0);
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 20; ++i) {
    slow.push_back(std::make_unique<RawClient>(port));
    slow.back()->Send(Get("/big"));
  }
  std::string status;
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (status != "200" && std::chrono::steady_clock::now() < give_up) {
    status = StatusOf(Ask(port, Get("/")));
  }
  EXPECT_EQ(status, "200");
}

TEST(Server, TimesOutAHeadThatDoesNotCome) {
  const auto server = StartServer({.header_timeout = std::chrono::milliseconds(50)});
  EXPECT_EQ(Ask(server->ports().at(0), ""), "");
  EXPECT_EQ(StatusOf(Ask(server->ports().at(0), "GET / HTTP/1.1\r\nHost:")), "408");
}

// The ports this process listens on, of which one is civetweb's own.
std::vector<int> ListeningPorts() {
  std::vector<int> ports;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(entry.path().filename().string());
    int listening = 0;
    socklen_t length = sizeof(listening);
    sockaddr_in address{};
    socklen_t address_length = sizeof(address);
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) == 0 && listening != 0 &&
        getsockname(fd, reinterpret_cast<sockaddr*>(&address), &address_length) == 0) {
      ports.push_back(ntohs(address.sin_port));
    }
  }
  return ports;
}

TEST(Server, IsNotReachedPastTheFront) {
  std::atomic<int> handled{0};
  const auto server = StartServer({}, [&handled](const Request&) {
    ++handled;
    return Response{};
  });
  const std::string forged = "GET / HTTP/1.1\r\nHost: x\r\n" + std::string(ExchangeTable::kHeader) +
                             ": 00000000000000000000000000000000-1\r\nConnection: close\r\n\r\n";
  const std::vector<int> ports = ListeningPorts();
  ASSERT_EQ(ports.size(), 2u);
  for (const int port : ports) {
    const bool front = port == server->ports().at(0);
    EXPECT_EQ(StatusOf(Ask(port, Get("/"))), front ? "200" : "403");
    // Through the front a forged header is one more header, and not the first.
    EXPECT_EQ(StatusOf(Ask(port, forged)), front ? "200" : "403");
  }
  EXPECT_EQ(handled, 2);
}

TEST(Server, ListensOnEveryAddressItIsGiven) {
  auto server = Server::Start({.listen_addresses = {"127.0.0.1:0", ":0"}}, Echo, kQuiet);
  ASSERT_TRUE(server.ok()) << server.error().message();
  for (const int port : (*server)->ports()) {
    EXPECT_EQ(BodyOf(Ask(port, Get("/"))), "GET / ");
  }
}

TEST(Server, SpeaksIPv6) {
  auto server = Server::Start(
      {.listen_addresses = {"[::1]:0"}},
      [](const Request& request) { return Response{.body = request.remote_address.substr(0, 6)}; },
      kQuiet);
  if (!server.ok() && !std::filesystem::exists("/proc/net/if_inet6")) {
    GTEST_SKIP() << "no IPv6 here: " << server.error().message();
  }
  ASSERT_TRUE(server.ok()) << server.error().message();
  Client client;
  const auto response =
      client.Do({.url = "http://[::1]:" + std::to_string((*server)->ports().at(0))});
  ASSERT_TRUE(response.ok()) << response.error().message();
  EXPECT_EQ(response->body, "[::1]:");
}

TEST(Server, SaysWhyItCannotListen) {
  const auto check = [](const std::string& address, base::ErrorKind kind) {
    const auto server = Server::Start({.listen_addresses = {address}}, Echo, kQuiet);
    ASSERT_FALSE(server.ok()) << address;
    EXPECT_EQ(server.error().kind(), kind) << server.error().message();
    EXPECT_NE(server.error().message().find(address), std::string::npos);
  };
  const auto first = StartServer();
  check("127.0.0.1:" + std::to_string(first->ports()[0]), base::ErrorKind::kUnavailable);
  check("127.0.0.1", base::ErrorKind::kInvalidArgument);
  check("127.0.0.1:99999", base::ErrorKind::kInvalidArgument);
  check("no.such.host.invalid:1", base::ErrorKind::kInvalidArgument);
}

}  // namespace
}  // namespace http
