// HTTP requests and responses as values, for the server, the router and tests.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace http {

struct Request {
  std::string method;                                        // Upper case.
  std::string path;                                          // Decoded, without the query.
  std::vector<std::pair<std::string, std::string>> query;    // Decoded, in order, names may repeat.
  std::vector<std::pair<std::string, std::string>> headers;  // As sent.
  std::string body;
  std::string remote_address;  // "127.0.0.1:53211"

  // The first query parameter of that name.
  std::optional<std::string_view> Query(std::string_view name) const;
  std::vector<std::string> QueryAll(std::string_view name) const;
  // Names are compared without case.
  std::optional<std::string_view> Header(std::string_view name) const;
  // `query` and, for a POST of application/x-www-form-urlencoded, the body's pairs after it.
  std::vector<std::pair<std::string, std::string>> Form() const;
};

struct Response {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body;
};

// "Not Found" for 404.
std::string_view ReasonPhrase(int status);

// Plain text, with a newline at its end.
Response TextResponse(int status, std::string_view text);

}  // namespace http
