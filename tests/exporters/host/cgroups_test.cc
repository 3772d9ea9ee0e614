#include "exporters/host/cgroups.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporters/host/container_names.h"
#include "lib/base/file.h"

namespace exporters::host {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

const std::string kId(64, 'a');
const std::string kOtherId = std::string(63, 'b') + "0";

TEST(ClassifyCgroup, KnowsContainersServicesAndHelpers) {
  const auto check = [](const std::string& path, CgroupKind kind, const std::string& id,
                        const std::string& name, bool kubernetes = false) {
    const CgroupName found = ClassifyCgroup(path);
    EXPECT_EQ(found.kind, kind) << path;
    EXPECT_EQ(found.container_id, id) << path;
    EXPECT_EQ(found.name, name) << path;
    EXPECT_EQ(found.kubernetes, kubernetes) << path;
  };
  const auto container = CgroupKind::kContainer;
  check("/system.slice/docker-" + kId + ".scope", container, kId, "");
  check("/docker/" + kId, container, kId, "");
  check("/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" + kId + ".scope",
        container, kId, "");
  check("/machine.slice/libpod-" + kId + ".scope", container, kId, "");
  check("/libpod_parent/libpod-" + kId, container, kId, "");
  check(
      "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice/"
      "cri-containerd-" +
          kId + ".scope",
      container, kId, "", true);
  check("/kubepods/besteffort/pod1-2/" + kId, container, kId, "", true);
  check("/lxc.payload.web", container, "", "web");
  check("/lxc/web", container, "", "web");
  check(R"(/machine.slice/machine-qemu\x2d1\x2dvm.scope)", container, "", "qemu-1-vm");
  check("/machine.slice/systemd-nspawn@web.service", container, "", "web");
  check("/system.slice/nginx.service", CgroupKind::kService, "", "nginx.service");
  check(R"(/system.slice/a\x2db.service)", CgroupKind::kService, "", "a-b.service");
  check("/user.slice/user-1000.slice/user@1000.service", CgroupKind::kInner, "", "");
  check("/system.slice", CgroupKind::kInner, "", "");
  check("/docker", CgroupKind::kInner, "", "");
  check("/machine.slice/libpod-conmon-" + kId + ".scope", CgroupKind::kIgnored, "", "");
  check("/libpod_parent/conmon", CgroupKind::kIgnored, "", "");
  for (const char* const ignored :
       {"/init.scope", "/user.slice/session-3.scope", "/system.slice/run-u4.scope",
        "/system.slice/dev-sda1.swap", "/system.slice/tmp.mount", "/system.slice/ssh.socket"}) {
    check(ignored, CgroupKind::kIgnored, "", "");
  }
  check(R"(/machine.slice/machine-bad\xzz.scope)", container, "", R"(bad\xzz)");
  check("/short-docker-aaaa", CgroupKind::kInner, "", "");
}

TEST(ParseIoStat, LinesThatAreNoneAreLeftOut) {
  const auto devices = ParseIoStat(
      "254:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n"
      "7:1 \n"
      "nonsense\n"
      "8:x rbytes=1\n"
      "8:16 rbytes=9 cost.usage=7 wbytes=oops\n");
  ASSERT_EQ(devices.size(), 2U);
  EXPECT_EQ(devices[0].major, 254U);
  EXPECT_EQ(devices[0].written_bytes, 2U);
  EXPECT_EQ(devices[0].discards, 6U);
  EXPECT_EQ(devices[1].minor, 16U);
  EXPECT_EQ(devices[1].read_bytes, 9U);
  EXPECT_EQ(devices[1].written_bytes, 0U);
}

TEST(ParseBlkio, MergesBytesAndOperations) {
  std::vector<CgroupDevice> devices;
  ParseBlkio("8:0 Read 10\n8:0 Write 20\n8:0 Sync 5\n8:0 Total 30\nTotal 30\n", true, &devices);
  ParseBlkio("8:0 Read 1\n8:0 Write 2\n8:16 Read 3\nTotal 6\n", false, &devices);
  ASSERT_EQ(devices.size(), 2U);
  EXPECT_EQ(devices[0].read_bytes, 10U);
  EXPECT_EQ(devices[0].writes, 2U);
  EXPECT_EQ(devices[1].reads, 3U);
}

TEST(ContainerNames, DockerConfigMayBeAnything) {
  EXPECT_EQ(ParseDockerConfig(R"({"Name":"/web","Config":{"Image":"nginx:1"}})"),
            (ContainerIdentity{.name = "web", .image = "nginx:1"}));
  for (const char* const bad : {"", "{", "[]", "null", R"({"Name":5,"Config":[]})"}) {
    EXPECT_EQ(ParseDockerConfig(bad), ContainerIdentity{}) << bad;
  }
}

TEST(ContainerNames, PodmanListsNamesAndImages) {
  const auto found = ParsePodmanContainers(
      R"([{"id":"x","names":["web"],"metadata":"{\"image-name\":\"docker.io/nginx\"}"},
          {"id":"y","names":[]},{"id":"z"},5,{"names":["n"]},{"id":"w","names":["w"],"metadata":"{"}])");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found.at("x"), (ContainerIdentity{.name = "web", .image = "docker.io/nginx"}));
  EXPECT_EQ(found.at("w").name, "w");
  EXPECT_THAT(ParsePodmanContainers("{}"), IsEmpty());
}

TEST(ContainerNames, MonitorsAndLogLinksTellNames) {
  std::map<std::string, ContainerIdentity, std::less<>> found;
  ParseConmonArguments(std::string("conmon\0-c\0", 10) + kId + std::string("\0-n\0web\0", 8),
                       &found);
  ParseConmonArguments("conmon -c short -n web", &found);
  ParseKubernetesLogName("pod-1_shop_cart-" + kOtherId + ".log", &found);
  for (const std::string& bad :
       {std::string(), std::string(".log"), kOtherId + ".log", "a_b_c" + kOtherId + ".log"}) {
    ParseKubernetesLogName(bad, &found);
  }
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found.at(kId).name, "web");
  EXPECT_EQ(found.at(kOtherId),
            (ContainerIdentity{
                .name = kOtherId, .container = "cart", .pod = "pod-1", .pod_namespace = "shop"}));
}

class CgroupsTest : public testing::Test {
 protected:
  CgroupsTest() {
    std::string pattern = testing::TempDir() + "/cgroups_test.XXXXXX";
    root_ = mkdtemp(pattern.data());
  }
  ~CgroupsTest() override { fs::remove_all(root_); }

  void Write(const std::string& path, std::string_view text) const {
    fs::create_directories(fs::path(root_ + "/" + path).parent_path());
    ASSERT_TRUE(base::WriteFileAtomically(root_ + "/" + path, text).ok());
  }

  std::string root_;
};

TEST_F(CgroupsTest, VersionTwoIsOneTree) {
  const std::string path = "/system.slice/docker-" + kId + ".scope";
  Write("cgroup.controllers", "cpu memory\n");
  Write(path.substr(1) + "/cpu.stat",
        "usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\nnr_periods 10\nnr_throttled "
        "3\nthrottled_usec 40000\n");
  Write(path.substr(1) + "/memory.current", "1000\n");
  Write(path.substr(1) + "/memory.stat", "anon 600\nfile 300\ninactive_file 200\n");
  Write(path.substr(1) + "/memory.events", "low 0\nhigh 1\nmax 2\noom 3\noom_kill 4\n");
  Write(path.substr(1) + "/memory.max", "max\n");
  Write(path.substr(1) + "/cpu.max", "50000 100000\n");
  Write(path.substr(1) + "/cpu.weight", "100\n");
  Write(path.substr(1) + "/cpu.pressure",
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\n"
        "full avg10=0.00 avg60=0.00 avg300=0.00 total=500000\n");
  Write(path.substr(1) + "/io.stat", "8:0 rbytes=512 wbytes=0 rios=1 wios=0 dbytes=0 dios=0\n");
  Write(path.substr(1) + "/container/cgroup.procs", "7\n0\n9\n");
  Cgroups groups(root_, 100);
  const auto list = groups.List();
  ASSERT_TRUE(list.ok());
  std::vector<std::string> paths;
  for (const Cgroup& group : *list) {
    paths.push_back(group.path);
  }
  EXPECT_THAT(paths, ElementsAre("/system.slice", path));

  CgroupStats stats;
  groups.ReadFigures(path, &stats);
  groups.ReadLimits(path, &stats);
  EXPECT_EQ(stats.Get(CgroupStat::kCpuUsage), 2.5);
  EXPECT_EQ(stats.Get(CgroupStat::kCpuThrottled), 0.04);
  EXPECT_EQ(stats.Get(CgroupStat::kMemoryRss), 600);
  EXPECT_EQ(stats.Get(CgroupStat::kOomKills), 4);
  EXPECT_EQ(stats.Get(CgroupStat::kCpuStalled), 0.5);
  EXPECT_EQ(stats.Get(CgroupStat::kMemoryLimit), 0);
  EXPECT_EQ(stats.Get(CgroupStat::kCpuQuota), 50000);
  EXPECT_NEAR(*stats.Get(CgroupStat::kCpuShares), 2597.5, 1);
  EXPECT_EQ(stats.Get(CgroupStat::kMemorySwap), std::nullopt);
  EXPECT_EQ(groups.ReadDevices(path).at(0).read_bytes, 512U);
  EXPECT_THAT(groups.ReadProcesses(path), ElementsAre(7U, 9U));
  EXPECT_EQ(groups.ReadOomKills(path), 4);
  EXPECT_GT(groups.kept(), 0U);
  groups.Forget(path);
  EXPECT_EQ(groups.kept(), 0U);
}

TEST_F(CgroupsTest, VersionOneHasATreePerController) {
  const std::string path = "/docker/" + kId;
  Write("memory" + path + "/memory.usage_in_bytes", "1000\n");
  Write("memory" + path + "/memory.limit_in_bytes", "9223372036854771712\n");
  Write("memory" + path + "/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
  Write("memory" + path + "/cgroup.procs", "7\n");
  Write("cpu,cpuacct" + path + "/cpuacct.usage", "1500000000\n");
  Write("cpu,cpuacct" + path + "/cpu.cfs_quota_us", "-1\n");
  Write("blkio" + path + "/blkio.throttle.io_serviced_recursive", "8:0 Write 6\n");
  Write("unified" + path + "/io.pressure", "some avg10=0 avg60=0 avg300=0 total=2000000\n");
  Cgroups groups(root_, 100);
  ASSERT_TRUE(groups.List().ok());
  CgroupStats stats;
  groups.ReadFigures(path, &stats);
  groups.ReadLimits(path, &stats);
  EXPECT_EQ(stats.Get(CgroupStat::kCpuUsage), 1.5);
  EXPECT_EQ(stats.Get(CgroupStat::kMemoryUsage), 1000);
  EXPECT_EQ(stats.Get(CgroupStat::kMemoryLimit), 0);
  EXPECT_EQ(stats.Get(CgroupStat::kOomKills), 2);
  EXPECT_EQ(stats.Get(CgroupStat::kCpuQuota), 0);
  EXPECT_EQ(stats.Get(CgroupStat::kIoWaiting), 2);
  EXPECT_EQ(groups.ReadDevices(path).at(0).writes, 6U);
  EXPECT_THAT(groups.ReadProcesses(path), ElementsAre(7U));
}

TEST_F(CgroupsTest, WithoutControlGroupsThereIsNothing) {
  const auto list = Cgroups(root_, 10).List();
  ASSERT_FALSE(list.ok());
  EXPECT_EQ(list.error().kind(), base::ErrorKind::kNotFound);
}

}  // namespace
}  // namespace exporters::host
