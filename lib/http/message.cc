#include "lib/http/message.h"

#include <algorithm>

#include "lib/base/strings.h"
#include "lib/base/url.h"

namespace http {
namespace {

struct Reason {
  int status;
  std::string_view phrase;
};

constexpr Reason kReasons[] = {
    {200, "OK"},
    {202, "Accepted"},
    {204, "No Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {499, "Client Closed Request"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

constexpr std::string_view kFormType = "application/x-www-form-urlencoded";

}  // namespace

std::string_view ReasonPhrase(int status) {
  for (const Reason& reason : kReasons) {
    if (reason.status == status) {
      return reason.phrase;
    }
  }
  return "Status";
}

std::optional<std::string_view> Request::Query(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) {
      return value;
    }
  }
  return std::nullopt;
}

std::vector<std::string> Request::QueryAll(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : query) {
    if (key == name) {
      values.push_back(value);
    }
  }
  return values;
}

std::optional<std::string_view> Request::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (base::EqualsIgnoreCase(key, name)) {
      return value;
    }
  }
  return std::nullopt;
}

std::vector<std::pair<std::string, std::string>> Request::Form() const {
  auto pairs = query;
  const std::string_view type = Header("Content-Type").value_or("");
  const std::string_view media_type = base::TrimSpace(type.substr(0, type.find(';')));
  if (method == "POST" && base::EqualsIgnoreCase(media_type, kFormType)) {
    auto posted = base::ParseQuery(body);
    std::move(posted.begin(), posted.end(), std::back_inserter(pairs));
  }
  return pairs;
}

Response TextResponse(int status, std::string_view text) {
  Response response{.status = status, .body = std::string(text)};
  response.body += '\n';
  return response;
}

}  // namespace http
