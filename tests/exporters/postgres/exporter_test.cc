#include "exporters/postgres/exporter.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "lib/base/mutex.h"
#include "tests/exporters/postgres/fake_session.h"

namespace exporters::postgres {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

base::MonotonicTime In(milliseconds time) { return std::chrono::steady_clock::now() + time; }

// Holds up whoever passes until it is opened.
class Gate {
 public:
  void Pass() {
    base::MutexLock lock(mutex_);
    ++waiting_;
    changed_.NotifyAll();
    while (!open_) {
      changed_.Wait(mutex_);
    }
  }
  void AwaitSomeone() {
    base::MutexLock lock(mutex_);
    while (waiting_ == 0) {
      changed_.Wait(mutex_);
    }
  }
  void Open() {
    base::MutexLock lock(mutex_);
    open_ = true;
    changed_.NotifyAll();
  }

 private:
  base::Mutex mutex_;
  base::CondVar changed_;
  int waiting_ GUARDED_BY(mutex_) = 0;
  bool open_ GUARDED_BY(mutex_) = false;
};

class PostgresExporterTest : public testing::Test {
 protected:
  std::unique_ptr<PostgresExporter> Make(FakeServer& server, PostgresOptions options = {}) {
    options.session_factory = [&server] { return std::make_unique<FakeSession>(server); };
    auto exporter = PostgresExporter::Make(std::move(options), logger_);
    EXPECT_TRUE(exporter.ok());
    return *std::move(exporter);
  }

  static double Value(const base::Result<std::vector<model::MetricFamily>>& families,
                      std::string_view name) {
    EXPECT_TRUE(families.ok());
    for (const model::MetricFamily& family : *families) {
      if (family.desc->name == name) {
        return family.metrics.front().value;
      }
    }
    ADD_FAILURE() << name << " is missing";
    return -1;
  }

  base::Logger logger_{base::LogLevel::kError};
};

TEST_F(PostgresExporterTest, TwoInOneProcessKnowNothingOfEachOther) {
  FakeServer up;
  FakeServer down;
  down.refuses = pq::ConnectFailure{.error = base::Error("no")};
  const auto first = Make(up);
  const auto second = Make(down);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Value(first->Collect({.deadline = In(seconds(5))}), "pg_up"), 1);
    EXPECT_EQ(Value(second->Collect({.deadline = In(seconds(5))}), "pg_up"), 0);
  }
  EXPECT_EQ(Value(first->Collect({.deadline = In(seconds(5))}), "pg_exporter_scrapes_total"), 4);
}

TEST_F(PostgresExporterTest, SelectsByFlagAndByRequest) {
  FakeServer server;
  const auto exporter = Make(server, {.selection = {.named = {{"locks", false}}}});
  const auto error_of = [&](const ScrapeRequest& request) {
    const auto result = exporter->Collect(request);
    return result.ok() ? "ok" : result.error().message();
  };
  const base::MonotonicTime deadline = In(seconds(5));
  EXPECT_EQ(error_of({.deadline = deadline, .collect = {"roles"}}), "ok");
  EXPECT_EQ(server.seen.size(), 2U);
  EXPECT_EQ(error_of({.deadline = deadline, .collect = {"locks"}}), "disabled collector: locks");
  EXPECT_EQ(error_of({.deadline = deadline, .collect = {"nope"}}), "missing collector: nope");
  EXPECT_NE(error_of({.deadline = deadline, .collect = {"roles"}, .exclude = {"wal"}}), "ok");
}

TEST_F(PostgresExporterTest, AThreadThatHangsCostsAScrapeItsDeadlineOnly) {
  Gate gate;
  FakeServer server;
  server.on_run = [&] { gate.Pass(); };
  const auto exporter = Make(server);
  const auto start = std::chrono::steady_clock::now();
  const auto page = exporter->Collect({.deadline = In(milliseconds(100))});
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(3));
  EXPECT_EQ(Value(page, "pg_up"), 0);
  gate.Open();
  EXPECT_EQ(Value(exporter->Collect({.deadline = In(seconds(5))}), "pg_up"), 1);
}

TEST_F(PostgresExporterTest, ScrapesBeyondTheLimitAreRefused) {
  Gate gate;
  FakeServer server;
  server.on_run = [&] { gate.Pass(); };
  const auto exporter = Make(server);
  const base::MonotonicTime deadline = In(seconds(30));
  std::vector<std::thread> threads;
  std::atomic<int> refused{0};
  std::atomic<int> served{0};
  constexpr int kScrapes = static_cast<int>(kMaxWaitingScrapes) + 10;
  threads.reserve(kScrapes);
  for (int i = 0; i < kScrapes; ++i) {
    threads.emplace_back([&] {
      const auto page = exporter->Collect({.deadline = deadline});
      page.ok() ? ++served : ++refused;
      if (!page.ok()) {
        EXPECT_EQ(page.error().kind(), base::ErrorKind::kResourceExhausted);
        gate.Open();  // The first that is refused ends the jam.
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_GE(refused, 1);
  EXPECT_EQ(refused + served, kScrapes);
}

TEST_F(PostgresExporterTest, EndsWhileAScrapeWaits) {
  Gate gate;
  FakeServer server;
  server.on_run = [&] { gate.Pass(); };
  auto exporter = Make(server);
  std::thread scrape([&exporter = *exporter] {
    EXPECT_TRUE(exporter.Collect({.deadline = In(milliseconds(50))}).ok());
  });
  gate.AwaitSomeone();
  scrape.join();
  gate.Open();
  exporter.reset();
}

TEST(CollectorRows, AllAreOnButThoseThatAreDearOrDoubled) {
  std::vector<std::string> off;
  for (const CollectorRow& row : CollectorRows()) {
    if (!row.enabled_by_default) {
      off.emplace_back(row.name);
    }
  }
  EXPECT_EQ(off, (std::vector<std::string>{"buffercache_summary", "process_idle",
                                           "stat_activity_autovacuum", "stat_wal_receiver",
                                           "statio_user_indexes", "xlog_location"}));
}

}  // namespace
}  // namespace exporters::postgres
