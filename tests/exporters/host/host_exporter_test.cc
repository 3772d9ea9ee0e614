// The exporter on trees of files: the whole page against testdata/metrics.txt (run with --update to
// write it anew), and what must not depend on the machine.
#include "exporters/host/host_exporter.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporters/host/collectors.h"
#include "lib/base/file.h"
#include "lib/base/strings.h"
#include "lib/exposition/writer.h"
#include "lib/model/labels.h"

namespace exporters::host {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

base::MonotonicTime Soon() { return std::chrono::steady_clock::now() + std::chrono::minutes(1); }

class HostExporterTest : public testing::Test {
 protected:
  static HostOptions FixtureOptions() {
    const std::string data = TESTDATA_DIR;
    return {.procfs = data + "/proc",
            .sysfs = data + "/sys",
            .rootfs = data + "/rootfs",
            .udev_data = data + "/udev",
            // What the machine answers, not the tree.
            .collectors = {.named = {{"uname", false},
                                     {"timex", false},
                                     {"filesystem", false},
                                     {"listeners", false},
                                     {"buddyinfo", true},
                                     {"cgroups", true},
                                     {"cpu_vulnerabilities", true},
                                     {"interrupts", true},
                                     {"meminfo_numa", true},
                                     {"processes", true},
                                     {"process_groups", true},
                                     {"slabinfo", true},
                                     {"softirqs", true},
                                     {"swap", true},
                                     {"zoneinfo", true}}},
            .cpu_info = true,
            .cpu_flags_include = "avx",
            .cpu_bugs_include = "mds",
            .container_services = true,
            .netdev_netlink = false,
            .stat_softirq = true};
  }

  std::unique_ptr<HostExporter> Make(HostOptions options) {
    auto exporter = HostExporter::Make(std::move(options), logger_, clock_);
    EXPECT_TRUE(exporter.ok()) << exporter.error().message();
    return std::move(*exporter);
  }

  static std::string Page(HostExporter& exporter, ScrapeRequest request = {}) {
    request.deadline = Soon();
    const auto families = exporter.Collect(request);
    EXPECT_TRUE(families.ok());
    std::string page;
    exposition::WriteText(*families, &page);
    return page;
  }

  // Without the lines that tell how long things took.
  static std::string WithoutDurations(const std::string& page) {
    std::string kept;
    for (const std::string_view line : base::Split(page, '\n')) {
      if (line.find("_duration_seconds{") == std::string_view::npos && !line.empty()) {
        kept += std::string(line) + "\n";
      }
    }
    return kept;
  }

  std::vector<std::string> logged_;
  base::Logger logger_{base::LogLevel::kInfo, base::LogFormat::kLogfmt,
                       [this](std::string_view line) { logged_.emplace_back(line); }};
  base::FakeClock clock_;
};

// A copy of part of the tree that a test may change.
class TemporaryTree {
 public:
  TemporaryTree() {
    std::string pattern = testing::TempDir() + "/host_test.XXXXXX";
    root_ = mkdtemp(pattern.data());
  }
  ~TemporaryTree() { fs::remove_all(root_); }
  TemporaryTree(const TemporaryTree&) = delete;
  TemporaryTree& operator=(const TemporaryTree&) = delete;

  std::string Path(const std::string& path) const { return root_ + "/" + path; }
  void Write(const std::string& path, std::string_view text) const {
    fs::create_directories(fs::path(Path(path)).parent_path());
    ASSERT_TRUE(base::WriteFileAtomically(Path(path), text).ok());
  }
  const std::string& root() const { return root_; }

 private:
  std::string root_;
};

bool UpdateWanted() {
  const std::vector<std::string> arguments = testing::internal::GetArgvs();
  return std::find(arguments.begin(), arguments.end(), "--update") != arguments.end();
}

TEST_F(HostExporterTest, WholePageIsAsRecorded) {
  setenv("TZ", "UTC", 1);
  tzset();
  const auto exporter = Make(FixtureOptions());
  const std::string page = WithoutDurations(Page(*exporter));
  const std::string golden = TESTDATA_DIR "/metrics.txt";
  if (UpdateWanted()) {
    ASSERT_TRUE(base::WriteFileAtomically(golden, page).ok());
  }
  EXPECT_EQ(page, base::ReadFile(golden).value_or("")) << "--update records it anew";
  EXPECT_THAT(logged_, IsEmpty());
}

TEST_F(HostExporterTest, NamesFollowTheRulesAndTypes) {
  const auto exporter = Make(FixtureOptions());
  const auto families = exporter->Collect({.deadline = Soon()});
  ASSERT_TRUE(families.ok());
  for (const model::MetricFamily& family : *families) {
    const model::MetricDesc& desc = *family.desc;
    EXPECT_TRUE(model::IsLegacyMetricName(desc.name)) << desc.name;
    EXPECT_TRUE(!desc.help.empty() && desc.help.back() == '.') << desc.name << ": " << desc.help;
    const bool total = desc.name.size() > 6 && desc.name.substr(desc.name.size() - 6) == "_total";
    const bool is_named_by_others = desc.name == "namedprocess_scrape_procread_errors";
    EXPECT_EQ(desc.type == model::MetricType::kCounter, total || is_named_by_others) << desc.name;
  }
}

TEST_F(HostExporterTest, SecondScrapeOfAnUnchangedTreeIsTheSame) {
  const auto exporter = Make(FixtureOptions());
  const std::string first = WithoutDurations(Page(*exporter));
  EXPECT_EQ(WithoutDurations(Page(*exporter)), first);
}

TEST_F(HostExporterTest, TwoInOneProcessDoNotMeet) {
  HostOptions only_load = FixtureOptions();
  only_load.collectors = {.named = {{"loadavg", true}}, .disable_defaults = true};
  const auto one = Make(FixtureOptions());
  const auto two = Make(only_load);
  const std::string before = WithoutDurations(Page(*two));
  EXPECT_THAT(Page(*one), HasSubstr("node_memory_MemTotal_bytes"));
  EXPECT_EQ(WithoutDurations(Page(*two)), before);
  EXPECT_THAT(before, AllOf(HasSubstr("node_load1 0.42\n"), Not(HasSubstr("node_memory"))));
}

TEST_F(HostExporterTest, ManyScrapesAtOnceAgree) {
  const auto exporter = Make(FixtureOptions());
  const std::string expected = WithoutDurations(Page(*exporter));
  std::vector<std::string> pages(4);
  std::vector<std::thread> threads;
  for (std::string& page : pages) {
    threads.emplace_back([&exporter, &page] { page = WithoutDurations(Page(*exporter)); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_THAT(pages, testing::Each(expected));
}

TEST_F(HostExporterTest, FiltersOfTheRequestAreChecked) {
  const auto exporter = Make(FixtureOptions());
  EXPECT_THAT(Page(*exporter, {.collect = {"loadavg"}}),
              AllOf(HasSubstr("node_load15 2.05\n"), Not(HasSubstr("node_memory_"))));
  const auto off = exporter->Collect({.deadline = Soon(), .collect = {"uname"}});
  ASSERT_FALSE(off.ok());
  EXPECT_EQ(off.error().message(), "disabled collector: uname");
}

TEST_F(HostExporterTest, BadFiltersAreRefusedAtTheStart) {
  HostOptions bad_regex = FixtureOptions();
  bad_regex.disks.exclude = "(";
  const auto first = HostExporter::Make(bad_regex, logger_, clock_);
  ASSERT_FALSE(first.ok());
  EXPECT_EQ(first.error().kind(), base::ErrorKind::kInvalidArgument);
  EXPECT_THAT(first.error().message(), HasSubstr("--collector.diskstats.device"));
  HostOptions both = FixtureOptions();
  both.mount_points = {.include = "a", .exclude = "b"};
  EXPECT_FALSE(HostExporter::Make(both, logger_, clock_).ok());
}

TEST_F(HostExporterTest, CpuTimesNeverFallAndOtherNumbersAreNew) {
  const TemporaryTree tree;
  HostOptions options{
      .procfs = tree.root(),
      .sysfs = tree.Path("sys"),
      .collectors = {.named = {{"cpu", true}, {"stat", true}}, .disable_defaults = true}};
  tree.Write("stat", "cpu0 100 0 50 9000 70 0 0 0 0 0\nctxt 1\n");
  const auto exporter = Make(options);
  EXPECT_THAT(Page(*exporter), HasSubstr("node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 90\n"));
  {
    // In place, as the kernel's files change: the exporter keeps them open.
    std::FILE* const file = std::fopen(tree.Path("stat").c_str(), "w");
    ASSERT_NE(file, nullptr);
    std::fputs("cpu0 200 0 50 8990 60 0 0 0 0 0\nctxt 2\n", file);
    std::fclose(file);
  }
  EXPECT_THAT(Page(*exporter),
              AllOf(HasSubstr("node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 90\n"),
                    HasSubstr("node_cpu_seconds_total{cpu=\"0\",mode=\"iowait\"} 0.7\n"),
                    HasSubstr("node_cpu_seconds_total{cpu=\"0\",mode=\"user\"} 2\n"),
                    HasSubstr("node_context_switches_total 2\n")));
}

TEST_F(HostExporterTest, FileSystemsAreSeenBelowTheRoot) {
  const TemporaryTree tree;
  fs::create_directories(tree.Path("root/srv/with space"));
  tree.Write("1/mountinfo",
             "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
             "2 1 8:2 / /srv/with\\040space ro - xfs /dev/sda2 rw\n"
             "3 1 8:2 / /srv/with\\040space ro - xfs /dev/sda2 rw\n"
             "4 1 8:3 / /gone rw - ext4 /dev/sda3 rw\n"
             "5 1 0:9 / /sys rw - sysfs sysfs rw\n"
             "6 1 0:9 / /tmp rw - overlay overlay rw\n");
  const auto exporter =
      Make({.procfs = tree.root(),
            .rootfs = tree.Path("root"),
            .collectors = {.named = {{"filesystem", true}}, .disable_defaults = true}});
  const std::string page = Page(*exporter);
  EXPECT_THAT(
      page,
      AllOf(HasSubstr("node_filesystem_size_bytes{device=\"/dev/sda1\",device_error=\"\",fstype="
                      "\"ext4\",mountpoint=\"/\"} "),
            HasSubstr("node_filesystem_readonly{device=\"/dev/sda2\",device_error=\"\",fstype="
                      "\"xfs\",mountpoint=\"/srv/with space\"} 1\n"),
            HasSubstr("node_filesystem_device_error{device=\"/dev/sda3\",device_error=\"no such "
                      "file or directory\",fstype=\"ext4\",mountpoint=\"/gone\"} 1\n"),
            HasSubstr("node_filesystem_mount_info{device=\"/dev/sda2\",major=\"8\",minor=\"2\","
                      "mountpoint=\"/srv/with space\"} 1\n"),
            Not(HasSubstr("sysfs")), Not(HasSubstr("overlay")),
            Not(HasSubstr("node_filesystem_size_bytes{device=\"/dev/sda3\""))));
}

TEST_F(HostExporterTest, ThisMachineAnswersEveryCoreCollector) {
  const auto exporter = Make({});
  const std::string page = Page(*exporter);
  for (const char* collector : {"cpu", "filefd", "filesystem", "loadavg", "meminfo", "netdev",
                                "stat", "time", "uname", "vmstat"}) {
    EXPECT_THAT(page, HasSubstr("node_scrape_collector_success{collector=\"" +
                                std::string(collector) + "\"} 1\n"));
  }
}

TEST_F(HostExporterTest, EmptyTreeFailsCollectorsButNotTheScrape) {
  const TemporaryTree tree;
  const auto exporter = Make({.procfs = tree.root(),
                              .sysfs = tree.root(),
                              .rootfs = tree.root(),
                              .udev_data = tree.root(),
                              .netdev_netlink = false});
  EXPECT_THAT(Page(*exporter),
              AllOf(HasSubstr("node_scrape_collector_success{collector=\"meminfo\"} 0\n"),
                    HasSubstr("node_scrape_collector_success{collector=\"uname\"} 1\n"),
                    HasSubstr("node_selinux_enabled 0\n"), Not(HasSubstr("node_memory_"))));
  EXPECT_THAT(logged_, IsEmpty()) << "what a machine does not have is no warning";
}

class TextfileTest : public HostExporterTest {
 protected:
  std::string Page() {
    const auto exporter = Make(
        {.procfs = TESTDATA_DIR "/proc",
         .collectors = {.named = {{"textfile", true}, {"loadavg", true}}, .disable_defaults = true},
         .textfile_directories = {tree_.root() + "/*.d"}});
    return HostExporterTest::Page(*exporter);
  }
  const TemporaryTree tree_;
};

TEST_F(TextfileTest, FilesAreJoinedAndLabelsFilledUp) {
  tree_.Write("a.d/one.prom", "# HELP x Help of one.\n# TYPE x gauge\nx{a=\"1\"} 1\n");
  tree_.Write("b.d/two.prom", "x{b=\"2\"} 2\n");
  tree_.Write("b.d/ignored.txt", "y 1\n");
  EXPECT_THAT(Page(), AllOf(HasSubstr("# HELP x Help of one.\n# TYPE x gauge\n"
                                      "x{a=\"1\",b=\"\"} 1\nx{a=\"\",b=\"2\"} 2\n"),
                            HasSubstr("node_textfile_scrape_error 0\n"),
                            HasSubstr("node_textfile_mtime_seconds{file=\"" + tree_.root() +
                                      "/a.d/one.prom\"} "),
                            Not(HasSubstr("y 1"))));
}

TEST_F(TextfileTest, BadFileLosesOnlyItself) {
  tree_.Write("a.d/bad.prom", "x 1\nthis is no metric\n");
  tree_.Write("a.d/stamped.prom", "z 1 1700000000000\n");
  tree_.Write("a.d/good.prom", "y 1\n");
  EXPECT_THAT(Page(),
              AllOf(HasSubstr("\ny 1\n"), HasSubstr("node_textfile_scrape_error 1\n"),
                    Not(HasSubstr("\nx 1")), Not(HasSubstr("\nz 1")), Not(HasSubstr("bad.prom"))));
  ASSERT_EQ(logged_.size(), 1U);
  EXPECT_THAT(logged_[0], AllOf(HasSubstr("bad.prom: line 2"), HasSubstr("stamped.prom: line 1")));
}

TEST_F(TextfileTest, NoFileCanReplaceABuiltInFamily) {
  tree_.Write("a.d/evil.prom", "node_load1 5\nfine 1\n");
  EXPECT_THAT(Page(), AllOf(HasSubstr("node_load1 0.42\n"), Not(HasSubstr("node_load1 5\n")),
                            HasSubstr("\nfine 1\n") /* not in vain */,
                            HasSubstr("node_textfile_scrape_error 1\n")));
  ASSERT_EQ(logged_.size(), 1U);
  EXPECT_THAT(logged_[0], HasSubstr("node_load1 is a metric of this exporter"));
}

TEST_F(TextfileTest, OneNameWithTwoTypesIsRefused) {
  tree_.Write("a.d/1.prom", "# TYPE x gauge\nx 1\n");
  tree_.Write("a.d/2.prom", "# TYPE x counter\nx{l=\"2\"} 2\n");
  EXPECT_THAT(Page(), AllOf(HasSubstr("\nx 1\n"), Not(HasSubstr("l=\"2\"")),
                            HasSubstr("node_textfile_scrape_error 1\n")));
}

TEST_F(TextfileTest, EqualSeriesOfTwoFilesAreShownOnce) {
  tree_.Write("a.d/1.prom", "x 1\n");
  tree_.Write("a.d/2.prom", "x 2\n");
  EXPECT_THAT(Page(), AllOf(HasSubstr("\nx 1\n"), Not(HasSubstr("\nx 2\n"))));
}

TEST_F(TextfileTest, TooManyLabelNamesAreRefused) {
  std::string labels;
  for (int i = 0; i < 21; ++i) {
    labels += "l" + std::to_string(i) + "=\"v\",";
  }
  tree_.Write("a.d/1.prom", "x{" + labels + "} 1\ny 1\n");
  EXPECT_THAT(Page(), AllOf(HasSubstr("\ny 1\n"), Not(HasSubstr("\nx{")),
                            HasSubstr("node_textfile_scrape_error 1\n")));
}

TEST(HostCollectors, EachHasANameAndASentence) {
  std::vector<std::string> names;
  for (const HostCollector* const collector : Collectors()) {
    names.emplace_back(collector->name);
    EXPECT_EQ(collector->help.back(), '.') << collector->name;
    EXPECT_NE(collector->collect, nullptr) << collector->name;
  }
  EXPECT_EQ(names.back(), "textfile") << "it must come after those it must not shadow";
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::unique(names.begin(), names.end()), names.end());
}

}  // namespace
}  // namespace exporters::host
