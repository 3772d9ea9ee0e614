// The pure parsers: what they read, and what they refuse.
#include "exporters/host/parsers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporters/host/text.h"

namespace exporters::host {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

TEST(NextField, SkipsRunsOfBlanks) {
  std::string_view rest = "  one\t two  ";
  EXPECT_EQ(NextField(&rest), "one");
  EXPECT_EQ(NextField(&rest), "two");
  EXPECT_EQ(NextField(&rest), "");
  EXPECT_EQ(NextField(&rest), "");
}

TEST(NextLine, LastLineNeedsNoNewline) {
  std::string_view rest = "a\n\nb";
  EXPECT_EQ(NextLine(&rest), "a");
  EXPECT_EQ(NextLine(&rest), "");
  EXPECT_EQ(NextLine(&rest), "b");
  EXPECT_TRUE(rest.empty());
}

TEST(ParseNumber, TakesWholeUnsignedFieldsOnly) {
  const auto check = [](std::string_view text, std::optional<uint64_t> expected, int base = 10) {
    EXPECT_EQ(ParseNumber(text, base), expected) << text;
  };
  check("0", 0);
  check("18446744073709551615", UINT64_MAX);
  check("ff", 255, 16);
  check("", std::nullopt);
  check("-1", std::nullopt);
  check("+1", std::nullopt);
  check("1 ", std::nullopt);
  check("1.5", std::nullopt);
  check("18446744073709551616", std::nullopt);
}

TEST(ParseCpuList, ReadsRanges) {
  const auto check = [](std::string_view text, const std::vector<uint32_t>& expected) {
    const auto cpus = ParseCpuList(text);
    ASSERT_TRUE(cpus.ok()) << text;
    EXPECT_EQ(*cpus, expected) << text;
  };
  check("0-3,7\n", {0, 1, 2, 3, 7});
  check("5", {5});
  check("", {});
  check("\n", {});
  for (const std::string_view bad : {"3-1", "x", "0-", "-3", "0,,1", "0-4294967295", "1 2"}) {
    EXPECT_FALSE(ParseCpuList(bad).ok()) << bad;
  }
}

TEST(ParseCpuTimes, ReadsEachCpuAndOldKernelsShorterLines) {
  const auto cpus =
      ParseCpuTimes("cpu  9 9 9 9\ncpu0 1 2 3 4 5 6 7 8 9 10\ncpu2 1 2 3 4\nintr 5\n");
  ASSERT_TRUE(cpus.ok());
  EXPECT_THAT(*cpus, ElementsAre(Pair(0, CpuTimes{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}),
                                 Pair(2, CpuTimes{1, 2, 3, 4})));
}

TEST(ParseCpuTimes, RefusesWhatIsNoCpuLine) {
  for (const std::string_view bad : {"", "intr 5\n", "cpu0 1 2 3\n", "cpux 1 2 3 4\n",
                                     "cpu0 1 2 x 4\n", "cpu99999999 1 2 3 4\n", "cpu 1 2 3 4\n"}) {
    const auto cpus = ParseCpuTimes(bad);
    ASSERT_FALSE(cpus.ok()) << bad;
    EXPECT_EQ(cpus.error().kind(), base::ErrorKind::kInvalidArgument);
  }
}

TEST(KeepRising, ClampsSmallStepsBackAndStartsAnewAfterHotplug) {
  CpuTimes highest{100, 0, 50, 9000, 70};
  KeepRising({101, 0, 49, 8990, 60}, &highest);
  EXPECT_EQ(highest, (CpuTimes{101, 0, 50, 9000, 70}));
  KeepRising({5, 0, 2, 8700, 1}, &highest);
  EXPECT_EQ(highest, (CpuTimes{5, 0, 2, 8700, 1}));
}

TEST(ParseCpuInfo, OneEntryAProcessor) {
  const auto cpus = ParseCpuInfo(
      "junk : before\nprocessor\t: 0\nmodel name\t: A: B\n\nprocessor\t: 1\nflags\t\t: a "
      "b\nnocolon\n");
  ASSERT_THAT(cpus, SizeIs(2));
  EXPECT_EQ(cpus[0].at("model name"), "A: B");
  EXPECT_EQ(cpus[1].at("flags"), "a b");
  EXPECT_THAT(ParseCpuInfo("no processor here"), IsEmpty());
}

TEST(ParseStatTotals, LeavesOutWhatIsMissing) {
  const StatTotals totals =
      ParseStatTotals("intr 7 1 2\nctxt 8\nbtime x\nprocesses 9\nsoftirq 6 1 2 3\n");
  EXPECT_EQ(totals.interrupts, 7U);
  EXPECT_EQ(totals.context_switches, 8U);
  EXPECT_EQ(totals.boot_time, std::nullopt);
  EXPECT_EQ(totals.forks, 9U);
  EXPECT_EQ(totals.running, std::nullopt);
  EXPECT_THAT(totals.softirqs, ElementsAre(1, 2, 3));
}

TEST(ParseMeminfo, KeepsUnitsApart) {
  const auto fields = ParseMeminfo("MemTotal:  16 kB\nActive(anon): 3 kB\nHugePages_Free:  2\n\n");
  ASSERT_TRUE(fields.ok());
  ASSERT_THAT(*fields, SizeIs(3));
  EXPECT_EQ((*fields)[1].name, "Active(anon)");
  EXPECT_TRUE((*fields)[1].in_kilobytes);
  EXPECT_EQ((*fields)[2].value, 2U);
  EXPECT_FALSE((*fields)[2].in_kilobytes);
  for (const std::string_view bad :
       {"", "MemTotal 16 kB\n", "MemTotal: lots kB\n", "MemTotal:\n"}) {
    EXPECT_FALSE(ParseMeminfo(bad).ok()) << bad;
  }
}

TEST(MemoryMetricPart, ParenthesesBecomeAnUnderscore) {
  EXPECT_EQ(MemoryMetricPart("Active(anon)"), "Active_anon");
  EXPECT_EQ(MemoryMetricPart("DirectMap4k"), "DirectMap4k");
  EXPECT_EQ(MemoryMetricPart("a b-c"), "a_b_c");
}

TEST(ParseLoadavg, WantsThreeNumbers) {
  const auto loads = ParseLoadavg("0.21 0.37 12.5 1/719 19737\n");
  ASSERT_TRUE(loads.ok());
  EXPECT_THAT(*loads, ElementsAre(0.21, 0.37, 12.5));
  for (const std::string_view bad : {"", "0.1", "0.1 0.2", "a b c", "0.1 0.2 x 1/2 3"}) {
    EXPECT_FALSE(ParseLoadavg(bad).ok()) << bad;
  }
}

TEST(ParseMountInfo, UndoesEveryOctalEscape) {
  const auto mounts = ParseMountInfo(
      "28 27 8:17 / /a\\040b\\011c\\012d\\134e rw,noatime shared:2 master:3 - xfs /dev/x\\040y "
      "ro\n");
  ASSERT_TRUE(mounts.ok());
  ASSERT_THAT(*mounts, SizeIs(1));
  const Mount& mount = (*mounts)[0];
  EXPECT_EQ(mount.mount_point, "/a b\tc\nd\\e");
  EXPECT_EQ(mount.device, "/dev/x y");
  EXPECT_EQ(mount.type, "xfs");
  EXPECT_EQ(mount.major, 8U);
  EXPECT_EQ(mount.minor, 17U);
  EXPECT_TRUE(mount.ReadOnly());
}

TEST(ParseMountInfo, BrokenEscapesStayAsTheyAre) {
  const auto mounts = ParseMountInfo("1 2 0:1 / /a\\9zz\\04 rw - tmpfs none rw\n");
  ASSERT_TRUE(mounts.ok());
  EXPECT_EQ((*mounts)[0].mount_point, "/a\\9zz\\04");
}

TEST(ParseMountInfo, RefusesShortLines) {
  for (const std::string_view bad : {"1 2 3\n", "1 2 0:1 / /x rw tmpfs none rw\n",
                                     "1 2 0:1 / /x rw - tmpfs none\n", "- - - -\n"}) {
    EXPECT_FALSE(ParseMountInfo(bad).ok()) << bad;
  }
  EXPECT_THAT(*ParseMountInfo(""), IsEmpty());
}

TEST(Mount, ReadOnlyIsAWholeOption) {
  const auto check = [](std::string options, std::string super_options, bool expected) {
    const Mount mount{.options = std::move(options), .super_options = std::move(super_options)};
    EXPECT_EQ(mount.ReadOnly(), expected) << mount.options << ' ' << mount.super_options;
  };
  check("rw,relatime", "rw,errors=remount-ro", false);
  check("ro", "rw", true);
  check("rw", "ro,data=ordered", true);
  check("rw", "rw,emergency_ro", true);
  check("rw,roo", "rw", false);
}

TEST(ParseDiskStats, ColumnsDependOnTheKernel) {
  const auto disks = ParseDiskStats(
      "   8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n   8 16 sdb 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15\n\n"
      " 259 0 nvme0n1 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18\n");
  ASSERT_TRUE(disks.ok());
  ASSERT_THAT(*disks, SizeIs(3));
  EXPECT_EQ((*disks)[0].count, 11U);
  EXPECT_EQ((*disks)[1].count, 15U);
  EXPECT_EQ((*disks)[2].count, 17U);
  EXPECT_EQ((*disks)[2].values[16], 17U);
  for (const std::string_view bad :
       {"8 0 sda\n", "8 0 sda 1 2 3 4 5 6 7 8 9 10\n", "x 0 sda 1\n"}) {
    EXPECT_FALSE(ParseDiskStats(bad).ok()) << bad;
  }
}

TEST(ParseUdevProperties, TakesOnlyProperties) {
  EXPECT_THAT(ParseUdevProperties("S:disk/x\nE:ID_MODEL=A=B\nE:EMPTY=\nE:NOVALUE\nG:systemd\n"),
              ElementsAre(Pair("EMPTY", ""), Pair("ID_MODEL", "A=B")));
}

TEST(ParseNetDev, TakesNamesWithColons) {
  const auto lines = ParseNetDev(
      "h\nh\n  eth0:1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n lo:1 2 3 4 5 6 7 8 9 10 11 12 13 "
      "14 15 16\n");
  ASSERT_TRUE(lines.ok());
  ASSERT_THAT(*lines, SizeIs(2));
  EXPECT_EQ((*lines)[0].device, "eth0:1");
  EXPECT_EQ((*lines)[1].device, "lo");
  EXPECT_EQ((*lines)[1].values[15], 16U);
  EXPECT_FALSE(ParseNetDev("h\nh\neth0: 1 2 3\n").ok());
}

TEST(ParsePressure, ReadsBothKinds) {
  const auto both = ParsePressure("some avg10=0.00 total=12\nfull avg10=0.00 total=34\n");
  ASSERT_TRUE(both.ok());
  EXPECT_EQ(both->some, 12U);
  EXPECT_EQ(both->full, 34U);
  const auto full = ParsePressure("full avg10=0.00 avg60=0.00 avg300=0.00 total=8494\n");
  ASSERT_TRUE(full.ok());
  EXPECT_EQ(full->some, std::nullopt);
  for (const std::string_view bad : {"", "some avg10=1\n", "some total=x\n"}) {
    EXPECT_FALSE(ParsePressure(bad).ok()) << bad;
  }
}

TEST(ParseNamedNumbers, SkipsWhatIsNone) {
  EXPECT_THAT(ParseNamedNumbers("a 1\nb\nc x\nd 2 3\n\n"), ElementsAre(Pair("a", 1), Pair("d", 2)));
}

TEST(ParseOsRelease, UndoesShellQuoting) {
  EXPECT_THAT(ParseOsRelease("# no\nID=debian\nNAME=\"A \\\"B\\\"\"\nV='1 2'\n bad line\n"),
              ElementsAre(Pair("ID", "debian"), Pair("NAME", "A \"B\""), Pair("V", "1 2")));
}

TEST(LeadingVersion, TakesMajorAndMinor) {
  const auto check = [](std::string_view text, std::optional<double> expected) {
    EXPECT_EQ(LeadingVersion(text), expected) << text;
  };
  check("12", 12);
  check("22.04", 22.04);
  check("22.04.3 LTS", 22.04);
  check("9.", 9);
  check("rolling", std::nullopt);
  check("", std::nullopt);
  check(".5", std::nullopt);
}

TEST(ParseNetstat, PairsNamesWithValues) {
  const auto fields = ParseNetstat("Tcp: MaxConn InSegs\nTcp: -1 5\nUdp: NoPorts\nUdp: 6\n");
  ASSERT_TRUE(fields.ok());
  EXPECT_THAT(
      *fields,
      ElementsAre(AllOf(Field(&ProtocolField::protocol, "Tcp"),
                        Field(&ProtocolField::name, "MaxConn"), Field(&ProtocolField::value, -1)),
                  Field(&ProtocolField::value, 5), Field(&ProtocolField::protocol, "Udp")));
  for (const std::string_view bad : {"Tcp: A B\nTcp: 1\n", "Tcp: A\nUdp: 1\n", "Tcp: A\n",
                                     "Tcp A\nTcp 1\n", "Tcp: A\nTcp: x\n"}) {
    EXPECT_FALSE(ParseNetstat(bad).ok()) << bad;
  }
}

TEST(ParseSnmp6, SplitsAfterTheSix) {
  const auto fields = ParseSnmp6("Ip6InReceives 5\nUdpLite6InErrors\t7\nNoSix 1\nIp6X y\n");
  ASSERT_THAT(fields, SizeIs(2));
  EXPECT_EQ(fields[0].protocol, "Ip6");
  EXPECT_EQ(fields[0].name, "InReceives");
  EXPECT_EQ(fields[1].protocol, "UdpLite6");
}

TEST(ParseSockstat, ReadsPairs) {
  const auto fields = ParseSockstat("sockets: used 28\nTCP: inuse 8 orphan x tw 5\n: a 1\n");
  ASSERT_THAT(fields, SizeIs(3));
  EXPECT_EQ(fields[0].protocol, "sockets");
  EXPECT_EQ(fields[2].name, "tw");
}

TEST(ParseSoftnet, CpuComesFromItsColumnOrTheLine) {
  const auto modern = ParseSoftnet("0a 0 0 0 0 0 0 0 4 5 6 7 00000003 0 0\n");
  ASSERT_TRUE(modern.ok());
  EXPECT_EQ((*modern)[0].cpu, 3U);
  EXPECT_EQ((*modern)[0].values[0], 10U);
  const auto old = ParseSoftnet("1 0 0 0 0 0 0 0 0\n2 0 0 0 0 0 0 0 0\n");
  ASSERT_TRUE(old.ok());
  EXPECT_EQ((*old)[1].cpu, 1U);
  EXPECT_EQ((*old)[1].count, 9U);
  for (const std::string_view bad : {"1 2 3\n", "zz 0 0 0 0 0 0 0 0\n"}) {
    EXPECT_FALSE(ParseSoftnet(bad).ok()) << bad;
  }
}

TEST(ParseConntrackStat, SumsTheLines) {
  const auto sums = ParseConntrackStat("entries  found drop\n00000005 00000001 0000000f\n5 2 1\n");
  ASSERT_TRUE(sums.ok());
  EXPECT_THAT(*sums, ElementsAre(Pair("entries", 0), Pair("found", 3), Pair("drop", 16)));
  EXPECT_FALSE(ParseConntrackStat("entries found\n1\n").ok());
}

TEST(ParseArp, CountsByDevice) {
  EXPECT_THAT(ParseArp("IP address HW type\n192.0.2.1 0x1 0x2 00:00 * eth0\nshort line\n"
                       "192.0.2.2 0x1 0x0 00:00 * eth0\n"),
              ElementsAre(Pair("eth0", 2)));
}

TEST(ParseSchedstat, SkipsDomains) {
  const auto cpus = ParseSchedstat("version 15\ncpu0 1 2 3 4 5 6 7 8 9\ndomain0 1 2 3\ncpu1 1 2\n");
  ASSERT_THAT(cpus, SizeIs(1));
  EXPECT_EQ(cpus[0].running_ns, 7U);
  EXPECT_EQ(cpus[0].timeslices, 9U);
}

TEST(ParseUdpQueues, SumsHexadecimalPairs) {
  const auto queues = ParseUdpQueues("head\n 1: a b 07 00000010:00000300 x\n 2: a b 07 1:2 x\n");
  ASSERT_TRUE(queues.ok());
  EXPECT_EQ(queues->tx, 0x11U);
  EXPECT_EQ(queues->rx, 0x302U);
  EXPECT_FALSE(ParseUdpQueues("head\n1: a b 07 12 x\n").ok());
  EXPECT_FALSE(ParseUdpQueues("head\n1: a\n").ok());
}

TEST(ParseMdstat, ReadsStatesDisksAndProgress) {
  const auto arrays = ParseMdstat(
      "Personalities : [raid1]\n"
      "md0 : active (auto-read-only) raid1 sdb1[1] sda2[0](F)\n"
      "      100 blocks [2/1] [_U]\n"
      "      [=>..]  recovery =  8.5% (12/100) finish=17.0min speed=2K/sec\n\n"
      "md1 : inactive sdk1[0](S)\n      50 blocks\n\n"
      "md2 : active raid5 a[0] b[1]\n      70 blocks [2/2] [UU]\n        resync=DELAYED\n\n"
      "md3 : active raid5 a[0] b[1]\n      70 blocks [2/2] [UU]\n  [>] reshape =  1% (7/70) x\n\n"
      "unused devices: <none>\n");
  ASSERT_TRUE(arrays.ok());
  ASSERT_THAT(*arrays, SizeIs(4));
  EXPECT_EQ((*arrays)[0].state, "recovering");
  EXPECT_EQ((*arrays)[0].disks_active, 1U);
  EXPECT_EQ((*arrays)[0].disks_total, 2U);
  EXPECT_EQ((*arrays)[0].disks_failed, 1U);
  EXPECT_EQ((*arrays)[0].blocks_synced, 12U);
  EXPECT_EQ((*arrays)[1].state, "inactive");
  EXPECT_EQ((*arrays)[1].disks_spare, 1U);
  EXPECT_EQ((*arrays)[1].disks_active, 0U);
  EXPECT_EQ((*arrays)[1].blocks_synced, 50U);
  EXPECT_EQ((*arrays)[2].state, "resync");
  EXPECT_EQ((*arrays)[2].blocks_synced, 0U);
  EXPECT_EQ((*arrays)[3].state, "active");
  EXPECT_FALSE(ParseMdstat("md0 : active raid1 a[0]\n      many blocks [2/1]\n").ok());
}

TEST(ParseSensorFile, SplitsTypeNumberAndProperty) {
  const auto check = [](std::string_view name, std::string_view type, std::string_view number,
                        std::string_view property) {
    const auto file = ParseSensorFile(name);
    ASSERT_TRUE(file.has_value()) << name;
    EXPECT_EQ(file->type, type) << name;
    EXPECT_EQ(file->number, number) << name;
    EXPECT_EQ(file->property, property) << name;
  };
  check("temp1_input", "temp", "1", "input");
  check("temp12_crit_alarm", "temp", "12", "crit_alarm");
  check("pwm1", "pwm", "1", "");
  check("intrusion0_alarm", "intrusion", "0", "alarm");
  check("in0_input", "in", "0", "input");
  check("vrm", "vrm", "", "");
  check("update_interval", "update_interval", "", "");
  for (const std::string_view other :
       {"name", "uevent", "temperature", "temp1_", "temp1x", "", "in-1"}) {
    EXPECT_FALSE(ParseSensorFile(other).has_value()) << other;
  }
}

TEST(CleanSensorName, KeepsWhatMetricNamesMayHave) {
  EXPECT_EQ(CleanSensorName("Core Temp.0"), "core_temp_0");
  EXPECT_EQ(CleanSensorName("0000:01:00.0"), "0000:01:00_0");
  EXPECT_EQ(CleanSensorName("--"), "");
}

TEST(ParseTextfile, PutsHistogramsAndSummariesTogether) {
  const auto families = ParseTextfile(
      "# TYPE h histogram\nh_bucket{a=\"x\",le=\"1\"} 2\nh_bucket{a=\"x\",le=\"+Inf\"} 3\n"
      "h_sum{a=\"x\"} 4\nh_count{a=\"x\"} 3\n"
      "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 2\ns_count 3\n"
      "lone_count 5\n");
  ASSERT_TRUE(families.ok()) << families.error().message();
  ASSERT_THAT(*families, SizeIs(3));
  const TextFamily& h = (*families)[0];
  ASSERT_THAT(h.metrics, SizeIs(1));
  EXPECT_EQ(h.metrics[0].first.ToString(), "{a=\"x\"}");
  ASSERT_THAT(h.metrics[0].second.histogram->buckets, SizeIs(2));
  EXPECT_EQ(h.metrics[0].second.histogram->count, 3);
  const TextFamily& s = (*families)[1];
  EXPECT_THAT(s.metrics[0].second.summary->quantiles, SizeIs(1));
  EXPECT_EQ(s.metrics[0].second.summary->sum, 2);
  EXPECT_EQ((*families)[2].name, "lone_count");
}

TEST(ParseTextfile, RefusesTimeStampsAndGarbage) {
  const auto stamped = ParseTextfile("a 1\nb 2 1700000000000\n");
  ASSERT_FALSE(stamped.ok());
  EXPECT_THAT(stamped.error().message(), HasSubstr("line 2"));
  EXPECT_THAT(stamped.error().message(), HasSubstr("time stamps"));
  EXPECT_FALSE(ParseTextfile("not a metric line at all\n").ok());
}

TEST(ParseKstat, NumbersOnly) {
  const auto numbers = ParseKstat(
      "13 1 0x01 3 112 1 2\nname type data\nhits 4 8772612\nchange 3 -5\ntext 7 pool one\nbad 4 "
      "x\n");
  ASSERT_EQ(numbers.size(), 2U);
  EXPECT_EQ(numbers[0].name, "hits");
  EXPECT_EQ(numbers[0].value, 8772612);
  EXPECT_EQ(numbers[1].value, -5);
}

TEST(ParseInterrupts, DevicesAndNamesPerCpu) {
  const auto interrupts = ParseInterrupts(
      "           CPU0       CPU1\n"
      "   0:         35          1   IO-APIC   2-edge      timer\n"
      " NMI:          2          3   Non-maskable   interrupts\n"
      " ERR:          0\n"
      "garbage\n");
  ASSERT_TRUE(interrupts.ok());
  ASSERT_EQ(interrupts->size(), 2U);
  EXPECT_EQ((*interrupts)[0].type, "0");
  EXPECT_EQ((*interrupts)[0].info, "IO-APIC");
  EXPECT_EQ((*interrupts)[0].devices, "2-edge timer");
  EXPECT_EQ((*interrupts)[1].info, "Non-maskable interrupts");
  EXPECT_EQ((*interrupts)[1].counts[1], 3U);
  EXPECT_FALSE(ParseInterrupts("").ok());
}

}  // namespace
}  // namespace exporters::host
