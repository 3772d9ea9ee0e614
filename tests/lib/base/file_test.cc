#include "lib/base/file.h"

#include <filesystem>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace base {
namespace {

class FileTest : public testing::Test {
 protected:
  FileTest() {
    std::string pattern = testing::TempDir() + "file_test.XXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  ~FileTest() override { std::filesystem::remove_all(directory_); }

  std::string Path(const std::string& name) const { return directory_ + "/" + name; }
  size_t FilesInDirectory() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(directory_), {}));
  }

  std::string directory_;
};

TEST_F(FileTest, ReadsWhatWasWritten) {
  const std::string large(100'000, 'x');
  for (const std::string& content : {std::string(), std::string("a\0b\n", 4), large}) {
    ASSERT_TRUE(WriteFileAtomically(Path("f"), content).ok());
    const auto read = ReadFile(Path("f"));
    ASSERT_TRUE(read.ok()) << read.error().message();
    EXPECT_EQ(*read, content);
  }
}

TEST_F(FileTest, ReplacesAFileInOneStepAndLeavesNothingBeside) {
  ASSERT_TRUE(WriteFileAtomically(Path("f"), "old").ok());
  const UniqueFd reader(open(Path("f").c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(WriteFileAtomically(Path("f"), "new").ok());
  char buffer[8] = "";
  EXPECT_EQ(read(reader.get(), buffer, sizeof(buffer)), 3);
  EXPECT_EQ(std::string(buffer, 3), "old");  // Who had it open still reads the old one.
  EXPECT_EQ(ReadFile(Path("f")).value_or(""), "new");
  EXPECT_EQ(FilesInDirectory(), 1u);
}

TEST_F(FileTest, LeavesNothingWhenItCannotWrite) {
  ASSERT_EQ(mkdir(Path("d").c_str(), 0700), 0);
  const auto onto_directory = WriteFileAtomically(Path("d"), "x");
  ASSERT_FALSE(onto_directory.ok());
  EXPECT_EQ(FilesInDirectory(), 1u);
  const auto nowhere = WriteFileAtomically(Path("absent/f"), "x");
  ASSERT_FALSE(nowhere.ok());
  EXPECT_EQ(nowhere.error().kind(), ErrorKind::kNotFound);
}

TEST_F(FileTest, BoundsWhatItReads) {
  ASSERT_TRUE(WriteFileAtomically(Path("f"), "12345").ok());
  EXPECT_TRUE(ReadFile(Path("f"), 5).ok());
  const auto too_long = ReadFile(Path("f"), 4);
  ASSERT_FALSE(too_long.ok());
  EXPECT_EQ(too_long.error().kind(), ErrorKind::kResourceExhausted);
  EXPECT_NE(too_long.error().message().find(Path("f")), std::string::npos);
}

TEST_F(FileTest, SaysWhichFileItCouldNotRead) {
  const auto absent = ReadFile(Path("absent"));
  ASSERT_FALSE(absent.ok());
  EXPECT_EQ(absent.error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(absent.error().message(), "open " + Path("absent") + ": No such file or directory");
  const auto directory = ReadFile(directory_);
  ASSERT_FALSE(directory.ok());
  EXPECT_EQ(directory.error().message(), "read " + directory_ + ": Is a directory");
}

TEST_F(FileTest, FindsFilesByPatternInOrder) {
  for (const char* name : {"b.yml", "a.yml", "c.txt", ".hidden.yml"}) {
    ASSERT_TRUE(WriteFileAtomically(Path(name), "").ok());
  }
  EXPECT_EQ(Glob(Path("*.yml")), (std::vector<std::string>{Path("a.yml"), Path("b.yml")}));
  EXPECT_EQ(Glob(Path("[bc].*")), (std::vector<std::string>{Path("b.yml"), Path("c.txt")}));
  EXPECT_EQ(Glob(Path("c.txt")), std::vector<std::string>{Path("c.txt")});
  EXPECT_TRUE(Glob(Path("*.json")).empty());
}

TEST(UniqueFd, ClosesOnceAndMoves) {
  const auto is_open = [](int fd) { return fcntl(fd, F_GETFD) != -1; };
  int number = -1;
  {
    UniqueFd first(open("/dev/null", O_RDONLY | O_CLOEXEC));
    number = first.get();
    EXPECT_TRUE(first.valid());
    UniqueFd second(std::move(first));
    EXPECT_EQ(second.get(), number);
    UniqueFd third;
    EXPECT_FALSE(third.valid());
    third = std::move(second);
    EXPECT_TRUE(is_open(number));
    EXPECT_EQ(third.Release(), number);
    EXPECT_FALSE(third.valid());
    EXPECT_TRUE(is_open(number));
    third.Reset(number);
  }
  EXPECT_FALSE(is_open(number));
}

TEST(ErrnoError, KnowsTheKind) {
  const auto kind = [](int code) {
    errno = code;
    return ErrnoError("x").kind();
  };
  EXPECT_EQ(kind(ENOENT), ErrorKind::kNotFound);
  EXPECT_EQ(kind(EACCES), ErrorKind::kPermissionDenied);
  EXPECT_EQ(kind(ECONNREFUSED), ErrorKind::kUnavailable);
  EXPECT_EQ(kind(ETIMEDOUT), ErrorKind::kDeadlineExceeded);
  EXPECT_EQ(kind(ENOSPC), ErrorKind::kResourceExhausted);
  EXPECT_EQ(kind(EINVAL), ErrorKind::kUnknown);
}

}  // namespace
}  // namespace base
