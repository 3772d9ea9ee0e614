#include "agent/discovery/file_sd.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

namespace discovery {
namespace {

class FileSdTest : public testing::Test {
 protected:
  FileSdTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "file_sd_XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~FileSdTest() override { std::filesystem::remove_all(folder_); }
  FileSdTest(const FileSdTest&) = delete;
  FileSdTest& operator=(const FileSdTest&) = delete;

  void Write(const std::string& name, std::string_view text) const {
    std::ofstream(folder_ + "/" + name) << text;
  }

  std::string folder_;
};

TEST(FileSd, ReadsYamlAndJson) {
  for (const char* text :
       {"- targets: [a:1, b:2]\n  labels: {env: x}\n- targets: [c:3]\n",
        R"([{"targets": ["a:1", "b:2"], "labels": {"env": "x"}}, {"targets": ["c:3"]}])"}) {
    const auto groups = ParseTargetFile(text, "/t.yml");
    ASSERT_TRUE(groups.ok()) << groups.error().message();
    ASSERT_EQ(groups->size(), 2U);
    EXPECT_EQ((*groups)[0].targets, (std::vector<std::string>{"a:1", "b:2"}));
    EXPECT_EQ((*groups)[0].labels, (model::Labels{{"__meta_filepath", "/t.yml"}, {"env", "x"}}));
    EXPECT_EQ((*groups)[1].labels, (model::Labels{{"__meta_filepath", "/t.yml"}}));
  }
  EXPECT_TRUE(ParseTargetFile("", "/t.yml")->empty());
}

TEST(FileSd, RefusesFilesOfAnotherShape) {
  const auto check = [](std::string_view text, std::string_view error) {
    const auto groups = ParseTargetFile(text, "/t.yml");
    ASSERT_FALSE(groups.ok()) << text;
    EXPECT_EQ(groups.error().message(), error);
  };
  check("targets: [a]\n", "/t.yml:1: a sequence is expected here, not a map");
  check("- target: [a]\n", "/t.yml:1: unknown key \"target\"; did you mean \"targets\"?");
  check("-\n  targets: a\n", "/t.yml:2: a sequence is expected here, not a scalar");
}

TEST(FileSd, PatternsNeedAKnownSuffixAndNoStarInAFolder) {
  EXPECT_TRUE(CheckFileSdPattern("/a/*.json").ok());
  EXPECT_TRUE(CheckFileSdPattern("x.YML").ok());
  EXPECT_FALSE(CheckFileSdPattern("x.txt").ok());
  EXPECT_FALSE(CheckFileSdPattern("x").ok());
  EXPECT_FALSE(CheckFileSdPattern("/*/x.yaml").ok());
}

TEST_F(FileSdTest, ABrokenFileKeepsItsTargetsAndAVanishedOneLosesThem) {
  FileSd sd({.patterns = {folder_ + "/*.yml"}});
  EXPECT_TRUE(sd.Read().groups.empty());

  Write("a.yml", "- targets: [a:1]\n");
  Write("b.yml", "- targets: [b:1]\n");
  EXPECT_EQ(sd.Read().groups.size(), 2U);

  Write("a.yml", "- targets: {\n");
  auto findings = sd.Read();
  ASSERT_EQ(findings.groups.size(), 2U);
  EXPECT_EQ(findings.groups[0].targets, (std::vector<std::string>{"a:1"}));
  ASSERT_EQ(findings.errors.size(), 1U);
  EXPECT_NE(findings.errors[0].message().find("a.yml"), std::string::npos);

  std::filesystem::remove(folder_ + "/a.yml");
  findings = sd.Read();
  ASSERT_EQ(findings.groups.size(), 1U);
  EXPECT_EQ(findings.groups[0].targets, (std::vector<std::string>{"b:1"}));
  EXPECT_TRUE(findings.errors.empty());
}

}  // namespace
}  // namespace discovery
