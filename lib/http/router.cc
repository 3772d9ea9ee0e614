#include "lib/http/router.h"

#include <algorithm>
#include <optional>

#include "lib/base/strings.h"

namespace http {
namespace {

bool IsParameter(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

std::optional<PathParameters> Match(std::string_view pattern, std::string_view path) {
  const std::vector<std::string_view> wanted = base::Split(pattern, '/');
  const std::vector<std::string_view> given = base::Split(path, '/');
  if (wanted.size() != given.size()) {
    return std::nullopt;
  }
  PathParameters parameters;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (IsParameter(wanted[i]) && !given[i].empty()) {
      parameters.Add(wanted[i].substr(1, wanted[i].size() - 2), given[i]);
    } else if (wanted[i] != given[i]) {
      return std::nullopt;
    }
  }
  return parameters;
}

bool Answers(std::string_view route_method, std::string_view method) {
  return route_method == method || (route_method == "GET" && method == "HEAD");
}

void AddAllowed(std::string_view method, std::vector<std::string>* allowed) {
  if (std::find(allowed->begin(), allowed->end(), method) == allowed->end()) {
    allowed->emplace_back(method);
    if (method == "GET") {
      allowed->emplace_back("HEAD");
    }
  }
}

}  // namespace

std::string_view PathParameters::Get(std::string_view name) const {
  for (const auto& [key, value] : values_) {
    if (key == name) {
      return value;
    }
  }
  return "";
}

Response Router::Handle(const Request& request) const {
  std::vector<std::string> allowed;
  for (const Route& route : routes_) {
    const std::optional<PathParameters> parameters = Match(route.pattern, request.path);
    if (!parameters) {
      continue;
    }
    if (Answers(route.method, request.method)) {
      return route.handler(request, *parameters);
    }
    AddAllowed(route.method, &allowed);
  }
  if (allowed.empty()) {
    return TextResponse(404, "404 page not found");
  }
  Response response = TextResponse(405, "Method Not Allowed");
  response.headers.emplace_back("Allow", base::Join(allowed, ", "));
  return response;
}

}  // namespace http
