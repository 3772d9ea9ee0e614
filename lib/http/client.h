// HTTP requests out: scrapes, notifications. Bounded in time and size; never follows a redirect
// unless told.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/secret.h"

namespace http {

struct ClientOptions {
  std::string basic_auth_user;
  base::Secret basic_auth_password;
  base::Secret bearer_token;
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
  std::string server_name;
  bool insecure_skip_verify = false;
  bool follow_redirects = false;
  std::string proxy_url;
};

struct ClientRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  std::chrono::milliseconds timeout{10000};  // The whole exchange.
  size_t max_response_bytes = 64 << 20;      // After decompression.
  bool accept_gzip = false;
};

struct ClientResponse {
  int status = 0;
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> headers;  // Names in lower case.
  std::string body;
};

// Thread-safe; keeps connections open between calls.
class Client {
 public:
  explicit Client(ClientOptions options = {});
  ~Client();

  // Any answer is a value, whatever its status. Errors: kUnavailable, kDeadlineExceeded,
  // kResourceExhausted, kInvalidArgument (the URL). Messages carry no password.
  base::Result<ClientResponse> Do(const ClientRequest& request);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace http
