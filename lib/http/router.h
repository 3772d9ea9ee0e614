// Which handler answers which method and path: one table, read from top to bottom.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/http/message.h"

namespace http {

// What the {name} parts of a pattern matched.
class PathParameters {
 public:
  void Add(std::string_view name, std::string_view value) { values_.emplace_back(name, value); }
  // "" for a name the pattern does not have.
  std::string_view Get(std::string_view name) const;

 private:
  std::vector<std::pair<std::string_view, std::string>> values_;
};

struct Route {
  std::string_view method;   // A GET route also answers HEAD.
  std::string_view pattern;  // "/api/v1/label/{name}/values"; {name} is one segment, not empty.
  std::function<Response(const Request&, const PathParameters&)> handler;
};

// Immutable, thread-safe as far as the handlers are.
class Router {
 public:
  // The texts of the routes must outlive the router (literals do).
  explicit Router(std::vector<Route> routes) : routes_(std::move(routes)) {}

  // 404 when no pattern matches the path, 405 with Allow when none of those has the method.
  Response Handle(const Request& request) const;

 private:
  std::vector<Route> routes_;
};

}  // namespace http
