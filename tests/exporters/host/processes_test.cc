#include "exporters/host/processes.h"

#include <cstdlib>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/base/file.h"

namespace exporters::host {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

base::MonotonicTime Soon() { return std::chrono::steady_clock::now() + std::chrono::minutes(1); }

TEST(ParseProcessStat, NamesMayHoldParenthesesAndSpaces) {
  const auto stat = ParseProcessStat(
      "7 (a) b (c) S 1 7 7 0 -1 4194560 100 0 5 0 250 50 0 0 20 0 3 0 98765 8192000 25 1\n");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->name, "a) b (c");
  EXPECT_EQ(stat->state, 'S');
  EXPECT_FALSE(stat->kernel_thread);
  EXPECT_EQ(stat->minor_faults, 100U);
  EXPECT_EQ(stat->major_faults, 5U);
  EXPECT_EQ(stat->user_ticks, 250U);
  EXPECT_EQ(stat->system_ticks, 50U);
  EXPECT_EQ(stat->threads, 3U);
  EXPECT_EQ(stat->start_ticks, 98765U);
  EXPECT_EQ(stat->virtual_bytes, 8192000U);
  EXPECT_EQ(stat->resident_pages, 25U);
  EXPECT_TRUE(ParseProcessStat("2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 1 0 0")
                  ->kernel_thread);
  for (const char* const bad : {"", "7", "7 (x", "7 (x) S 1 2", ") ( S 1"}) {
    EXPECT_FALSE(ParseProcessStat(bad)) << bad;
  }
}

TEST(ParseProcessStatus, MissingLinesAreNoNumbers) {
  const ProcessStatus status = ParseProcessStatus(
      "Name:\tx\nVmSwap:\t    8 kB\nvoluntary_ctxt_switches:\t5\nnonvoluntary_ctxt_switches:\t6\n");
  EXPECT_EQ(status.swapped_bytes, 8192U);
  EXPECT_EQ(status.voluntary_switches, 5U);
  EXPECT_EQ(status.involuntary_switches, 6U);
  EXPECT_EQ(ParseProcessStatus("Name: kthreadd\n").swapped_bytes, std::nullopt);
  EXPECT_EQ(ParseProcessIo("rchar: 1\nread_bytes: 2\nwrite_bytes: 3\ncancelled_write_bytes: 4\n")
                ->written_bytes,
            3U);
  EXPECT_FALSE(ParseProcessIo("rchar: 1\n"));
  EXPECT_EQ(ParseOpenFilesLimit("Max open files            1024                 4096     files\n"),
            1024U);
  EXPECT_EQ(ParseOpenFilesLimit("Max open files            unlimited            x     files\n"),
            std::nullopt);
}

TEST(UnitOfProcess, IsTheUnitOrTheContainer) {
  const std::string id(64, 'a');
  EXPECT_EQ(UnitOfProcess("0::/system.slice/nginx.service\n"), "nginx.service");
  EXPECT_EQ(UnitOfProcess("0::/system.slice/nginx.service/worker\n"), "nginx.service");
  EXPECT_EQ(UnitOfProcess("5:pids:/docker/" + id + "\n0::/\n"), id.substr(0, 12));
  EXPECT_EQ(UnitOfProcess("2:name=systemd:/user.slice/session-1.scope\n1:cpu:/\n"),
            "session-1.scope");
  EXPECT_EQ(UnitOfProcess(""), "-");
  EXPECT_EQ(UnitOfProcess("0::no/slash\n1:a:b\n::"), "-");
  EXPECT_EQ(CgroupOfProcess("0::/a/b\n"), "/a/b");
  EXPECT_EQ(CgroupOfProcess("nonsense\n"), "/");
}

class ProcessGroupsTest : public testing::Test {
 protected:
  ProcessGroupsTest() {
    std::string pattern = testing::TempDir() + "/processes_test.XXXXXX";
    root_ = mkdtemp(pattern.data());
  }
  ~ProcessGroupsTest() override { fs::remove_all(root_); }

  void Run(int id, const std::string& name, int user_ticks, int pages, int start = 5) const {
    const std::string folder = root_ + "/" + std::to_string(id);
    fs::create_directories(folder);
    const std::string number = std::to_string(id);
    ASSERT_TRUE(base::WriteFileAtomically(
                    folder + "/stat", number + " (" + name + ") R 1 1 1 0 -1 4194560 0 0 0 0 " +
                                          std::to_string(user_ticks) + " 0 0 0 20 0 2 0 " +
                                          std::to_string(start) + " 4096 " + std::to_string(pages) +
                                          " 1\n")
                    .ok());
    ASSERT_TRUE(
        base::WriteFileAtomically(folder + "/status", "voluntary_ctxt_switches:\t1\n").ok());
  }
  void End(int id) const { fs::remove_all(root_ + "/" + std::to_string(id)); }

  // A file system of a new Files: it remembers nothing of the last look.
  std::map<std::string, ProcessGroup> Update(ProcessGroups& groups) const {
    Files proc(root_);
    return groups.Update(proc, Soon());
  }

  static uint64_t User(const ProcessGroup& group) {
    return group.counters[static_cast<size_t>(ProcessCounter::kUser)];
  }

  std::string root_;
};

TEST_F(ProcessGroupsTest, CountersGoOnWhenProcessesEnd) {
  ProcessGroups groups(ProcessGrouping::kName, 10);
  Run(1, "php", 100, 10);
  Run(2, "php", 50, 10);
  auto now = Update(groups);
  EXPECT_EQ(User(now.at("php")), 0U) << "what was there before counts from now on";
  EXPECT_EQ(now.at("php").processes, 2U);
  EXPECT_EQ(now.at("php").threads, 4U);
  EXPECT_EQ(now.at("php").states[0], 2U);
  Run(1, "php", 130, 10);
  End(2);
  Run(3, "php", 7, 10, 99);
  now = Update(groups);
  EXPECT_EQ(User(now.at("php")), 37U);
  End(1);
  End(3);
  now = Update(groups);
  EXPECT_EQ(User(now.at("php")), 37U);
  EXPECT_EQ(now.at("php").processes, 0U);
}

TEST_F(ProcessGroupsTest, IdThatIsUsedAgainIsAnotherProcess) {
  ProcessGroups groups(ProcessGrouping::kName, 10);
  Run(1, "a", 100, 10, 5);
  Update(groups);
  Run(1, "b", 3, 10, 900);
  const auto now = Update(groups);
  EXPECT_EQ(User(now.at("b")), 3U);
  EXPECT_EQ(User(now.at("a")), 0U);
}

TEST_F(ProcessGroupsTest, RestIsExactlyInOther) {
  ProcessGroups groups(ProcessGrouping::kName, 2);
  for (int i = 1; i <= 6; ++i) {
    Run(i, "p" + std::to_string(i), 0, i * 100);
  }
  auto now = Update(groups);
  std::vector<std::string> names;
  uint64_t processes = 0;
  for (const auto& [name, group] : now) {
    names.push_back(name);
    processes += group.processes;
  }
  EXPECT_THAT(names, UnorderedElementsAre("p5", "p6", "other"));
  EXPECT_EQ(processes, 6U);
  for (int i = 1; i <= 6; ++i) {
    Run(i, "p" + std::to_string(i), 10, i * 100);
  }
  now = Update(groups);
  EXPECT_EQ(User(now.at("other")), 40U);
  EXPECT_EQ(User(now.at("p6")), 10U);
  // One that uses far more takes the place of another, whose growth is in the rest from then on.
  Run(1, "p1", 10, 100000);
  now = Update(groups);
  EXPECT_EQ(now.count("p1"), 1U);
  EXPECT_EQ(now.count("p5"), 0U);
  EXPECT_EQ(User(now.at("other")), 40U);
}

TEST_F(ProcessGroupsTest, ProcessThatCannotBeReadIsCounted) {
  ProcessGroups groups(ProcessGrouping::kName, 2);
  fs::create_directories(root_ + "/77");
  EXPECT_TRUE(Update(groups).empty());
  EXPECT_EQ(groups.read_errors(), 1U);
}

}  // namespace
}  // namespace exporters::host
