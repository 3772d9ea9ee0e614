#include "lib/http/client.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>

#include <curl/curl.h>
#include <fmt/format.h>

#include "lib/base/mutex.h"
#include "lib/base/strings.h"
#include "lib/base/url.h"

namespace http {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

constexpr long kMaxRedirects = 5;
constexpr size_t kMaxIdleHandles = 64;
constexpr size_t kMaxResponseHeaders = 256;

struct EasyCleanup {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using EasyPtr = std::unique_ptr<CURL, EasyCleanup>;

struct ListFree {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using ListPtr = std::unique_ptr<curl_slist, ListFree>;

struct KindOfCode {
  CURLcode code;
  ErrorKind kind;
};

constexpr KindOfCode kKinds[] = {
    {CURLE_OPERATION_TIMEDOUT, ErrorKind::kDeadlineExceeded},
    {CURLE_URL_MALFORMAT, ErrorKind::kInvalidArgument},
    {CURLE_UNSUPPORTED_PROTOCOL, ErrorKind::kInvalidArgument},
    {CURLE_SSL_CACERT_BADFILE, ErrorKind::kInvalidArgument},
    {CURLE_SSL_CERTPROBLEM, ErrorKind::kInvalidArgument},
    {CURLE_TOO_MANY_REDIRECTS, ErrorKind::kResourceExhausted},
    {CURLE_OUT_OF_MEMORY, ErrorKind::kResourceExhausted},
};

ErrorKind KindOf(CURLcode code) {
  for (const KindOfCode& row : kKinds) {
    if (row.code == code) {
      return row.kind;
    }
  }
  return ErrorKind::kUnavailable;
}

// What the callbacks of one exchange fill.
struct Exchange {
  ClientResponse response;
  size_t max_body_bytes = 0;
  bool body_too_long = false;
};

size_t OnBody(char* data, size_t /*one*/, size_t length, void* user) {
  auto* exchange = static_cast<Exchange*>(user);
  if (exchange->response.body.size() + length > exchange->max_body_bytes) {
    exchange->body_too_long = true;
    return 0;
  }
  exchange->response.body.append(data, length);
  return length;
}

size_t OnHeader(char* data, size_t /*one*/, size_t length, void* user) {
  auto* response = &static_cast<Exchange*>(user)->response;
  const std::string_view line(data, length);
  if (line.substr(0, 5) == "HTTP/") {  // The next answer of a chain of redirects.
    response->headers.clear();
    return length;
  }
  const size_t colon = line.find(':');
  if (colon != std::string_view::npos && response->headers.size() < kMaxResponseHeaders) {
    response->headers.emplace_back(base::ToLower(line.substr(0, colon)),
                                   std::string(base::TrimSpace(line.substr(colon + 1))));
  }
  return length;
}

// The URL as curl connects to it. With a server name of its own the certificate is checked against
// that: the name takes the host's place, `connect_to` leads back to the host, and the Host header
// stays what it was.
struct Target {
  std::string url;
  std::string redacted;
  std::string pool_key;
  std::string connect_to;
  std::string host_header;
};

Result<Target> MakeTarget(const std::string& url, const std::string& server_name) {
  ASSIGN_OR_RETURN(const base::Url parsed, base::ParseUrl(url));
  if (parsed.scheme != "http" && parsed.scheme != "https") {
    return Error(fmt::format("{}: the scheme must be http or https", parsed.Redacted()),
                 ErrorKind::kInvalidArgument);
  }
  if (parsed.host.empty()) {
    return Error(fmt::format("{}: the host is missing", parsed.Redacted()),
                 ErrorKind::kInvalidArgument);
  }
  const int default_port = parsed.scheme == "https" ? 443 : 80;
  const int port = parsed.port == 0 ? default_port : parsed.port;
  const std::string host_port = base::FormatHostPort(parsed.host, port);
  Target target{
      .url = url, .redacted = parsed.Redacted(), .pool_key = parsed.scheme + "://" + host_port};
  if (server_name.empty() || parsed.scheme != "https" || server_name == parsed.host) {
    return target;
  }
  const size_t start = url.find("://") + 3;
  const size_t end = std::min(url.find_first_of("/?#", start), url.size());
  const size_t at = url.rfind('@', end);
  const size_t host_start = at == std::string::npos || at < start ? start : at + 1;
  const std::string named = base::FormatHostPort(server_name, port);
  target.url = url.substr(0, host_start) + named + url.substr(end);
  target.connect_to = named + ":" + host_port;
  target.host_header = "Host: " + url.substr(host_start, end - host_start);
  return target;
}

void SetText(CURL* easy, CURLoption option, const std::string& value) {
  if (!value.empty()) {
    curl_easy_setopt(easy, option, value.c_str());
  }
}

void SetIdentity(CURL* easy, const ClientOptions& options) {
  if (!options.basic_auth_user.empty() || !options.basic_auth_password.empty()) {
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(easy, CURLOPT_USERNAME, options.basic_auth_user.c_str());
    curl_easy_setopt(easy, CURLOPT_PASSWORD, options.basic_auth_password.Reveal().c_str());
  } else if (!options.bearer_token.empty()) {
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
    curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, options.bearer_token.Reveal().c_str());
  }
  SetText(easy, CURLOPT_CAINFO, options.ca_file);
  SetText(easy, CURLOPT_SSLCERT, options.cert_file);
  SetText(easy, CURLOPT_SSLKEY, options.key_file);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, options.insecure_skip_verify ? 0L : 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, options.insecure_skip_verify ? 0L : 2L);
}

void SetTransport(CURL* easy, const ClientOptions& options) {
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
  curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, options.follow_redirects ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_MAXREDIRS, kMaxRedirects);
  // An empty text, unlike none, also keeps http_proxy of the environment out.
  curl_easy_setopt(easy, CURLOPT_PROXY, options.proxy_url.c_str());
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "tarsier");
}

void SetMethod(CURL* easy, const ClientRequest& request) {
  if (request.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    return;
  }
  if (request.method == "GET" && request.body.empty()) {
    return;
  }
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

void Append(ListPtr* list, const std::string& line) {
  list->reset(curl_slist_append(list->release(), line.c_str()));
}

// A line break in a value would be a header of its own.
Result<void> CheckHeaders(const ClientRequest& request, const Target& target) {
  for (const auto& [name, value] : request.headers) {
    if ((name + value).find_first_of("\r\n") != std::string::npos) {
      return Error(fmt::format("{}: header {} has a line break", target.redacted,
                               name.substr(0, name.find_first_of("\r\n"))),
                   ErrorKind::kInvalidArgument);
    }
  }
  return {};
}

ListPtr MakeHeaders(const ClientRequest& request, const Target& target) {
  ListPtr list;
  Append(&list, "Expect:");  // No waiting for "100 Continue".
  if (!target.host_header.empty()) {
    Append(&list, target.host_header);
  }
  for (const auto& [name, value] : request.headers) {
    Append(&list, value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
  }
  return list;
}

}  // namespace

class Client::Impl {
 public:
  explicit Impl(ClientOptions options) : options_(std::move(options)) {
    static const CURLcode kInitialised = curl_global_init(CURL_GLOBAL_DEFAULT);
    static_cast<void>(kInitialised);
  }

  Result<ClientResponse> Do(const ClientRequest& request) {
    ASSIGN_OR_RETURN(const Target target, MakeTarget(request.url, options_.server_name));
    RETURN_IF_ERROR(CheckHeaders(request, target));
    if (request.timeout.count() <= 0) {
      return Error(fmt::format("{}: no time left", target.redacted), ErrorKind::kDeadlineExceeded);
    }
    EasyPtr easy = Take(target.pool_key);
    if (!easy) {
      return Error("curl: no handle", ErrorKind::kResourceExhausted);
    }
    auto response = Perform(easy.get(), request, target);
    Return(target.pool_key, std::move(easy));
    return response;
  }

 private:
  struct Idle {
    std::string key;
    EasyPtr easy;
  };

  // A handle keeps its connections, so that the next request to the same server finds one open.
  EasyPtr Take(const std::string& key) {
    const base::MutexLock lock(mutex_);
    for (auto idle = idle_.rbegin(); idle != idle_.rend(); ++idle) {
      if (idle->key == key) {
        EasyPtr easy = std::move(idle->easy);
        idle_.erase(std::next(idle).base());
        return easy;
      }
    }
    return EasyPtr(curl_easy_init());
  }

  void Return(const std::string& key, EasyPtr easy) {
    curl_easy_reset(easy.get());  // Keeps the connections, drops secrets and pointers.
    EasyPtr oldest;               // Destroyed without the lock: it may have connections to close.
    const base::MutexLock lock(mutex_);
    if (idle_.size() == kMaxIdleHandles) {
      oldest = std::move(idle_.front().easy);
      idle_.pop_front();
    }
    idle_.push_back({.key = key, .easy = std::move(easy)});
  }

  Result<ClientResponse> Perform(CURL* easy, const ClientRequest& request, const Target& target) {
    Exchange exchange{.response = {}, .max_body_bytes = request.max_response_bytes};
    char message[CURL_ERROR_SIZE] = "";
    SetTransport(easy, options_);
    SetIdentity(easy, options_);
    SetMethod(easy, request);
    const ListPtr headers = MakeHeaders(request, target);
    ListPtr connect_to;
    if (!target.connect_to.empty()) {
      Append(&connect_to, target.connect_to);
      curl_easy_setopt(easy, CURLOPT_CONNECT_TO, connect_to.get());
    }
    if (request.accept_gzip) {
      curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    }
    curl_easy_setopt(easy, CURLOPT_URL, target.url.c_str());
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.timeout.count()));
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, OnBody);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &exchange);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, OnHeader);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &exchange);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, message);
    const CURLcode code = curl_easy_perform(easy);
    if (exchange.body_too_long) {
      return Error(fmt::format("{} {}: the body is longer than {} bytes", request.method,
                               target.redacted, request.max_response_bytes),
                   ErrorKind::kResourceExhausted);
    }
    if (code != CURLE_OK) {
      const std::string_view why = message[0] != '\0' ? message : curl_easy_strerror(code);
      return Error(fmt::format("{} {}: {}", request.method, target.redacted, base::RedactUrls(why)),
                   KindOf(code));
    }
    return Finish(easy, std::move(exchange.response));
  }

  static ClientResponse Finish(CURL* easy, ClientResponse response) {
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    response.status = static_cast<int>(status);
    for (const auto& [name, value] : response.headers) {
      if (name == "content-type") {
        response.content_type = value;
      }
    }
    return response;
  }

  const ClientOptions options_;
  base::Mutex mutex_;
  std::deque<Idle> idle_ GUARDED_BY(mutex_);  // Least recently used first.
};

Client::Client(ClientOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Client::~Client() = default;

Result<ClientResponse> Client::Do(const ClientRequest& request) { return impl_->Do(request); }

}  // namespace http
