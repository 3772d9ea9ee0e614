#include "lib/http/server.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <optional>
#include <thread>
#include <utility>

#include <civetweb.h>
#include <fmt/format.h>
#include <pthread.h>

#include "lib/base/clock.h"
#include "lib/base/mutex.h"
#include "lib/base/strings.h"
#include "lib/base/url.h"
#include "lib/http/basic_auth.h"
#include "lib/http/exchange_table.h"
#include "lib/http/front.h"
#include "lib/http/listen_socket.h"
#include "lib/http/rate_limiter.h"
#include "lib/http/web_policy.h"

namespace http {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

// Threads beyond those that handle requests: they say 503, and wait for slow bodies.
constexpr size_t kSpareThreads = 8;
// Handlers recurse at most as deep as a query may nest. Small enough that no huge page backs it.
constexpr size_t kThreadStackBytes = 1 << 20;
// The front ends whatever is slower; these only catch what it cannot see.
constexpr char kRequestTimeoutMs[] = "30000";
constexpr char kKeepAliveTimeoutMs[] = "86400000";
constexpr size_t kSmallBodyBytes = 64 << 10;  // Sent in one write with the head.

// Our pages need nothing from elsewhere and run no script.
constexpr std::string_view kPageSecurityPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'";

using Headers = std::vector<std::pair<std::string, std::string>>;

bool HasHeader(const Headers& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(), [name](const auto& header) {
    return base::EqualsIgnoreCase(header.first, name);
  });
}

void AddMissing(std::string_view name, std::string_view value, Headers* headers) {
  if (!HasHeader(*headers, name)) {
    headers->emplace_back(name, value);
  }
}

bool IsPage(std::string_view content_type) {
  constexpr std::string_view kHtml = "text/html";
  return content_type.substr(0, kHtml.size()) == kHtml;
}

Response Unauthorized() {
  Response response = TextResponse(401, "Unauthorized");
  response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"tarsier\", charset=\"UTF-8\"");
  return response;
}

Response Busy(std::string_view why) {
  Response response = TextResponse(503, why);
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

// civetweb leaves the size of its threads' stacks to the process.
class SmallStacks {
 public:
  SmallStacks() {
    pthread_attr_t attributes;
    pthread_getattr_default_np(&attributes);
    pthread_attr_getstacksize(&attributes, &before_);
    pthread_attr_setstacksize(&attributes, kThreadStackBytes);
    pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
  }
  ~SmallStacks() {
    pthread_attr_t attributes;
    pthread_getattr_default_np(&attributes);
    pthread_attr_setstacksize(&attributes, before_);
    pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
  }
  SmallStacks(const SmallStacks&) = delete;
  SmallStacks& operator=(const SmallStacks&) = delete;

 private:
  size_t before_ = 0;
};

// Neither civetweb's global counters nor the default stack size can be changed by two at once.
base::Mutex& StartMutex() {
  static base::Mutex mutex;
  return mutex;
}

std::optional<std::string> HeaderOf(const mg_connection* connection, std::string_view name) {
  const char* value = mg_get_header(connection, std::string(name).c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

// Everything but the body. Errors: kInvalidArgument.
Result<Request> MakeRequest(const mg_request_info& info, std::string client_address) {
  Request request{.method = info.request_method, .remote_address = std::move(client_address)};
  ASSIGN_OR_RETURN(request.path, base::PercentDecode(info.local_uri_raw, false));
  if (request.path.find('\0') != std::string::npos) {
    return Error("a NUL in the path", ErrorKind::kInvalidArgument);
  }
  if (info.query_string != nullptr) {
    request.query = base::ParseQuery(info.query_string);
  }
  for (int i = 0; i < info.num_headers; ++i) {
    const mg_header& header = info.http_headers[i];
    if (!base::EqualsIgnoreCase(header.name, ExchangeTable::kHeader)) {
      request.headers.emplace_back(header.name, header.value);
    }
  }
  return request;
}

bool ReadBody(mg_connection* connection, uint64_t length, std::string* body) {
  body->resize(length);
  size_t have = 0;
  while (have < length) {
    const int got = mg_read(connection, body->data() + have, length - have);
    if (got <= 0) {
      return false;
    }
    have += static_cast<size_t>(got);
  }
  return true;
}

bool IsSafeHeader(const std::pair<std::string, std::string>& header) {
  return (header.first + header.second).find_first_of(std::string_view("\r\n\0", 3)) ==
         std::string::npos;
}

std::string FormatHead(const Response& response, const Headers& headers, bool keep_alive) {
  std::string head =
      fmt::format("HTTP/1.1 {} {}\r\n", response.status, ReasonPhrase(response.status));
  const bool bodyless = response.status == 204 || response.status == 304;
  if (!bodyless) {
    head += fmt::format("Content-Type: {}\r\nContent-Length: {}\r\n", response.content_type,
                        response.body.size());
  }
  for (const auto& header : headers) {
    if (IsSafeHeader(header)) {
      head += fmt::format("{}: {}\r\n", header.first, header.second);
    }
  }
  return head + (keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
}

// As civetweb decides it for itself.
bool KeepsAlive(const mg_connection* connection, const mg_request_info& info) {
  if (const auto wish = HeaderOf(connection, "Connection")) {
    return base::ToLower(*wish).find("keep-alive") != std::string::npos;
  }
  return std::string_view(info.http_version) == "1.1";
}

}  // namespace

class Server::Impl {
 public:
  Impl(ServerOptions options, Handler handler, const base::Logger& logger)
      : options_(std::move(options)), handler_(std::move(handler)), logger_(logger) {}

  ~Impl() {
    if (front_) {
      front_->StopAccepting();
      WaitForRequests();
    }
    if (context_ != nullptr) {
      StopCivetweb();
    }
  }

  Result<void> Start() {
    ASSIGN_OR_RETURN(policy_, WebPolicyFile::Open(options_.web_config_file, logger_));
    rate_limiter_.emplace(policy_->Current()->config.rate_limit);
    FrontOptions front{.listen_addresses = options_.listen_addresses,
                       .max_backends = threads(),
                       .exchanges = &exchanges_,
                       .max_header_bytes = options_.max_header_bytes,
                       .max_body_bytes = options_.max_body_bytes,
                       .header_timeout = options_.header_timeout,
                       .policy = [this] { return policy_->Current(); }};
    ASSIGN_OR_RETURN(front_, Front::Listen(std::move(front), logger_));
    RETURN_IF_ERROR(StartCivetweb());
    front_->Start(backend_port_);
    return {};
  }

  const std::vector<int>& ports() const { return front_->ports(); }

 private:
  // Counts a request from the first look at it to its last byte handed over.
  class Counted {
   public:
    explicit Counted(Impl* server) : server_(server) {
      const base::MutexLock lock(server_->mutex_);
      ++server_->requests_;
    }
    ~Counted() {
      const base::MutexLock lock(server_->mutex_);
      if (--server_->requests_ == 0) {
        server_->all_done_.NotifyAll();
      }
    }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;

   private:
    Impl* server_;
  };

  size_t threads() const { return options_.max_in_flight + kSpareThreads; }

  Result<void> StartCivetweb() {
    const std::string thread_count = std::to_string(threads());
    // Room for the header that the front adds.
    const std::string request_bytes = std::to_string(options_.max_header_bytes + 1024);
    std::array settings = {"listening_ports",
                           "127.0.0.1:0",
                           "num_threads",
                           thread_count.c_str(),
                           "connection_queue",
                           thread_count.c_str(),
                           "max_request_size",
                           request_bytes.c_str(),
                           "request_timeout_ms",
                           kRequestTimeoutMs,
                           "enable_keep_alive",
                           "yes",
                           "keep_alive_timeout_ms",
                           kKeepAliveTimeoutMs,
                           "tcp_nodelay",
                           "1",
                           "decode_url",
                           "no",
                           static_cast<const char*>(nullptr)};
    mg_callbacks callbacks{};
    callbacks.begin_request = OnRequest;
    callbacks.http_error = OnError;
    callbacks.log_message = OnLog;
    const base::MutexLock lock(StartMutex());
    const SmallStacks small_stacks;
    context_ = mg_start(&callbacks, this, settings.data());
    mg_server_port port{};
    if (context_ == nullptr || mg_get_server_ports(context_, 1, &port) != 1) {
      return Error("the request handlers (civetweb) do not start", ErrorKind::kUnavailable);
    }
    backend_port_ = port.port;
    return {};
  }

  // mg_stop waits for a thread that looks up from its poll every two seconds, or when somebody
  // connects.
  void StopCivetweb() {
    std::atomic<bool> stopped{false};
    std::thread stopper([this, &stopped] {
      mg_stop(context_);
      stopped = true;
    });
    const base::StopSignal never;
    while (!stopped) {
      static_cast<void>(ConnectToLoopback(backend_port_));
      never.WaitUntil(std::chrono::steady_clock::now() + std::chrono::milliseconds(5));
    }
    stopper.join();
  }

  void WaitForRequests() {
    const base::MutexLock lock(mutex_);
    while (requests_ > 0) {
      all_done_.Wait(mutex_);
    }
  }

  // Answers every URI there is: civetweb goes no further with any.
  static int OnRequest(mg_connection* connection) {
    const mg_request_info& info = *mg_get_request_info(connection);
    return static_cast<Impl*>(info.user_data)->Serve(connection, info);
  }

  static int OnError(mg_connection* connection, int status, const char* message) {
    const Response response = TextResponse(status, message);
    const std::string text = FormatHead(response, {}, false) + response.body;
    mg_write(connection, text.data(), text.size());
    return 0;
  }

  static int OnLog(const mg_connection* connection, const char* message) {
    const auto* server = static_cast<const Impl*>(mg_get_user_data(mg_get_context(connection)));
    if (server != nullptr) {
      server->logger_.Debug("civetweb", {{"message", message}});
    }
    return 1;
  }

  int Serve(mg_connection* connection, const mg_request_info& info) {
    const auto exchange =
        exchanges_.Find(HeaderOf(connection, ExchangeTable::kHeader).value_or(""));
    if (!exchange) {
      mg_disable_connection_keep_alive(connection);
      OnError(connection, 403, "this port is not for direct use");
      return 403;
    }
    const auto start = std::chrono::steady_clock::now();
    const Counted counted(this);
    const std::shared_ptr<const WebPolicy> policy = policy_->Current();
    const Response response = Answer(connection, info, *exchange, *policy);
    Send(connection, info, *exchange, policy->config.headers, response);
    if (options_.on_request) {
      options_.on_request(response.status, std::chrono::steady_clock::now() - start);
    }
    return response.status;
  }

  Response Answer(mg_connection* connection, const mg_request_info& info,
                  const ExchangeTable::Exchange& exchange, const WebPolicy& policy) {
    if (!rate_limiter_->Allow(std::chrono::steady_clock::now())) {
      return TextResponse(429, "Too Many Requests");
    }
    auto request = MakeRequest(info, exchange.client_address);
    if (!request.ok()) {
      return TextResponse(400, "malformed path: " + request.error().message());
    }
    if (!policy.config.users.empty()) {
      if (std::optional<Response> refused = Authenticate(*request, policy.config.users)) {
        return *std::move(refused);
      }
    }
    if (!ReadBody(connection, static_cast<uint64_t>(std::max(info.content_length, 0LL)),
                  &request->body)) {
      return TextResponse(400, "the request's body ended early");
    }
    exchanges_.BeginHandling(exchange.id);
    return Handle(*request);
  }

  std::optional<Response> Authenticate(const Request& request,
                                       const PasswordChecker::Users& users) {
    Credentials credentials;
    if (!ParseBasicAuth(request.Header("Authorization").value_or(""), &credentials)) {
      return Unauthorized();
    }
    switch (passwords_.Check(users, credentials)) {
      case PasswordChecker::Verdict::kRight:
        return std::nullopt;
      case PasswordChecker::Verdict::kBusy:
        return Busy("too many passwords to check");
      case PasswordChecker::Verdict::kWrong:
        break;
    }
    return Unauthorized();
  }

  Response Handle(const Request& request) {
    const bool fits = ++in_flight_ <= options_.max_in_flight;
    Response response = fits ? CallHandler(request) : Busy("too many requests at once");
    --in_flight_;
    return response;
  }

  // The boundary that exceptions of third parties must not cross: civetweb's threads are C.
  Response CallHandler(const Request& request) {
    try {
      return handler_(request);
    } catch (const std::exception& e) {
      logger_.Error("request handler failed", {{"path", request.path}, {"error", e.what()}});
      return TextResponse(500, "Internal Server Error");
    }
  }

  void Send(mg_connection* connection, const mg_request_info& info,
            const ExchangeTable::Exchange& exchange, const Headers& configured,
            const Response& response) {
    Headers headers = configured;
    for (const auto& [name, value] : response.headers) {
      AddMissing(name, value, &headers);
    }
    AddMissing("X-Content-Type-Options", "nosniff", &headers);
    if (IsPage(response.content_type)) {
      AddMissing("Content-Security-Policy", kPageSecurityPolicy, &headers);
      AddMissing("X-Frame-Options", "deny", &headers);
      AddMissing("Referrer-Policy", "no-referrer", &headers);
    }
    std::string text = FormatHead(response, headers, KeepsAlive(connection, info));
    const bool has_body = std::string_view(info.request_method) != "HEAD" &&
                          response.status != 204 && response.status != 304;
    const std::string_view body = has_body ? std::string_view(response.body) : std::string_view();
    exchanges_.BeginResponse(exchange.id, text.size() + body.size());
    const bool together = body.size() <= kSmallBodyBytes;
    if (together) {
      text += body;
    }
    mg_write(connection, text.data(), text.size());
    if (!together) {
      mg_write(connection, body.data(), body.size());
    }
  }

  const ServerOptions options_;
  const Handler handler_;
  const base::Logger& logger_;
  std::unique_ptr<WebPolicyFile> policy_;
  std::optional<RateLimiter> rate_limiter_;  // As configured at the start, like the listeners.
  PasswordChecker passwords_;
  std::atomic<size_t> in_flight_{0};
  base::Mutex mutex_;
  base::CondVar all_done_;
  size_t requests_ GUARDED_BY(mutex_) = 0;
  ExchangeTable exchanges_;
  std::unique_ptr<Front> front_;
  mg_context* context_ = nullptr;
  int backend_port_ = 0;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::Start(ServerOptions options, Handler handler,
                                              const base::Logger& logger) {
  auto impl = std::make_unique<Impl>(std::move(options), std::move(handler), logger);
  RETURN_IF_ERROR(impl->Start());
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

const std::vector<int>& Server::ports() const { return impl_->ports(); }

}  // namespace http
