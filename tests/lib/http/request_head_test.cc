#include "lib/http/request_head.h"

#include <string>

#include <gtest/gtest.h>

namespace http {
namespace {

TEST(FindHeadEnd, FindsTheEmptyLineHoweverTheBytesArrive) {
  const std::string request = "GET / HTTP/1.1\r\nHost: x\r\n\r\nbody";
  const size_t end = request.size() - 4;
  for (size_t first = 0; first <= request.size(); ++first) {
    const std::string_view begun = std::string_view(request).substr(0, first);
    const size_t early = FindHeadEnd(begun, 0);
    EXPECT_EQ(early, first < end ? std::string_view::npos : end) << first;
    EXPECT_EQ(FindHeadEnd(request, first < end ? first : 0), end) << first;
  }
}

TEST(FindHeadEnd, EndsAtBareNewlinesToo) {
  EXPECT_EQ(FindHeadEnd("GET / HTTP/1.1\n\n", 0), 16u);
  EXPECT_EQ(FindHeadEnd("GET / HTTP/1.1\n\r\n", 0), 17u);
  EXPECT_EQ(FindHeadEnd("\n\n", 0), 2u);
  EXPECT_EQ(FindHeadEnd("\n", 0), std::string_view::npos);
  EXPECT_EQ(FindHeadEnd("", 0), std::string_view::npos);
}

TEST(RequestHead, KnowsWhetherTheConnectionStays) {
  const auto check = [](const std::string& version, const std::string& headers, bool keep) {
    const RequestHead head =
        ParseRequestHead("GET / HTTP/" + version + "\r\nHost: x\r\n" + headers + "\r\n");
    EXPECT_EQ(head.status, 0) << head.problem;
    EXPECT_EQ(head.keep_alive, keep) << version << " " << headers;
  };
  check("1.1", "", true);
  check("1.0", "", false);
  check("1.1", "Connection: close\r\n", false);
  check("1.1", "connection: CLOSE\r\n", false);
  check("1.0", "Connection: keep-alive\r\n", true);
  check("1.1", "Connection: keep-alive, Upgrade\r\n", true);
  check("1.1", "Connection: Upgrade\r\n", false);
  check("1.1", "Connection: keep-alive\r\nConnection: close\r\n", false);
}

TEST(RequestHead, ReadsLengthAndExpectation) {
  const RequestHead head = ParseRequestHead(
      "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 0012\r\nExpect: 100-Continue\r\n\r\n");
  EXPECT_EQ(head.status, 0);
  EXPECT_EQ(head.content_length, 12u);
  EXPECT_TRUE(head.expects_continue);
}

TEST(RequestHead, LocatesTheAuthorityOfAnAbsoluteTarget) {
  const std::string text = "GET http://example:80/path?q HTTP/1.1\r\nHost: x\r\n\r\n";
  const RequestHead head = ParseRequestHead(text);
  EXPECT_EQ(head.status, 0);
  EXPECT_EQ(text.substr(head.authority_at, head.authority_bytes), "http://example:80");
}

}  // namespace
}  // namespace http
