#include "lib/http/router.h"

#include <gtest/gtest.h>

namespace http {
namespace {

Router MakeRouter() {
  const auto say = [](std::string what) {
    return [what = std::move(what)](const Request&, const PathParameters& parameters) {
      return Response{.body = what + std::string(parameters.Get("name"))};
    };
  };
  return Router({{"GET", "/", say("home")},
                 {"GET", "/api/v1/query", say("get")},
                 {"POST", "/api/v1/query", say("post")},
                 {"GET", "/api/v1/label/{name}/values", say("label ")},
                 {"POST", "/-/reload", say("reload")}});
}

Response Ask(std::string method, std::string path) {
  return MakeRouter().Handle(Request{.method = std::move(method), .path = std::move(path)});
}

TEST(Router, PicksTheRouteOfMethodAndPath) {
  const auto check = [](const char* method, const char* path, const char* body) {
    const Response response = Ask(method, path);
    EXPECT_EQ(response.status, 200) << method << " " << path;
    EXPECT_EQ(response.body, body) << method << " " << path;
  };
  check("GET", "/", "home");
  check("HEAD", "/", "home");
  check("GET", "/api/v1/query", "get");
  check("POST", "/api/v1/query", "post");
  check("GET", "/api/v1/label/job/values", "label job");
  check("GET", "/api/v1/label/__name__/values", "label __name__");
}

TEST(Router, AnswersNotFoundForEveryOtherPath) {
  for (const char* path :
       {"", "//", "/api", "/api/v1/query/", "/API/v1/query", "/api/v1/label//values",
        "/api/v1/label/a/b/values", "/../", "/api/v1/../v1/query", "*"}) {
    EXPECT_EQ(Ask("GET", path).status, 404) << path;
  }
}

TEST(Router, NamesTheAllowedMethodsOfAKnownPath) {
  const auto check = [](const char* method, const char* path, const char* allowed) {
    const Response response = Ask(method, path);
    EXPECT_EQ(response.status, 405);
    ASSERT_EQ(response.headers.size(), 1u);
    EXPECT_EQ(response.headers[0].first, "Allow");
    EXPECT_EQ(response.headers[0].second, allowed);
  };
  check("DELETE", "/api/v1/query", "GET, HEAD, POST");
  check("GET", "/-/reload", "POST");
  check("HEAD", "/-/reload", "POST");
}

}  // namespace
}  // namespace http
