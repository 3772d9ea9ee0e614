#include "agent/state/database.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/state/state_file.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "tests/agent/state/temp_directory.h"

namespace state {
namespace {

using base::ErrorKind;
using testing::ElementsAre;
using testing::HasSubstr;

class DatabaseTest : public testing::Test {
 protected:
  Database Connect(const ConnectionOptions& options = {}) { return *file_.Connect(options); }

  TempDirectory directory_;
  base::RealClock clock_;
  base::Logger logger_{base::LogLevel::kError};
  StateFile file_ = *StateFile::Open(directory_.path(), clock_, logger_);
};

TEST_F(DatabaseTest, GivesBackWhatWasBound) {
  Database db = Connect();
  ASSERT_TRUE(db.Execute("CREATE TABLE t (i, d, s, b, n)").ok());
  const std::vector<uint8_t> blob{0, 1, 255};
  auto insert = db.Prepare("INSERT INTO t VALUES (?, ?, ?, ?, ?)");
  ASSERT_TRUE(insert.ok());
  ASSERT_TRUE(
      insert->Run(INT64_MIN, 0.1, "a\xc3\xa9", std::span<const uint8_t>(blob), nullptr).ok());
  auto rows = db.Prepare("SELECT i, d, s, b, n FROM t");
  ASSERT_TRUE(rows.ok());
  ASSERT_TRUE(*rows->Step());
  EXPECT_EQ(rows->Int(0), INT64_MIN);
  EXPECT_EQ(rows->Double(1), 0.1);
  EXPECT_EQ(rows->Text(2), "a\xc3\xa9");
  EXPECT_THAT(rows->Blob(3), ElementsAre(0, 1, 255));
  EXPECT_TRUE(rows->IsNull(4));
  EXPECT_FALSE(rows->IsNull(0));
  EXPECT_FALSE(*rows->Step());
}

TEST_F(DatabaseTest, KeepsEmptyTextAndEmptyBlobApartFromNull) {
  Database db = Connect();
  ASSERT_TRUE(db.Execute("CREATE TABLE t (s TEXT NOT NULL, b BLOB NOT NULL)").ok());
  auto insert = db.Prepare("INSERT INTO t VALUES (?, ?)");
  ASSERT_TRUE(insert->Run(std::string_view(), std::span<const uint8_t>()).ok());
  EXPECT_EQ(*db.QueryInt("SELECT count(*) FROM t WHERE s = '' AND length(b) = 0"), 1);
}

TEST_F(DatabaseTest, RunsAStatementAgainWithOtherParameters) {
  Database db = Connect();
  ASSERT_TRUE(db.Execute("CREATE TABLE t (i)").ok());
  auto insert = db.Prepare("INSERT INTO t VALUES (?)");
  ASSERT_TRUE(insert->Run(1).ok());
  ASSERT_TRUE(insert->Run(2).ok());
  ASSERT_TRUE(insert->Run().ok());  // Parameters do not stay.
  EXPECT_EQ(*db.QueryInt("SELECT sum(i) FROM t"), 3);
  EXPECT_EQ(*db.QueryInt("SELECT count(*) FROM t WHERE i IS NULL"), 1);
}

TEST_F(DatabaseTest, ReportsABindThatDoesNotFit) {
  Database db = Connect();
  auto query = db.Prepare("SELECT ?");
  query->Bind(2, 7);
  EXPECT_FALSE(query->Step().ok());
  query->Reset();
  EXPECT_TRUE(query->Step().ok());
}

TEST_F(DatabaseTest, NamesTheFileInErrors) {
  Database db = Connect();
  const auto prepared = db.Prepare("SELECT * FROM missing");
  ASSERT_FALSE(prepared.ok());
  EXPECT_THAT(prepared.error().message(), HasSubstr(file_.path()));
  EXPECT_THAT(prepared.error().message(), HasSubstr("no such table: missing"));
}

TEST_F(DatabaseTest, SaysThatThereIsNoRow) {
  Database db = Connect();
  EXPECT_EQ(db.QueryInt("SELECT 1 WHERE 0").error().kind(), ErrorKind::kNotFound);
}

TEST_F(DatabaseTest, RollsBackATransactionThatIsNotCommitted) {
  Database db = Connect();
  ASSERT_TRUE(db.Execute("CREATE TABLE t (i)").ok());
  {
    auto transaction = Transaction::Begin(db);
    ASSERT_TRUE(transaction.ok());
    ASSERT_TRUE(db.Execute("INSERT INTO t VALUES (1)").ok());
  }
  EXPECT_EQ(*db.QueryInt("SELECT count(*) FROM t"), 0);
  auto transaction = Transaction::Begin(db);
  ASSERT_TRUE(db.Execute("INSERT INTO t VALUES (1)").ok());
  ASSERT_TRUE(transaction->Commit().ok());
  EXPECT_EQ(*db.QueryInt("SELECT count(*) FROM t"), 1);
}

TEST_F(DatabaseTest, LetsOneReadWhileAnotherWrites) {
  Database writer = Connect();
  Database reader = Connect();
  ASSERT_TRUE(writer.Execute("CREATE TABLE t (i)").ok());
  auto transaction = Transaction::Begin(writer);
  ASSERT_TRUE(writer.Execute("INSERT INTO t VALUES (1)").ok());
  EXPECT_EQ(*reader.QueryInt("SELECT count(*) FROM t"), 0);
  ASSERT_TRUE(transaction->Commit().ok());
  EXPECT_EQ(*reader.QueryInt("SELECT count(*) FROM t"), 1);
}

TEST_F(DatabaseTest, SaysThatAnotherWriterHoldsTheFile) {
  Database first = Connect();
  Database second = Connect({.busy_timeout = std::chrono::milliseconds(1)});
  const auto transaction = Transaction::Begin(first);
  const auto refused = Transaction::Begin(second);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kUnavailable);
}

TEST_F(DatabaseTest, SaysThatTheFileIsFull) {
  Database db = Connect();
  ASSERT_TRUE(db.Execute("CREATE TABLE t (b); PRAGMA max_page_count = 8").ok());
  const auto full = db.Execute("INSERT INTO t VALUES (zeroblob(100000))");
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().kind(), ErrorKind::kResourceExhausted);
  EXPECT_THAT(full.error().message(), HasSubstr("free some space"));
  EXPECT_TRUE(db.Execute("INSERT INTO t VALUES (1)").ok());
}

TEST_F(DatabaseTest, MigratesEachSubsystemByItself) {
  constexpr std::string_view kFirst[] = {"CREATE TABLE a (i)"};
  constexpr std::string_view kBoth[] = {"CREATE TABLE a (i)", "ALTER TABLE a ADD COLUMN j"};
  constexpr std::string_view kOther[] = {"CREATE TABLE b (i)"};
  Database db = Connect();
  ASSERT_TRUE(db.Migrate("one", kFirst).ok());
  ASSERT_TRUE(db.Migrate("one", kFirst).ok());
  ASSERT_TRUE(db.Migrate("two", kOther).ok());
  ASSERT_TRUE(db.Migrate("one", kBoth).ok());
  EXPECT_TRUE(db.Execute("INSERT INTO a (i, j) VALUES (1, 2); INSERT INTO b VALUES (1)").ok());
}

TEST_F(DatabaseTest, MigratesCompletelyOrNotAtAll) {
  constexpr std::string_view kBroken[] = {"CREATE TABLE a (i)", "CREATE TABLE a (i)"};
  constexpr std::string_view kSound[] = {"CREATE TABLE a (i)", "CREATE TABLE c (i)"};
  Database db = Connect();
  EXPECT_FALSE(db.Migrate("one", kBroken).ok());
  EXPECT_TRUE(db.Migrate("one", kSound).ok());
}

TEST_F(DatabaseTest, RefusesTablesOfANewerVersion) {
  constexpr std::string_view kNew[] = {"CREATE TABLE a (i)", "CREATE TABLE c (i)"};
  constexpr std::string_view kOld[] = {"CREATE TABLE a (i)"};
  Database db = Connect();
  ASSERT_TRUE(db.Migrate("one", kNew).ok());
  const auto refused = db.Migrate("one", kOld);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(refused.error().message(), HasSubstr("a newer version wrote it"));
}

TEST_F(DatabaseTest, WritesNothingThroughAReadOnlyConnection) {
  Database db = Connect();
  ASSERT_TRUE(db.Execute("CREATE TABLE t (i)").ok());
  Database reader = Connect({.read_only = true});
  const auto refused = reader.Execute("INSERT INTO t VALUES (1)");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kPermissionDenied);
}

}  // namespace
}  // namespace state
