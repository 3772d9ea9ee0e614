#include "exporters/postgres/collectors/settings.h"

#include <gtest/gtest.h>

namespace exporters::postgres {
namespace {

TEST(Settings, BecomeSecondsAndBytes) {
  const auto check = [](std::string_view name, std::string_view unit, std::string_view value,
                        std::string_view metric, double expected) {
    const auto sample = ParseSetting(name, unit, value);
    ASSERT_TRUE(sample.ok()) << name << ": " << sample.error().message();
    EXPECT_EQ(sample->name, metric);
    EXPECT_EQ(sample->value, expected) << name;
  };
  check("max_connections", "", "200", "pg_settings_max_connections", 200);
  check("fsync", "", "on", "pg_settings_fsync", 1);
  check("jit", "", "off", "pg_settings_jit", 0);
  check("seq_page_cost", "", "1.25", "pg_settings_seq_page_cost", 1.25);
  check("shared_buffers", "8kB", "16384", "pg_settings_shared_buffers_bytes", 134217728);
  check("work_mem", "kB", "4096", "pg_settings_work_mem_bytes", 4194304);
  check("max_wal_size", "MB", "1024", "pg_settings_max_wal_size_bytes", 1073741824);
  check("wal_segment_size", "B", "16777216", "pg_settings_wal_segment_size_bytes", 16777216);
  check("wal_unit", "16MB", "2", "pg_settings_wal_unit_bytes", 33554432);
  check("huge", "TB", "1", "pg_settings_huge_bytes", 1099511627776);
  check("deadlock_timeout", "ms", "1000", "pg_settings_deadlock_timeout_seconds", 1);
  check("bgwriter_delay", "ms", "123", "pg_settings_bgwriter_delay_seconds", 0.123);
  check("commit_us", "us", "7", "pg_settings_commit_us_seconds", 0.000007);
  check("archive_timeout", "s", "60", "pg_settings_archive_timeout_seconds", 60);
  check("log_rotation_age", "min", "1440", "pg_settings_log_rotation_age_seconds", 86400);
  check("some_hours", "h", "2", "pg_settings_some_hours_seconds", 7200);
  check("some_days", "d", "2", "pg_settings_some_days_seconds", 172800);
  // -1 is "off" or "as something else", not minus a second.
  check("autovacuum_work_mem", "kB", "-1", "pg_settings_autovacuum_work_mem_bytes", -1);
  check("log_min_duration_statement", "ms", "-1", "pg_settings_log_min_duration_statement_seconds",
        -1);
  check("auto_explain.log_timing", "", "on", "pg_settings_auto_explain_log_timing", 1);
  check("my-ext.some-thing", "", "3", "pg_settings_my_ext_some_thing", 3);
  check("rds.aurora_memory", "kB", "0.0 kB", "pg_settings_rds_aurora_memory_bytes", 0);
}

TEST(Settings, WhatHasNoNumberOrNoNameIsRefused) {
  const auto check = [](std::string_view name, std::string_view unit, std::string_view value,
                        std::string_view message) {
    const auto sample = ParseSetting(name, unit, value);
    ASSERT_FALSE(sample.ok()) << name;
    EXPECT_EQ(sample.error().message(), message);
  };
  check("a", "parsec", "1", "setting a: unknown unit: \"parsec\"");
  check("a", "8", "1", "setting a: unknown unit: \"8\"");
  check("a", "", "", "setting a: not a number: \"\"");
  check("a", "", "replica", "setting a: not a number: \"replica\"");
  check("a b", "", "1", "setting a b: no metric name: \"a b\"");
  check("caf\xc3\xa9", "", "1", "setting caf\xc3\xa9: no metric name: \"caf\xc3\xa9\"");
}

TEST(Settings, TheHelpNamesTheParameterAndItsUnit) {
  EXPECT_EQ(ParseSetting("work_mem", "kB", "1")->help, "Server parameter work_mem, in bytes.");
  EXPECT_EQ(ParseSetting("jit", "", "on")->help, "Server parameter jit.");
}

}  // namespace
}  // namespace exporters::postgres
