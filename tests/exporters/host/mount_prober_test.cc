#include "exporters/host/mount_prober.h"

#include <cerrno>
#include <csignal>
#include <cstring>

#include <gtest/gtest.h>
#include <unistd.h>

namespace exporters::host {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

base::MonotonicTime In(milliseconds delay) { return std::chrono::steady_clock::now() + delay; }
base::MonotonicTime Soon() { return In(std::chrono::minutes(1)); }

// Runs in the helper. "/hang" never answers, as a dead NFS server.
int FakeStatfs(const char* path, FilesystemUsage* usage) {
  if (std::strcmp(path, "/hang") == 0) {
    for (;;) {
      pause();
    }
  }
  if (std::strcmp(path, "/denied") == 0) {
    return EACCES;
  }
  usage->blocks = std::strlen(path);
  return 0;
}

class MountProberTest : public testing::Test {
 protected:
  static bool Alive(pid_t pid) { return kill(pid, 0) == 0; }
  std::string ErrorOf(const std::string& path, base::MonotonicTime deadline) {
    const auto usage = prober_.Probe(path, true, deadline);
    return usage.ok() ? "" : usage.error().message();
  }

  base::FakeClock clock_;
  MountProber prober_{clock_, FakeStatfs};
};

TEST_F(MountProberTest, LocalMountsNeedNoHelper) {
  const auto usage = prober_.Probe("/local", false, Soon());
  ASSERT_TRUE(usage.ok());
  EXPECT_EQ(usage->blocks, 6U);
  EXPECT_EQ(prober_.helper(), -1);
}

TEST_F(MountProberTest, HelperAnswersAndIsKept) {
  EXPECT_EQ(prober_.Probe("/nfs", true, Soon())->blocks, 4U);
  const pid_t helper = prober_.helper();
  EXPECT_GT(helper, 0);
  EXPECT_EQ(prober_.Probe("/other", true, Soon())->blocks, 6U);
  EXPECT_EQ(prober_.helper(), helper);
}

TEST_F(MountProberTest, ErrorsAreTextsInLowerCase) {
  EXPECT_EQ(ErrorOf("/denied", Soon()), "permission denied");
  EXPECT_EQ(ErrorOf(std::string(5000, 'x'), Soon()), "file name too long");
}

TEST_F(MountProberTest, StuckMountIsGivenUpAtTheDeadlineAndOthersGoOn) {
  EXPECT_TRUE(prober_.Probe("/nfs", true, Soon()).ok());
  const pid_t stuck = prober_.helper();
  EXPECT_EQ(ErrorOf("/hang", In(milliseconds(20))), "mountpoint timeout");
  EXPECT_EQ(prober_.helper(), -1);
  // The killed helper dies in its own time; a new one starts once it is gone.
  base::Result<FilesystemUsage> usage = base::Error("not asked");
  do {
    usage = prober_.Probe("/nfs", true, Soon());
  } while (!usage.ok() && usage.error().message() == MountProber::kTimeoutText &&
           (clock_.Advance(MountProber::kLastRetry), true));
  EXPECT_TRUE(usage.ok());
  EXPECT_FALSE(Alive(stuck));
}

TEST_F(MountProberTest, StuckMountIsAskedAgainLaterAndLater) {
  const auto took = [this] {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(ErrorOf("/hang", In(milliseconds(30))), "mountpoint timeout");
    return std::chrono::steady_clock::now() - start;
  };
  EXPECT_GE(took(), milliseconds(30));
  EXPECT_LT(took(), milliseconds(30)) << "not asked while it is known to be stuck";
  clock_.Advance(MountProber::kFirstRetry);
  EXPECT_EQ(ErrorOf("/hang", In(milliseconds(1))), "mountpoint timeout");
  clock_.Advance(MountProber::kFirstRetry);
  EXPECT_LT(took(), milliseconds(30)) << "the wait has doubled";
}

TEST_F(MountProberTest, HelperEndsWithItsOwner) {
  pid_t helper = -1;
  {
    MountProber prober(clock_, FakeStatfs);
    EXPECT_TRUE(prober.Probe("/nfs", true, Soon()).ok());
    helper = prober.helper();
    EXPECT_TRUE(Alive(helper));
  }
  EXPECT_FALSE(Alive(helper));
}

TEST_F(MountProberTest, HelperThatWasKilledIsReplaced) {
  EXPECT_TRUE(prober_.Probe("/nfs", true, Soon()).ok());
  kill(prober_.helper(), SIGKILL);
  while (!prober_.Probe("/nfs", true, Soon()).ok()) {
    clock_.Advance(MountProber::kLastRetry);
  }
  EXPECT_GT(prober_.helper(), 0);
}

TEST(MayHang, KnowsWhatDependsOnOthers) {
  for (const char* type :
       {"nfs", "nfs4", "cifs", "fuse.sshfs", "9p", "ceph", "fuseblk", "virtiofs"}) {
    EXPECT_TRUE(MayHang(type)) << type;
  }
  for (const char* type : {"ext4", "xfs", "tmpfs", "btrfs", "zfs", "vfat", "fusectl"}) {
    EXPECT_FALSE(MayHang(type)) << type;
  }
}

TEST(SystemStatfs, AnswersForTheRoot) {
  FilesystemUsage usage;
  EXPECT_EQ(SystemStatfs("/", &usage), 0);
  EXPECT_GT(usage.block_size, 0U);
  EXPECT_EQ(SystemStatfs("/no/such/path", &usage), ENOENT);
}

}  // namespace
}  // namespace exporters::host
