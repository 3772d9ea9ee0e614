#include "lib/base/json_writer.h"

#include <limits>

#include <gtest/gtest.h>

namespace base {
namespace {

TEST(JsonWriter, SeparatesMembersAndElements) {
  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  json.Member("a", 1.5);
  json.Key("list");
  json.BeginArray();
  json.Int(-1);
  json.Uint(18446744073709551615ULL);
  json.Bool(true);
  json.Null();
  json.BeginObject();
  json.EndObject();
  json.BeginArray();
  json.EndArray();
  json.EndArray();
  json.Key("raw");
  json.Raw("{\"x\":1}");
  json.Member("text", "t");
  json.EndObject();
  EXPECT_EQ(
      out,
      R"({"a":1.5,"list":[-1,18446744073709551615,true,null,{},[]],"raw":{"x":1},"text":"t"})");
}

TEST(JsonWriter, EscapesStrings) {
  const auto check = [](std::string_view text, std::string_view expected) {
    std::string out;
    AppendJsonString(text, &out);
    EXPECT_EQ(out, expected);
  };
  check("", R"("")");
  check("plain", R"("plain")");
  check("a\"b\\c", R"("a\"b\\c")");
  check("\n\r\t", R"("\n\r\t")");
  check(std::string_view("\0\x1f\x7f", 3), R"("\u0000\u001f\u007f")");
  check("grün \xF0\x9F\x90\x92", "\"grün \xF0\x9F\x90\x92\"");
}

TEST(JsonWriter, ReplacesBytesThatAreNotUtf8) {
  const auto check = [](std::string_view text, std::string_view expected) {
    std::string out;
    AppendJsonString(text, &out);
    EXPECT_EQ(out, expected);
  };
  check(
      "a\xff"
      "b",
      "\"a\xEF\xBF\xBD"
      "b\"");
  check("\xC3", "\"\xEF\xBF\xBD\"");                                  // Cut short.
  check("\xC0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");                  // Overlong.
  check("\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");  // A surrogate.
}

TEST(JsonWriter, WritesNoNumberThatJsonLacks) {
  std::string out;
  JsonWriter json(&out);
  json.BeginArray();
  json.Double(std::numeric_limits<double>::quiet_NaN());
  json.Double(std::numeric_limits<double>::infinity());
  json.Double(0.1);
  json.EndArray();
  EXPECT_EQ(out, "[null,null,0.1]");
}

}  // namespace
}  // namespace base
