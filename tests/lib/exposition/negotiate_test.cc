#include "lib/exposition/negotiate.h"

#include <gtest/gtest.h>

namespace exposition {
namespace {

constexpr std::string_view kText = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::string_view kOpenMetrics =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";
constexpr std::string_view kOldOpenMetrics =
    "application/openmetrics-text; version=0.0.1; charset=utf-8";

TEST(NegotiateFormat, PicksTheContentTypeThatAcceptPrefers) {
  const auto check = [](std::string_view accept, std::string_view expected) {
    const Negotiated negotiated = NegotiateFormat(accept);
    EXPECT_EQ(negotiated.content_type, expected) << accept;
    EXPECT_EQ(negotiated.format, expected == kText ? Format::kText : Format::kOpenMetrics)
        << accept;
  };
  check("", kText);
  check("*/*", kText);
  check("text/plain", kText);
  check("text/*", kText);
  check("application/*", kOpenMetrics);
  check("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", kText);
  check("application/openmetrics-text", kOpenMetrics);
  check("APPLICATION/OpenMetrics-Text; Version=1.0.0", kOpenMetrics);
  check("application/openmetrics-text; version=\"1.0.0\"", kOpenMetrics);
  check("application/openmetrics-text;version=0.0.1", kOldOpenMetrics);
  check("application/openmetrics-text;version=2.0.0", kText);
  check("text/plain;version=0.0.4;q=0.5,application/openmetrics-text;q=0.4", kText);
  check("text/plain;q=0.4,application/openmetrics-text;q=0.5", kOpenMetrics);
  check("application/openmetrics-text,text/plain", kOpenMetrics);
  check("text/plain,application/openmetrics-text", kText);
  check("application/openmetrics-text;q=0,*/*", kText);
  check("text/plain;q=0,*/*;q=0.1", kOpenMetrics);
  check("text/plain;q=0", kText);
  check("application/json", kText);
  check("application/openmetrics-text;q=abc,text/plain;q=0.1", kText);
  check("application/openmetrics-text;q=2,text/plain;q=0.1", kText);
  check(",,;;=;q=,", kText);
}

TEST(NegotiateFormat, UnderstandsWhatPrometheusSends) {
  const Negotiated two = NegotiateFormat(
      "application/openmetrics-text;version=1.0.0;q=0.5,"
      "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2");
  EXPECT_EQ(two.content_type, kOpenMetrics);
  const Negotiated three = NegotiateFormat(
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
      "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;"
      "escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2");
  EXPECT_EQ(three.content_type, kOpenMetrics);
}

TEST(AcceptsGzip, FollowsTheHeader) {
  const auto check = [](std::string_view header, bool expected) {
    EXPECT_EQ(AcceptsGzip(header), expected) << header;
  };
  check("gzip", true);
  check("GZIP", true);
  check("x-gzip", true);
  check("deflate, gzip;q=0.5", true);
  check("*", true);
  check("br;q=1.0, *;q=0.1", true);
  check("", false);
  check("identity", false);
  check("gzip;q=0", false);
  check("gzip; q=0.000", false);
  check("gzip;q=0, *", false);
  check("*;q=0", false);
  check("gzipped", false);
  check("gzip;q=nonsense", false);
}

TEST(FormatOfContentType, KnowsBothFormatsAndNothingElse) {
  const auto check = [](std::string_view header, std::optional<Format> expected) {
    EXPECT_EQ(FormatOfContentType(header), expected) << header;
  };
  check("text/plain; version=0.0.4; charset=utf-8", Format::kText);
  check("text/plain", Format::kText);
  check("Text/Plain;charset=utf-8", Format::kText);
  check("application/openmetrics-text; version=1.0.0; charset=utf-8", Format::kOpenMetrics);
  check("application/openmetrics-text", Format::kOpenMetrics);
  check("", std::nullopt);
  check("text/html", std::nullopt);
  check("application/json", std::nullopt);
  check("text/plainer", std::nullopt);
  check("application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily", std::nullopt);
}

}  // namespace
}  // namespace exposition
