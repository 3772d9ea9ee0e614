#include "agent/state/state_file.h"

#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "tests/agent/state/temp_directory.h"

namespace state {
namespace {

using base::ErrorKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class StateFileTest : public testing::Test {
 protected:
  base::Result<StateFile> Open() { return StateFile::Open(directory_.path(), clock_, logger_); }
  std::string Path() const { return directory_.path() + "/" + std::string(kStateFileName); }
  std::vector<std::string> Damaged() const { return base::Glob(Path() + ".damaged-*Z"); }

  // A file with something in it, closed again.
  void Fill() {
    const auto file = Open();
    ASSERT_TRUE(file.ok());
    auto db = file->Connect();
    ASSERT_TRUE(db->Execute("CREATE TABLE t (b); INSERT INTO t VALUES (zeroblob(40000))").ok());
  }
  void Overwrite(std::streamoff at, const std::string& bytes) {
    std::fstream stream(Path(), std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(at);
    stream << bytes;
  }

  TempDirectory directory_;
  base::FakeClock clock_;
  std::vector<std::string> lines_;
  base::Logger logger_{base::LogLevel::kInfo, base::LogFormat::kLogfmt,
                       [this](std::string_view line) { lines_.emplace_back(line); }};
};

TEST_F(StateFileTest, KeepsWhatWasWritten) {
  Fill();
  const auto file = Open();
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(*file->Connect()->QueryInt("SELECT length(b) FROM t"), 40000);
  EXPECT_GT(file->Bytes(), 40000U);
  EXPECT_THAT(lines_, IsEmpty());
}

TEST_F(StateFileTest, MakesTheDirectory) {
  const auto file = StateFile::Open(directory_.path() + "/a/b", clock_, logger_);
  EXPECT_TRUE(file.ok());
}

TEST_F(StateFileTest, RefusesADirectoryThatAnotherAgentUses) {
  const auto first = Open();
  const auto second = Open();
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind(), ErrorKind::kUnavailable);
  EXPECT_THAT(second.error().message(), HasSubstr("another agent uses it"));
}

TEST_F(StateFileTest, GivesTheDirectoryBackWhenClosed) {
  { const auto first = Open(); }
  EXPECT_TRUE(Open().ok());
}

TEST_F(StateFileTest, MovesAFileAsideThatIsNoDatabase) {
  ASSERT_TRUE(base::WriteFileAtomically(Path(), std::string(5000, 'x')).ok());
  const auto file = Open();
  ASSERT_TRUE(file.ok()) << file.error().message();
  EXPECT_TRUE(file->Connect()->Execute("CREATE TABLE t (i)").ok());
  ASSERT_THAT(Damaged(), SizeIs(1));
  EXPECT_EQ(base::ReadFile(Damaged().front())->size(), 5000U);
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("moved aside")));
}

TEST_F(StateFileTest, MovesAFileAsideWhosePagesAreDamaged) {
  Fill();
  Overwrite(4096, std::string(8192, '\x5a'));
  ASSERT_TRUE(Open().ok());
  EXPECT_THAT(Damaged(), SizeIs(1));
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("moved aside")));
  EXPECT_TRUE(Open().ok());
  EXPECT_THAT(lines_, SizeIs(1));  // The new file is sound.
}

TEST_F(StateFileTest, MarksAFileWhoseDamageShowsLater) {
  Fill();
  const auto file = Open();
  ASSERT_TRUE(file.ok());
  Overwrite(8192, std::string(4096, '\x5a'));
  EXPECT_FALSE(file->Connect()->QueryInt("SELECT length(b) FROM t").ok());
  EXPECT_TRUE(base::ReadFile(SuspectMarkOf(Path())).ok());
}

TEST_F(StateFileTest, KeepsTheLastDamagedFilesOnly) {
  for (size_t i = 0; i < kMaxDamagedFiles + 2; ++i) {
    clock_.Advance(std::chrono::hours(1));
    ASSERT_TRUE(base::WriteFileAtomically(Path(), std::string(5000, 'x')).ok());
    ASSERT_TRUE(Open().ok());
  }
  EXPECT_THAT(Damaged(), SizeIs(kMaxDamagedFiles));
}

TEST_F(StateFileTest, LeavesTheFileOfAnotherProgramAlone) {
  Fill();
  ASSERT_TRUE(Open()->Connect()->Execute("PRAGMA application_id = 7").ok());
  const auto refused = Open();
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(), HasSubstr("belongs to another program"));
  EXPECT_THAT(Damaged(), IsEmpty());
}

TEST_F(StateFileTest, FindsADirectoryWhenNobodyNamesOne) {
  const auto directory = [](const std::string& variable, const std::string& value) {
    return DefaultDirectory(
        [&](const char* name) { return name == variable ? std::optional(value) : std::nullopt; });
  };
  EXPECT_EQ(directory("STATE_DIRECTORY", "/srv/a"), "/srv/a");
  EXPECT_EQ(directory("STATE_DIRECTORY", "/srv/a:/srv/b"), "/srv/a");
  if (access("/var/lib", W_OK) == 0) {
    EXPECT_EQ(directory("HOME", directory_.path()), "/var/lib/tarsier");
  } else if (access("/var/lib/tarsier", W_OK) != 0) {
    EXPECT_EQ(directory("XDG_STATE_HOME", "/x"), "/x/tarsier");
    EXPECT_EQ(directory("HOME", directory_.path()), directory_.path() + "/.local/state/tarsier");
    EXPECT_EQ(directory("HOME", "/missing"), "");
  }
}

TEST_F(StateFileTest, SaysWhatToDoAboutADirectoryThatCannotBe) {
  ASSERT_TRUE(base::WriteFileAtomically(directory_.path() + "/file", "").ok());
  const auto refused = StateFile::Open(directory_.path() + "/file/state", clock_, logger_);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(), HasSubstr("--storage.path"));
}

}  // namespace
}  // namespace state
