#include "exporters/host/files.h"

#include <cstdio>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporters/host/filter.h"

namespace exporters::host {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

class FilesTest : public testing::Test {
 protected:
  FilesTest() {
    std::string pattern = testing::TempDir() + "/files_test.XXXXXX";
    root_ = mkdtemp(pattern.data());
  }
  ~FilesTest() override { fs::remove_all(root_); }

  // In place: whoever has it open sees the new content.
  void Write(const std::string& name, const std::string& text) const {
    std::FILE* const file = std::fopen((root_ + "/" + name).c_str(), "w");
    ASSERT_NE(file, nullptr);
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
  }

  std::string root_;
};

TEST_F(FilesTest, ReadsAgainThroughTheKeptDescriptor) {
  Files files(root_ + "/");
  Write("a", "one\n");
  EXPECT_EQ(files.Read("a").value_or("?"), "one\n");
  EXPECT_EQ(files.kept(), 1U);
  Write("a", "two\n");
  EXPECT_EQ(files.ReadText("a").value_or("?"), "two");
  EXPECT_EQ(files.kept(), 1U);
}

TEST_F(FilesTest, LongFilesComeWhole) {
  Files files(root_);
  const std::string text(100'000, 'x');
  Write("long", text);
  EXPECT_EQ(files.Read("long").value_or("?"), text);
  EXPECT_EQ(files.ReadOnce("long").value_or("?"), text);
}

TEST_F(FilesTest, TooLongIsRefused) {
  Files files(root_);
  Write("huge", std::string(Files::kMaxBytes + 1, 'x'));
  const auto text = files.Read("huge");
  ASSERT_FALSE(text.ok());
  EXPECT_EQ(text.error().kind(), base::ErrorKind::kResourceExhausted);
}

TEST_F(FilesTest, AbsentFileIsNotLookedForAgainAtOnce) {
  Files files(root_);
  const auto first = files.Read("later");
  ASSERT_FALSE(first.ok());
  EXPECT_EQ(first.error().kind(), base::ErrorKind::kNotFound);
  Write("later", "x");
  EXPECT_FALSE(files.Read("later").ok());
  EXPECT_TRUE(Files(root_).Read("later").ok());
}

TEST_F(FilesTest, OnlySoManyDescriptorsAreKept) {
  Files files(root_);
  for (size_t i = 0; i < Files::kMaxKeptFiles + 20; ++i) {
    Write(std::to_string(i), std::to_string(i));
    EXPECT_EQ(files.ReadText(std::to_string(i)).value_or("?"), std::to_string(i));
  }
  EXPECT_EQ(files.kept(), Files::kMaxKeptFiles);
}

TEST_F(FilesTest, NumbersThatAreNoneAreNoValue) {
  Files files(root_);
  const auto check = [&](const std::string& text, std::optional<int64_t> expected) {
    Write("n", text);
    EXPECT_EQ(files.ReadInt("n"), expected) << text;
  };
  check("42\n", 42);
  check("-1\n", -1);
  check("\n", std::nullopt);
  check("N/A\n", std::nullopt);
  check("1 2\n", std::nullopt);
  EXPECT_EQ(files.ReadInt("absent"), std::nullopt);
}

TEST_F(FilesTest, DirectoriesAreListedSorted) {
  Files files(root_);
  Write("b", "");
  Write("a", "");
  EXPECT_THAT(files.List("").value_or({}), ElementsAre("a", "b"));
  EXPECT_EQ(files.List("nope").error().kind(), base::ErrorKind::kNotFound);
}

TEST_F(FilesTest, EmptyDirectoryIsNotListedAgainAtOnce) {
  Files files(root_);
  fs::create_directory(root_ + "/class");
  EXPECT_THAT(files.List("class").value_or({"?"}), ElementsAre());
  EXPECT_EQ(files.List("class").error().kind(), base::ErrorKind::kNotFound);
}

TEST_F(FilesTest, LongLinesComeWhole) {
  Files files(root_);
  const std::string text = "a\n" + std::string(3000, 'x') + "\n";
  Write("lines", text);
  EXPECT_EQ(files.ReadLong("lines").value_or("?"), text);
  EXPECT_EQ(files.Read("lines").value_or("?"), text);
}

TEST_F(FilesTest, LinkNameIsTheLastPart) {
  Files files(root_);
  fs::create_symlink("../x/eth0", root_ + "/link");
  EXPECT_EQ(files.LinkName("link"), "eth0");
  EXPECT_EQ(files.LinkName("nope"), std::nullopt);
}

TEST(Filter, ExcludeWinsAndExpressionsAreUnanchored) {
  const auto accepts = [](const NameFilter& names, std::string_view name) {
    const auto filter = Filter::Make("x", names);
    EXPECT_TRUE(filter.ok());
    return filter->Accepts(name);
  };
  EXPECT_TRUE(accepts({}, "anything"));
  EXPECT_TRUE(accepts({.include = "eth"}, "veth0"));
  EXPECT_FALSE(accepts({.include = "^eth"}, "veth0"));
  EXPECT_FALSE(accepts({.exclude = "^$"}, ""));
  EXPECT_TRUE(accepts({.exclude = "^$"}, "eth0"));
  EXPECT_FALSE(Filter::Make("x", {.include = "("}).ok());
  EXPECT_FALSE(Filter::Make("x", {.include = "a", .exclude = "b"}).ok());
}

}  // namespace
}  // namespace exporters::host
