#include "agent/discovery/local.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <string>

#include <gtest/gtest.h>

namespace discovery {
namespace {

class LocalTest : public testing::Test {
 protected:
  LocalTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "local_XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    std::filesystem::create_directories(folder_ + "/net");
  }
  ~LocalTest() override { std::filesystem::remove_all(folder_); }
  LocalTest(const LocalTest&) = delete;
  LocalTest& operator=(const LocalTest&) = delete;

  // Ports (hexadecimal) and inodes of what listens.
  void Listen(const std::map<std::string, int>& sockets) const {
    std::ofstream file(folder_ + "/net/tcp");
    for (const auto& [port, inode] : sockets) {
      file << "0: 0100007F:" << port << " 00000000:0000 0A 0:0 0:0 0 0 0 " << inode << " 1\n";
    }
  }

  LocalFinder MakeFinder() {
    return LocalFinder({.proc = folder_,
                        .socket_patterns = {},
                        .own_ports = {0x2387},
                        .probe = [this](const Listener& listener) -> std::optional<ServerKind> {
                          const std::lock_guard<std::mutex> lock(mutex_);
                          ++asked_[listener.port];
                          const auto found = kinds_.find(listener.port);
                          return found == kinds_.end() ? std::nullopt
                                                       : std::optional(found->second);
                        }});
  }

  std::string folder_;
  std::mutex mutex_;
  std::map<int, ServerKind> kinds_ = {{0x1538, ServerKind::kPostgres},
                                      {0x18EB, ServerKind::kRedis}};
  std::map<int, int> asked_;
};

TEST_F(LocalTest, FindsServersAndAsksEachOnce) {
  Listen({{"1538", 1}, {"18EB", 2}});
  LocalFinder finder = MakeFinder();
  for (int i = 0; i < 5; ++i) {
    const auto found = finder.Find();
    ASSERT_TRUE(found.ok());
    ASSERT_EQ(found->size(), 2U);
    EXPECT_EQ((*found)[0].kind, ServerKind::kPostgres);
    EXPECT_EQ((*found)[1].kind, ServerKind::kRedis);
  }
  EXPECT_EQ(asked_[0x1538], 1);
  EXPECT_EQ(asked_[0x18EB], 1);
}

TEST_F(LocalTest, AServerThatStartsLaterIsFoundAndAStoppedOneIsNot) {
  Listen({{"1538", 1}});
  LocalFinder finder = MakeFinder();
  EXPECT_EQ(finder.Find()->size(), 1U);
  Listen({{"1538", 1}, {"18EB", 2}});
  EXPECT_EQ(finder.Find()->size(), 2U);
  Listen({{"18EB", 2}});
  EXPECT_EQ(finder.Find()->size(), 1U);
}

TEST_F(LocalTest, AnotherListenerAtTheSamePortIsAskedAgain) {
  Listen({{"1538", 1}});
  LocalFinder finder = MakeFinder();
  EXPECT_EQ(finder.Find()->at(0).kind, ServerKind::kPostgres);
  kinds_[0x1538] = ServerKind::kPgbouncer;
  Listen({{"1538", 7}});
  EXPECT_EQ(finder.Find()->at(0).kind, ServerKind::kPgbouncer);
}

TEST_F(LocalTest, StrangersAreAskedAFewTimesOnlyAndWeNever) {
  Listen({{"0050", 1}, {"2387", 2}});
  LocalFinder finder = MakeFinder();
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(finder.Find()->empty());
  }
  EXPECT_EQ(asked_[0x50], kMaxAsks);
  EXPECT_EQ(asked_[0x2387], 0);
}

TEST_F(LocalTest, WithoutProcThereIsAnError) {
  LocalFinder finder({.proc = folder_ + "/nowhere", .socket_patterns = {}});
  EXPECT_FALSE(finder.Find().ok());
}

}  // namespace
}  // namespace discovery
