#include "agent/local_servers.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/server_kinds.h"
#include "lib/base/file.h"

namespace agent {
namespace {

using discovery::ServerKind;

// Discovery is told what is where; the exporters are real and find nobody there.
class LocalServersTest : public testing::Test {
 protected:
  LocalServersTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "servers_XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    std::filesystem::create_directories(folder_ + "/net");
    Listen({});
  }
  ~LocalServersTest() override { std::filesystem::remove_all(folder_); }
  LocalServersTest(const LocalServersTest&) = delete;
  LocalServersTest& operator=(const LocalServersTest&) = delete;

  // Port (hexadecimal) to inode.
  void Listen(const std::map<std::string, int>& sockets) const {
    std::ofstream file(folder_ + "/net/tcp");
    for (const auto& [port, inode] : sockets) {
      file << "0: 0100007F:" << port << " 00000000:0000 0A 0:0 0:0 0 0 0 " << inode << " 1\n";
    }
  }

  LocalServers Make() {
    LocalServersOptions options{.host_name = "db7", .environment = [this](const char* name) {
                                  const auto found = environment_.find(name);
                                  return found == environment_.end()
                                             ? std::nullopt
                                             : std::optional<std::string>(found->second);
                                }};
    options.discovery.proc = folder_;
    options.discovery.socket_patterns = {};
    options.discovery.probe = [this](const discovery::Listener& listener) {
      const auto found = kinds_.find(listener.port);
      return found == kinds_.end() ? std::nullopt : std::optional(found->second);
    };
    return LocalServers(std::move(options), clock_, logger_);
  }

  static bool Says(const LocalServers& servers, std::string_view text) {
    const std::vector<std::string> lines = servers.Describe();
    return std::any_of(lines.begin(), lines.end(), [text](const std::string& line) {
      return line.find(text) != std::string::npos;
    });
  }

  std::string folder_;
  std::map<std::string, std::string> environment_;
  std::map<int, ServerKind> kinds_ = {
      {1, ServerKind::kPostgres}, {2, ServerKind::kRedis}, {3, ServerKind::kPgbouncer}};
  base::RealClock clock_;
  base::Logger logger_{base::LogLevel::kError, base::LogFormat::kLogfmt, [](std::string_view) {}};
};

TEST_F(LocalServersTest, SaysWhatIsNotThere) {
  LocalServers servers = Make();
  EXPECT_FALSE(servers.Refresh());
  EXPECT_TRUE(Says(servers, "PostgreSQL: none found"));
  EXPECT_TRUE(Says(servers, "Redis: none found"));
  EXPECT_TRUE(Says(servers, "PgBouncer: none found"));
  EXPECT_TRUE(servers.Jobs({}).empty());
}

TEST_F(LocalServersTest, AServerThatLetsNobodyInIsNoTargetAndSaysWhatToSet) {
  Listen({{"0001", 1}, {"0002", 2}, {"0003", 3}});
  LocalServers servers = Make();
  EXPECT_FALSE(servers.Refresh());
  EXPECT_TRUE(servers.Jobs({}).empty());
  EXPECT_TRUE(Says(servers, "PostgreSQL at 127.0.0.1:1: found but NOT watched"));
  EXPECT_TRUE(Says(servers, "(refused): set DATA_SOURCE_NAME"));
  EXPECT_TRUE(Says(servers, "(refused): set REDIS_PASSWORD"));
  EXPECT_TRUE(Says(servers, "(refused): set PGBOUNCER_EXPORTER_CONNECTION_STRING"));
}

TEST_F(LocalServersTest, ServersOfTheEnvironmentAreTargetsEvenWhenTheyAreDown) {
  environment_ = {{"DATA_SOURCE_NAME", "postgresql://u:hunter2@127.0.0.1:1/postgres"},
                  {"REDIS_ADDR", "redis://:hunter2@127.0.0.1:2"},
                  {"PGBOUNCER_EXPORTER_CONNECTION_STRING",
                   "postgres://u:hunter2@127.0.0.1:3/pgbouncer?sslmode=disable"}};
  Listen({{"0001", 1}, {"0002", 2}, {"0003", 3}});  // The same ones are found, and not twice.
  LocalServers servers = Make();
  EXPECT_FALSE(servers.Refresh());
  scrape::JobOptions defaults;
  defaults.interval = std::chrono::seconds(7);
  const auto jobs = servers.Jobs(defaults);
  ASSERT_EQ(jobs.size(), 3U);
  for (const scrape::Job& job : jobs) {
    EXPECT_EQ(job.options.interval, std::chrono::seconds(7));
    ASSERT_EQ(job.locals.size(), 1U) << job.options.name;
  }
  EXPECT_EQ(jobs[0].options.name, "postgres");
  EXPECT_EQ(jobs[0].locals[0].address, "127.0.0.1:1");
  EXPECT_FALSE(Says(servers, "NOT watched"));
  EXPECT_FALSE(Says(servers, "hunter2"));
  EXPECT_TRUE(Says(servers, "named by DATA_SOURCE_NAME"));
}

TEST_F(LocalServersTest, ABadVariableIsNamedAndItsValueIsNot) {
  environment_ = {{"DATA_SOURCE_NAME", "postgresql://u:hunter2@[broken"},
                  {"REDIS_ADDR", "ftp://:hunter2@x"}};
  LocalServers servers = Make();
  EXPECT_TRUE(Says(servers, "PostgreSQL: DATA_SOURCE_NAME: "));
  EXPECT_TRUE(Says(servers, "Redis: REDIS_ADDR: "));
  EXPECT_FALSE(Says(servers, "hunter2"));
}

TEST(MaySeePasswords, RootSystemAccountsAndWeOurselves) {
  EXPECT_TRUE(MaySeePasswords({.uid = 0}));
  EXPECT_TRUE(MaySeePasswords({.uid = 104}));
  EXPECT_TRUE(MaySeePasswords({.uid = geteuid()}));
  EXPECT_FALSE(MaySeePasswords({.uid = geteuid() == 4321 ? 4322U : 4321U}));
}

// A listener of another user asks for a password, as a real server may, and must get none.
TEST(MaySeePasswords, OthersGetNone) {
  const auto environment = [](const char* name) {
    return std::string_view(name) == "REDIS_PASSWORD" ? std::optional<std::string>("hunter2")
                                                      : std::nullopt;
  };
  const base::UniqueFd listening(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  ASSERT_EQ(bind(listening.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(listen(listening.get(), 4), 0);
  ASSERT_EQ(getsockname(listening.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
  const base::Logger logger(base::LogLevel::kError, base::LogFormat::kLogfmt,
                            [](std::string_view) {});
  for (const bool trusted : {true, false}) {
    const auto made =
        FindRow(ServerKind::kRedis)
            ->make({.listener = {.host = "127.0.0.1", .port = ntohs(address.sin_port)},
                    .may_see_passwords = trusted},
                   environment, logger);
    ASSERT_TRUE(made.ok());
    std::thread scrape([&made] {
      static_cast<void>(
          made->exporter
              ->Collect({.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10)})
              .ok());
    });
    std::string seen;
    {
      const base::UniqueFd client(accept(listening.get(), nullptr, nullptr));
      std::array<char, 4096> buffer{};
      const ssize_t got = recv(client.get(), buffer.data(), buffer.size(), 0);
      seen.assign(buffer.data(), static_cast<size_t>(std::max<ssize_t>(got, 0)));
    }
    scrape.join();
    EXPECT_FALSE(seen.empty());
    EXPECT_EQ(seen.find("hunter2") != std::string::npos, trusted) << seen;
  }
}

TEST_F(LocalServersTest, WithoutProcItSaysSo) {
  std::filesystem::remove_all(folder_ + "/net");
  LocalServers servers = Make();
  EXPECT_FALSE(servers.Refresh());
  EXPECT_TRUE(Says(servers, "listening ports cannot be read"));
}

}  // namespace
}  // namespace agent
