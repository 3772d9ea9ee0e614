#include "lib/yaml/reader.h"

#include <gtest/gtest.h>

namespace yaml {
namespace {

struct Inner {
  uint64_t count = 7;
};
struct Options {
  std::string name = "default";
  bool on = false;
  std::chrono::milliseconds every{1000};
  base::Secret password;
  std::vector<std::string> list;
  model::Labels labels;
  std::string file;
  Inner inner;
};

constexpr Field<Options> kFields[] = {
    {"name", Into<&Options::name>},
    {"on", Into<&Options::on>},
    {"every", Into<&Options::every>},
    {"password", Into<&Options::password>},
    {"list", Into<&Options::list>},
    {"labels", Into<&Options::labels>},
    {"file", IntoPath<&Options::file>},
    {"count", Into<&Options::inner, &Inner::count>},
    {"tracing"},
};

base::Result<Options> Read(std::string_view text) {
  ASSIGN_OR_RETURN(const Node node, Parse(text, "/etc/x/f.yml"));
  Options options;
  RETURN_IF_ERROR(Reader("/etc/x/f.yml").ReadMap<Options>(node, kFields, &options));
  return options;
}

TEST(YamlReader, FillsEveryKindOfField) {
  const auto options = Read(
      "name: 15\non: yes\nevery: 1m30s\npassword: s3cret\nlist: [a, 2]\n"
      "labels: {x: y, n: 1}\nfile: certs/ca.pem\ncount: 12\n");
  ASSERT_TRUE(options.ok()) << options.error().message();
  EXPECT_EQ(options->name, "15");
  EXPECT_TRUE(options->on);
  EXPECT_EQ(options->every, std::chrono::seconds(90));
  EXPECT_EQ(options->password.Reveal(), "s3cret");
  EXPECT_EQ(options->list, (std::vector<std::string>{"a", "2"}));
  EXPECT_EQ(options->labels, (model::Labels{{"x", "y"}, {"n", "1"}}));
  EXPECT_EQ(options->file, "/etc/x/certs/ca.pem");
  EXPECT_EQ(options->inner.count, 12U);
}

TEST(YamlReader, NothingLeavesTheDefault) {
  for (const char* text : {"", "name:\ncount: ~\n"}) {
    const auto options = Read(text);
    ASSERT_TRUE(options.ok()) << options.error().message();
    EXPECT_EQ(options->name, "default");
    EXPECT_EQ(options->inner.count, 7U);
  }
}

TEST(YamlReader, RefusesWithFileAndLine) {
  const auto check = [](std::string_view text, std::string_view expected) {
    const auto options = Read(text);
    ASSERT_FALSE(options.ok()) << text;
    EXPECT_EQ(options.error().message(), expected);
  };
  check("name: a\nnmae: b\n", "/etc/x/f.yml:2: unknown key \"nmae\"; did you mean \"name\"?");
  check("zzzzzzzzzz: b\n", "/etc/x/f.yml:1: unknown key \"zzzzzzzzzz\"");
  check("\ntracing:\n",
        "/etc/x/f.yml:2: \"tracing\" is not supported yet: remove it to run without");
  check("name: [a]\n", "/etc/x/f.yml:1: a scalar is expected here, not a sequence");
  check("list: a\n", "/etc/x/f.yml:1: a sequence is expected here, not a scalar");
  check("on: maybe\n", "/etc/x/f.yml:1: true or false is expected, not \"maybe\"");
  check("on: 'true'\n", "/etc/x/f.yml:1: true or false is expected, not \"true\"");
  check("count: -1\n", "/etc/x/f.yml:1: a whole number is expected, not \"-1\"");
  check("labels: {'': x}\n", "/etc/x/f.yml:1: \"\" is no label name");
  check("labels: {__name__: x}\n", "/etc/x/f.yml:1: \"__name__\" is no label name");
  check("[a]\n", "/etc/x/f.yml:1: a map is expected here, not a sequence");
  EXPECT_FALSE(Read("every: 5 minutes\n").ok());
  EXPECT_FALSE(Read("every: 15\n").ok());
}

}  // namespace
}  // namespace yaml
