#include "agent/scrape/manager.h"

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "agent/scrape/schedule.h"
#include "tests/agent/scrape/fakes.h"

namespace scrape {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr model::MetricDesc kGauge{.name = "gauge", .help = "A gauge."};

// Serves one gauge; can be made to hang.
class FakeExporter final : public exporters::Exporter {
 public:
  base::Result<std::vector<model::MetricFamily>> Collect(
      const exporters::ScrapeRequest& /*request*/) override {
    if (hang.load()) {
      hanging.set_value();
      released.get_future().wait();
    }
    std::vector<model::MetricFamily> families(1);
    families[0].desc = &kGauge;
    families[0].Add(++calls);
    return families;
  }

  std::atomic<bool> hang{false};
  std::promise<void> hanging;
  std::promise<void> released;
  std::atomic<int> calls{0};
};

class ManagerTest : public testing::Test {
 protected:
  ManagerTest()
      : store_({.retention = milliseconds(0)}, clock_),
        logger_(base::LogLevel::kError, base::LogFormat::kLogfmt, [](std::string_view) {}),
        manager_({.host_name = "here"}, store_, clock_, logger_) {}

  static Job MakeJob(const std::string& name, std::vector<LocalTarget> locals) {
    Job job{.locals = std::move(locals)};
    job.options.name = name;
    job.options.interval = seconds(1);
    job.options.timeout = seconds(1);
    return job;
  }

  // Moves time on until `exporter` was asked `calls` times.
  void RunUntil(const FakeExporter& exporter, int calls) {
    const auto deadline = std::chrono::steady_clock::now() + seconds(60);
    while (exporter.calls < calls && std::chrono::steady_clock::now() < deadline) {
      clock_.Advance(milliseconds(10));
      std::this_thread::yield();
    }
    ASSERT_GE(exporter.calls, calls);
  }

  std::string Series(const std::string& labels) const {
    const auto dump = Dump(store_);
    const auto found = dump.find(labels);
    return found == dump.end() ? "(none)" : found->second;
  }

  base::FakeClock clock_;
  storage::Head store_;
  base::Logger logger_;
  Manager manager_;
};

TEST_F(ManagerTest, ScrapesEmbeddedExportersAndShowsThem) {
  const auto exporter = std::make_shared<FakeExporter>();
  manager_.Apply({MakeJob("host", {{.name = "host", .address = "db7", .exporter = exporter}})});
  EXPECT_EQ(manager_.Status().active.at(0).health, Health::kUnknown);
  RunUntil(*exporter, 3);
  manager_.Stop();
  EXPECT_NE(Series(R"(gauge{instance="db7", job="host"})"), "(none)");
  EXPECT_NE(Series(R"(up{instance="db7", job="host"})"), "(none)");
  const TargetsStatus status = manager_.Status();
  ASSERT_EQ(status.active.size(), 1U);
  EXPECT_EQ(status.active[0].scrape_pool, "host");
  EXPECT_EQ(status.active[0].scrape_url, "embedded:host/db7");
  EXPECT_EQ(status.active[0].health, Health::kUp);
}

TEST_F(ManagerTest, ATargetThatHangsHoldsUpNoOther) {
  const auto hanging = std::make_shared<FakeExporter>();
  const auto healthy = std::make_shared<FakeExporter>();
  hanging->hang = true;
  manager_.Apply({MakeJob("j", {{.name = "a", .address = "a", .exporter = hanging},
                                {.name = "b", .address = "b", .exporter = healthy}})});
  auto hangs = hanging->hanging.get_future();
  while (hangs.wait_for(milliseconds(0)) != std::future_status::ready) {
    clock_.Advance(milliseconds(10));
    std::this_thread::yield();
  }
  const int before = healthy->calls;
  RunUntil(*healthy, before + 5);
  hanging->hang = false;
  hanging->released.set_value();
  manager_.Stop();
}

TEST_F(ManagerTest, ApplyEndsWhatIsGoneAndLeavesTheRestAlone) {
  const auto stays = std::make_shared<FakeExporter>();
  const auto goes = std::make_shared<FakeExporter>();
  const LocalTarget a{.name = "a", .address = "a", .exporter = stays};
  const LocalTarget b{.name = "b", .address = "b", .exporter = goes};
  manager_.Apply({MakeJob("j", {a, b})});
  RunUntil(*stays, 2);
  RunUntil(*goes, 2);
  manager_.Apply({MakeJob("j", {a})});
  EXPECT_EQ(manager_.Status().active.size(), 1U);
  const int calls = goes->calls;
  RunUntil(*stays, stays->calls + 3);
  manager_.Stop();
  EXPECT_EQ(goes->calls, calls);
  EXPECT_TRUE(Series(R"(up{instance="b", job="j"})").find("stale@") != std::string::npos);
  EXPECT_TRUE(Series(R"(gauge{instance="b", job="j"})").find("stale@") != std::string::npos);
  EXPECT_TRUE(Series(R"(up{instance="a", job="j"})").find("stale@") == std::string::npos);
}

TEST_F(ManagerTest, ANewIntervalTakesEffectAtOnce) {
  const auto exporter = std::make_shared<FakeExporter>();
  Job slow = MakeJob("j", {{.name = "a", .address = "a", .exporter = exporter}});
  slow.options.interval = std::chrono::hours(24);
  manager_.Apply({slow});
  manager_.Apply({MakeJob("j", {{.name = "a", .address = "a", .exporter = exporter}})});
  const base::MonotonicTime start = clock_.Monotonic();
  RunUntil(*exporter, 2);
  EXPECT_LT(clock_.Monotonic() - start, std::chrono::hours(1));
  EXPECT_EQ(manager_.Status().active.at(0).scrape_interval, seconds(1));
}

TEST_F(ManagerTest, StopWritesNoStaleMarkers) {
  const auto exporter = std::make_shared<FakeExporter>();
  manager_.Apply({MakeJob("j", {{.name = "a", .address = "a", .exporter = exporter}})});
  RunUntil(*exporter, 2);
  manager_.Stop();
  for (const auto& [series, samples] : Dump(store_)) {
    EXPECT_EQ(samples.find("stale"), std::string::npos) << series;
  }
}

TEST_F(ManagerTest, ShowsTargetsThatCannotBeScrapedAndThoseThatWereDropped) {
  Job job = MakeJob("j", {});
  job.options.interval = std::chrono::hours(24);
  job.options.timeout = seconds(1);
  job.options.limits.keep_dropped_targets = 1;
  job.options.relabel_rules = {*relabel::Rule::Make(
      {.source_labels = {"__address__"}, .regex = "drop.*", .action = relabel::Action::kDrop})};
  job.groups = {{.targets = {"bad/address", "drop1:1", "drop2:1", "localhost:1", "localhost:1"}}};
  manager_.Apply({job});
  const TargetsStatus status = manager_.Status();
  ASSERT_EQ(status.active.size(), 2U);
  EXPECT_EQ(status.active[0].health, Health::kDown);
  EXPECT_NE(status.active[0].last_error.find("must be host:port"), std::string::npos);
  EXPECT_EQ(status.active[1].global_url, "http://here:1/metrics");
  EXPECT_EQ(status.dropped.size(), 1U);
  EXPECT_EQ(status.dropped_counts.at(0), (std::pair<std::string, size_t>("j", 2)));
}

TEST_F(ManagerTest, TargetLimitFailsEveryTargetOfTheJob) {
  const auto exporter = std::make_shared<FakeExporter>();
  Job job = MakeJob("j", {{.name = "a", .address = "a", .exporter = exporter},
                          {.name = "b", .address = "b", .exporter = exporter}});
  job.options.limits.targets = 1;
  manager_.Apply({job});
  for (int i = 0; i < 100'000 && manager_.Status().active[0].health == Health::kUnknown; ++i) {
    clock_.Advance(milliseconds(10));
    std::this_thread::yield();
  }
  EXPECT_EQ(manager_.Status().active[0].last_error, "target_limit exceeded: 2 targets, limit 1");
  EXPECT_EQ(exporter->calls, 0);
}

TEST_F(ManagerTest, MoreThanTheLargestNumberOfTargetsIsSaidOfEachTooMany) {
  Manager manager({.max_targets = 4}, store_, clock_, logger_);
  Job job = MakeJob("j", {});
  job.options.interval = std::chrono::hours(24);
  job.groups = {{.targets = {"a:1", "b:1", "c:1", "d:1", "e:1", "f:1", "g:1"}}};
  manager.Apply({job});
  size_t too_many = 0;
  for (const TargetStatus& target : manager.Status().active) {
    too_many += target.last_error == "more than 4 targets" ? 1U : 0U;
  }
  EXPECT_EQ(too_many, 3U);
  EXPECT_EQ(manager.Status().active.size(), 7U);
}

TEST_F(ManagerTest, CountsWhatItDoes) {
  const auto exporter = std::make_shared<FakeExporter>();
  manager_.Apply({MakeJob("j", {{.name = "a", .address = "a", .exporter = exporter}})});
  RunUntil(*exporter, 2);
  manager_.Stop();
  double scrapes = 0;
  for (const model::MetricFamily& family : manager_.Metrics()) {
    if (family.desc->name == "tarsier_scrapes_total") {
      scrapes = family.metrics.at(0).value;
    }
  }
  EXPECT_EQ(scrapes, exporter->calls.load());
}

}  // namespace
}  // namespace scrape
