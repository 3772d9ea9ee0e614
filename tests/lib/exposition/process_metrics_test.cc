#include "lib/exposition/process_metrics.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

namespace exposition {
namespace {

std::map<std::string, double> Values(const std::vector<model::MetricFamily>& families) {
  std::map<std::string, double> values;
  for (const model::MetricFamily& family : families) {
    values[std::string(family.desc->name)] = family.metrics.at(0).value;
  }
  return values;
}

class FakeProc : public testing::Test {
 public:
  FakeProc() {
    char path[] = "/tmp/tarsier_proc_XXXXXX";
    root_ = mkdtemp(path);
    std::filesystem::create_directories(root_ + "/self/fd");
  }
  ~FakeProc() override { std::filesystem::remove_all(root_); }

 protected:
  void Write(const std::string& name, const std::string& content) const {
    std::ofstream(root_ + "/" + name) << content;
  }

  std::string root_;
};

TEST(CollectProcessMetrics, DescribesThisProcess) {
  const auto values = Values(CollectProcessMetrics());
  ASSERT_EQ(values.size(), 7U);
  const auto now =
      static_cast<double>(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()));
  EXPECT_GE(values.at("process_cpu_seconds_total"), 0);
  EXPECT_GE(values.at("process_open_fds"), 3);
  EXPECT_LE(values.at("process_open_fds"), values.at("process_max_fds"));
  EXPECT_GT(values.at("process_resident_memory_bytes"), 100000);
  EXPECT_GT(values.at("process_virtual_memory_bytes"), values.at("process_resident_memory_bytes"));
  EXPECT_NEAR(values.at("process_start_time_seconds"), now, 120);
}

TEST(CollectProcessMetrics, CountsADescriptorThatIsOpened) {
  const double before = Values(CollectProcessMetrics()).at("process_open_fds");
  const std::ifstream file("/proc/self/stat");
  EXPECT_EQ(Values(CollectProcessMetrics()).at("process_open_fds"), before + 1);
}

TEST_F(FakeProc, ReadsNumbersBehindACommandWithSpacesAndParentheses) {
  Write("self/stat",
        "42 (a) b (c) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 1 0 1000 8192000 25 "
        "18446744073709551615 1 1\n");
  Write("self/limits",
        "Limit                     Soft Limit           Hard Limit           Units     \n"
        "Max open files            1024                 524288               files     \n"
        "Max address space         unlimited            unlimited            bytes     \n");
  Write("stat", "cpu  1 2 3\nbtime 1700000000\nprocesses 5\n");
  const auto values = Values(CollectProcessMetrics(root_));
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  EXPECT_EQ(values.at("process_cpu_seconds_total"), 300 / ticks);
  EXPECT_EQ(values.at("process_max_fds"), 1024);
  EXPECT_EQ(values.at("process_resident_memory_bytes"),
            25 * static_cast<double>(sysconf(_SC_PAGESIZE)));
  EXPECT_EQ(values.at("process_start_time_seconds"), 1700000000 + 1000 / ticks);
  EXPECT_EQ(values.at("process_virtual_memory_bytes"), 8192000);
  EXPECT_EQ(values.at("process_virtual_memory_max_bytes"), 18446744073709551615.0);
}

TEST_F(FakeProc, ReadsAnotherProcessByItsId) {
  std::filesystem::create_directories(root_ + "/42/fd");
  Write("42/fd/0", "");
  Write("42/fd/1", "");
  Write("42/limits",
        "Max open files            1024                 524288               files     \n");
  const auto values = Values(CollectProcessMetrics(root_, "42"));
  EXPECT_EQ(values.at("process_max_fds"), 1024);
  EXPECT_EQ(values.at("process_open_fds"), 2);
}

TEST_F(FakeProc, LeavesOutWhatItCannotRead) {
  EXPECT_EQ(CollectProcessMetrics(root_ + "/absent").size(), 0U);
  for (const char* const stat :
       {"", "42", "42 (x", "42 (x) S 1 2", "no parenthesis at all 1 2 3"}) {
    Write("self/stat", stat);
    EXPECT_EQ(Values(CollectProcessMetrics(root_)).count("process_cpu_seconds_total"), 0U) << stat;
  }
}

}  // namespace
}  // namespace exposition
