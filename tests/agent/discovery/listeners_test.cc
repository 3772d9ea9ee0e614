#include "agent/discovery/listeners.h"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lib/base/file.h"

namespace discovery {
namespace {

constexpr std::string_view kHeader =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n";

std::string Line(std::string_view local, std::string_view state, std::string_view inode) {
  return "   0: " + std::string(local) + " 00000000:0000 " + std::string(state) +
         " 00000000:00000000 00:00000000 00000000   104        0 " + std::string(inode) +
         " 1 0000000000000000 100 0 0 10 0\n";
}

class ListenersTest : public testing::Test {
 protected:
  ListenersTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "listeners_XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    std::filesystem::create_directories(folder_ + "/net");
  }
  ~ListenersTest() override { std::filesystem::remove_all(folder_); }
  ListenersTest(const ListenersTest&) = delete;
  ListenersTest& operator=(const ListenersTest&) = delete;

  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name) << text;
  }

  std::string folder_;
};

TEST(ProcNetTcp, ReadsListeningSocketsOnly) {
  const auto listeners = ParseProcNetTcp(
      std::string(kHeader) + Line("0100007F:1538", "0A", "11") + Line("00000000:18EB", "0A", "12") +
      Line("0100007F:1538", "01", "13") + Line("0A00000A:0050", "0A", "14"));
  ASSERT_EQ(listeners.size(), 3U);
  EXPECT_EQ(listeners[0].ToString(), "127.0.0.1:5432");
  EXPECT_EQ(listeners[0].id, 11U);
  EXPECT_EQ(listeners[0].uid, 104U);
  EXPECT_EQ(listeners[1].ToString(), "127.0.0.1:6379") << "a wildcard is dialled on loopback";
  EXPECT_EQ(listeners[2].ToString(), "10.0.0.10:80");
}

TEST(ProcNetTcp, ReadsIpv6) {
  const auto listeners = ParseProcNetTcp(Line("00000000000000000000000001000000:1538", "0A", "1") +
                                         Line("00000000000000000000000000000000:1539", "0A", "2"));
  ASSERT_EQ(listeners.size(), 2U);
  EXPECT_EQ(listeners[0].ToString(), "[::1]:5432");
  EXPECT_EQ(listeners[1].ToString(), "[::1]:5433");
}

TEST(ProcNetTcp, LeavesOutLinesThatDoNotParse) {
  for (const std::string& line :
       {std::string("garbage\n"), Line("0100007F", "0A", "1"), Line("0100007:1538", "0A", "1"),
        Line("0100007G:1538", "0A", "1"), Line("0100007F:0000", "0A", "1"),
        Line("0100007F:FFFFF", "0A", "1"), Line("0100007F:1538", "0A", "x"), std::string("\n")}) {
    EXPECT_TRUE(ParseProcNetTcp(line).empty()) << line;
  }
}

TEST(ProcNetTcp, StopsAtTheLimit) {
  std::string text;
  for (size_t i = 0; i < kMaxListeners + 5; ++i) {
    text += Line("0100007F:1538", "0A", std::to_string(i));
  }
  EXPECT_EQ(ParseProcNetTcp(text).size(), kMaxListeners);
}

TEST_F(ListenersTest, APortIsThereOnceAsNearAsPossible) {
  Write("net/tcp", std::string(kHeader) + Line("0A00000A:1538", "0A", "1") +
                       Line("0100007F:1538", "0A", "2") + Line("0A00000A:0051", "0A", "3"));
  Write("net/tcp6", Line("00000000000000000000000001000000:1538", "0A", "4"));
  const auto listeners = ReadTcpListeners(folder_);
  ASSERT_TRUE(listeners.ok());
  ASSERT_EQ(listeners->size(), 2U);
  EXPECT_EQ((*listeners)[0].ToString(), "10.0.0.10:81");
  EXPECT_EQ((*listeners)[1].ToString(), "127.0.0.1:5432");
}

TEST_F(ListenersTest, WithoutIpv4ThereIsAnErrorWithoutIpv6NotEven) {
  EXPECT_FALSE(ReadTcpListeners(folder_).ok());
  Write("net/tcp", std::string(kHeader));
  EXPECT_TRUE(ReadTcpListeners(folder_)->empty());
}

TEST_F(ListenersTest, FindsSocketsAndNothingElse) {
  const std::string path = folder_ + "/.s.PGSQL.5432";
  const base::UniqueFd fd(socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  ASSERT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  Write(".s.PGSQL.5432.lock", "1\n");
  const auto listeners = FindUnixListeners({folder_ + "/.s.PGSQL.*", folder_ + "/nowhere/*.sock"});
  ASSERT_EQ(listeners.size(), 1U);
  EXPECT_EQ(listeners[0].ToString(), path);
}

}  // namespace
}  // namespace discovery
