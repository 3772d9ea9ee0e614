#include "agent/web/html.h"

#include <gtest/gtest.h>

namespace web {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Ago, SaysHowLongInTheUnitThatFits) {
  const base::WallTime now = base::FromMillis(1'700'000'000'000);
  const auto check = [now](auto before, const char* text) {
    EXPECT_EQ(Ago(now - before, now), text);
  };
  check(seconds(0), "just now");
  check(seconds(-5), "just now");
  check(seconds(12), "12 s ago");
  check(seconds(59), "59 s ago");
  check(minutes(3), "3 min ago");
  check(hours(2) + minutes(5), "2 h 5 min ago");
  check(hours(24 * 4), "4 d ago");
  EXPECT_EQ(Ago({}, now), "never");
}

TEST(Took, RoundsToWhatIsWorthReading) {
  EXPECT_EQ(Took(std::chrono::microseconds(540)), "0.5 ms");
  EXPECT_EQ(Took(std::chrono::milliseconds(12)), "12 ms");
  EXPECT_EQ(Took(std::chrono::milliseconds(1340)), "1.3 s");
}

TEST(LinkTo, LinksWebAddressesOnly) {
  EXPECT_EQ(LinkTo("https://x/?a&b"),
            "<a href=\"https://x/?a&amp;b\" rel=\"noreferrer\">https://x/?a&amp;b</a>");
  EXPECT_EQ(LinkTo("javascript:alert(1)"), "javascript:alert(1)");
  EXPECT_EQ(LinkTo("http://\"><script>"),
            "<a href=\"http://&quot;&gt;&lt;script&gt;\" rel=\"noreferrer\">"
            "http://&quot;&gt;&lt;script&gt;</a>");
}

TEST(HtmlPage, AllowsNoScript) {
  const http::Response page = HtmlPage("/", "T", "body");
  ASSERT_FALSE(page.headers.empty());
  EXPECT_EQ(page.headers[0].first, "Content-Security-Policy");
  EXPECT_EQ(page.headers[0].second.find("default-src 'none'"), 0u);
  EXPECT_EQ(page.headers[0].second.find("unsafe"), std::string::npos);
  EXPECT_EQ(page.headers[0].second.find("script"), std::string::npos);
  EXPECT_EQ(page.body.find("<script"), std::string::npos);
}

}  // namespace
}  // namespace web
