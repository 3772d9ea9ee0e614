// The dispatcher through time, on clocks that are only numbers.
#include "agent/notify/dispatcher.h"

#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace notify {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class DispatcherTest : public testing::Test {
 protected:
  DispatcherTest() { routing_->receivers.push_back(MakeReceiver("default")); }

  static Receiver MakeReceiver(const std::string& name, bool send_resolved = true) {
    return {
        .name = name,
        .integrations = {{.send_resolved = send_resolved, .http = {}, .config = WebhookConfig{}}}};
  }
  Route& AddRoot(std::vector<std::string> group_by = {"alertname"}) {
    Route route{.receiver = "default", .matchers = {}, .group_by = std::move(group_by)};
    routing_->routes.push_back(route);
    return routing_->routes.back();
  }
  static Route Child(const std::string& matchers, const std::string& receiver, bool go_on = false) {
    Route route{.receiver = receiver, .matchers = *ParseMatchers(matchers)};
    route.continue_matching = go_on;
    route.group_by = {"alertname"};
    return route;
  }
  Dispatcher& Start() {
    for (Route& root : routing_->routes) {
      AssignRouteKeys(&root);
    }
    dispatcher_ = std::make_unique<Dispatcher>(
        routing_, silences_, [this](const std::string&, const std::string&) { return waiting_; });
    return *dispatcher_;
  }

  Alert Firing(model::Labels labels) const {
    return {
        .labels = std::move(labels), .starts_at = now_.wall, .ends_at = now_.wall + minutes(60)};
  }
  Alert Resolved(Alert alert) const {
    alert.resolved = true;
    alert.ends_at = now_.wall;
    return alert;
  }
  void Put(std::vector<Alert> alerts) { changed_ = dispatcher_->Put(std::move(alerts), now_); }
  // "receiver{group}:+a-b" for each notification since.
  std::string Pass(std::chrono::milliseconds time) {
    const base::MonotonicTime until = now_.monotonic + time;
    std::string told;
    for (auto due = dispatcher_->Due(); due && *due <= until; due = dispatcher_->Due()) {
      Move(*due - now_.monotonic);
      for (const Notification& notification : dispatcher_->Advance(now_).notifications) {
        told += Describe(notification);
        last_ = notification;
      }
    }
    Move(until - now_.monotonic);
    return told;
  }
  static std::string Describe(const Notification& notification) {
    std::string text = notification.receiver + ":";
    for (const Alert& alert : notification.alerts) {
      text += fmt::format("{}{}", alert.resolved ? '-' : '+', alert.labels.Get("i"));
    }
    return text + ";";
  }
  void Move(std::chrono::nanoseconds by) {
    now_.wall += std::chrono::duration_cast<base::WallTime::duration>(by);
    now_.monotonic += by;
  }

  std::shared_ptr<Routing> routing_ = std::make_shared<Routing>();
  SilenceSet silences_;
  std::unique_ptr<Dispatcher> dispatcher_;
  Moment now_{.wall = base::WallTime(seconds(1'800'000'000)),
              .monotonic = base::MonotonicTime(seconds(1000))};
  bool waiting_ = false;
  std::vector<Alert> changed_;
  Notification last_;
};

TEST_F(DispatcherTest, WaitsThenTellsTheGroupThenWhatChangesAtItsTicks) {
  AddRoot();
  Start();
  const Alert a = Firing({{"alertname", "A"}, {"i", "1"}});
  Put({a});
  EXPECT_EQ(Pass(seconds(29)), "");
  Put({Firing({{"alertname", "A"}, {"i", "2"}})});
  EXPECT_EQ(Pass(seconds(1)), "default:+1+2;");
  EXPECT_EQ(last_.group_key, R"({}:{alertname="A"})");
  EXPECT_EQ(last_.group_labels.ToString(), R"({alertname="A"})");
  Put({Firing({{"alertname", "A"}, {"i", "3"}})});
  EXPECT_EQ(Pass(seconds(299)), "");
  EXPECT_EQ(Pass(seconds(1)), "default:+1+2+3;");
  Put({Resolved(a)});
  EXPECT_EQ(Pass(minutes(5)), "default:-1+2+3;");
  EXPECT_EQ(Pass(minutes(5)), "") << "nothing changed";
}

TEST_F(DispatcherTest, RepeatsAtTheFirstTickAfterTheInterval) {
  AddRoot().repeat_interval = minutes(5);
  Start();
  Put({Firing({{"alertname", "A"}, {"i", "1"}})});
  EXPECT_EQ(Pass(seconds(30)), "default:+1;");
  EXPECT_EQ(Pass(minutes(5)), "") << "exactly the interval is not more than it";
  waiting_ = true;
  EXPECT_EQ(Pass(minutes(5)), "") << "an undelivered one is not repeated";
  waiting_ = false;
  EXPECT_EQ(Pass(minutes(5)), "default:+1;");
}

TEST_F(DispatcherTest, AnOldAlertDoesNotWait) {
  AddRoot();
  Start();
  Alert a = Firing({{"alertname", "A"}, {"i", "1"}});
  a.starts_at -= minutes(2);
  Put({a});
  EXPECT_EQ(Pass(seconds(0)), "default:+1;");
}

TEST_F(DispatcherTest, WhatComesAndGoesWithinAWaitIsNotTold) {
  AddRoot();
  Start();
  const Alert a = Firing({{"alertname", "A"}, {"i", "1"}});
  Put({a});
  Pass(seconds(10));
  Put({Resolved(a)});
  EXPECT_EQ(Pass(minutes(30)), "");
  EXPECT_EQ(dispatcher_->alerts(), 0U);
}

TEST_F(DispatcherTest, AnAlertThatNobodyRefreshesIsResolved) {
  AddRoot();
  Start();
  Put({Firing({{"alertname", "A"}, {"i", "1"}})});
  EXPECT_EQ(Pass(minutes(59)), "default:+1;");
  EXPECT_EQ(Pass(minutes(10)), "default:-1;");
}

TEST_F(DispatcherTest, AWallClockThatJumpsResolvesNothing) {
  AddRoot();
  Start();
  Put({Firing({{"alertname", "A"}, {"i", "1"}})});
  EXPECT_EQ(Pass(minutes(1)), "default:+1;");
  now_.wall += std::chrono::hours(2);
  EXPECT_EQ(Pass(minutes(10)), "");
}

TEST_F(DispatcherTest, OnlyChangesAreToBeStored) {
  AddRoot();
  Start();
  Alert a = Firing({{"alertname", "A"}});
  Put({a});
  EXPECT_EQ(changed_.size(), 1U);
  a.ends_at += minutes(1);
  Put({a});
  EXPECT_EQ(changed_.size(), 0U) << "a refresh";
  Put({Resolved(a)});
  EXPECT_EQ(changed_.size(), 1U);
}

TEST_F(DispatcherTest, ReceiversThatDoNotWantResolutionsGetNone) {
  routing_->receivers[0] = MakeReceiver("default", false);
  AddRoot();
  Start();
  const Alert a = Firing({{"alertname", "A"}, {"i", "1"}});
  const Alert b = Firing({{"alertname", "A"}, {"i", "2"}});
  Put({a, b});
  EXPECT_EQ(Pass(minutes(1)), "default:+1+2;");
  Put({Resolved(a)});
  EXPECT_EQ(Pass(minutes(6)), "");
  Put({Resolved(b)});
  EXPECT_EQ(Pass(minutes(6)), "");
  Put({Firing({{"alertname", "A"}, {"i", "1"}})});
  EXPECT_EQ(Pass(minutes(6)), "default:+1;") << "all were over, so this is new";
}

TEST_F(DispatcherTest, RoutesByTheTree) {
  for (const char* name : {"db", "page", "all"}) {
    routing_->receivers.push_back(MakeReceiver(name));
  }
  Route& root = AddRoot();
  Route all = Child("i=~\".+\"", "all", true);
  Route db = Child("team=db", "db");
  db.routes.push_back(Child("severity=page", "page"));
  root.routes = {all, db, Child("severity=page", "default")};
  Start();
  Put({Firing({{"alertname", "A"}, {"i", "1"}, {"team", "db"}, {"severity", "page"}})});
  EXPECT_EQ(Pass(minutes(1)), "all:+1;page:+1;");
  EXPECT_EQ(last_.group_key, R"({}/{team="db"}/{severity="page"}:{alertname="A"})");
  Put({Firing({{"alertname", "B"}, {"team", "db"}, {"severity", "info"}})});
  EXPECT_EQ(Pass(minutes(1)), "db:+;");
  Put({Firing({{"alertname", "C"}})});
  EXPECT_EQ(Pass(minutes(1)), "default:+;") << "no child takes it";
}

TEST_F(DispatcherTest, GroupsByAllLabels) {
  AddRoot({}).group_by_all = true;
  Start();
  Put({Firing({{"alertname", "A"}, {"i", "1"}}), Firing({{"alertname", "A"}, {"i", "2"}})});
  EXPECT_EQ(Pass(minutes(1)), "default:+1;default:+2;");
}

TEST_F(DispatcherTest, SourcesInhibitTargetsWithEqualLabels) {
  AddRoot({"cluster"});
  routing_->inhibit_rules.push_back({.source_matchers = *ParseMatchers("severity=critical"),
                                     .target_matchers = *ParseMatchers("severity=warning"),
                                     .equal = {"host", "absent"}});
  Start();
  const Alert source = Firing({{"severity", "critical"}, {"host", "a"}, {"i", "s"}});
  Put({source, Firing({{"severity", "warning"}, {"host", "a"}, {"i", "1"}}),
       Firing({{"severity", "warning"}, {"host", "b"}, {"i", "2"}})});
  EXPECT_EQ(Pass(minutes(1)), "default:+s+2;");
  EXPECT_EQ(dispatcher_->Alerts(now_).size(), 3U);
  Put({Resolved(source)});
  EXPECT_EQ(Pass(minutes(6)), "default:+1-s+2;");
}

TEST_F(DispatcherTest, AnAlertOnBothSidesOfARuleInhibitsNoneLikeIt) {
  AddRoot({"cluster"});
  routing_->inhibit_rules.push_back({.source_matchers = *ParseMatchers("a=1"),
                                     .target_matchers = *ParseMatchers("a=1"),
                                     .equal = {}});
  Start();
  Put({Firing({{"a", "1"}, {"i", "1"}}), Firing({{"a", "1"}, {"i", "2"}})});
  EXPECT_EQ(Pass(minutes(1)), "default:+1+2;");
}

TEST_F(DispatcherTest, SilencesHoldBackUntilTheyEnd) {
  AddRoot();
  Start();
  Silence silence;
  silence.matchers = *ParseMatchers("i=1");
  silence.starts_at = now_.wall;
  silence.ends_at = now_.wall + minutes(7);
  ASSERT_TRUE(silences_.Set(silence, now_.wall).ok());
  Put({Firing({{"alertname", "A"}, {"i", "1"}}), Firing({{"alertname", "A"}, {"i", "2"}})});
  EXPECT_EQ(Pass(minutes(6)), "default:+2;");
  EXPECT_EQ(dispatcher_->Alerts(now_)[0].silenced_by.size(), 1U);
  EXPECT_EQ(Pass(minutes(5)), "default:+1+2;");
}

TEST_F(DispatcherTest, MuteAndActiveTimesOfARoute) {
  Route& root = AddRoot();
  root.active_time_intervals = {"office"};
  TimeInterval office;
  office.minutes = {*ParseMinutes("09:00", "17:00")};  // The clock starts at 08:00 UTC.
  routing_->time_intervals["office"] = {office};
  Start();
  Put({Firing({{"alertname", "A"}, {"i", "1"}})});
  EXPECT_EQ(Pass(minutes(59)), "");
  EXPECT_TRUE(dispatcher_->Alerts(now_)[0].muted);
  Put({Firing({{"alertname", "A"}, {"i", "1"}})});
  EXPECT_EQ(Pass(minutes(10)), "default:+1;");
}

TEST_F(DispatcherTest, OrdersAsAlertmanagerDoes) {
  AddRoot({"cluster"});
  Start();
  Put({Firing({{"i", "no job"}}), Firing({{"job", "b"}, {"i", "1"}}),
       Firing({{"job", "a"}, {"instance", "2"}, {"i", "2"}}),
       Firing({{"job", "a"}, {"instance", "1"}, {"i", "3"}, {"x", "y"}}),
       Firing({{"job", "a"}, {"instance", "1"}, {"i", "4"}})});
  EXPECT_EQ(Pass(minutes(1)), "default:+4+3+2+1+no job;");
}

TEST_F(DispatcherTest, AfterARestartTheLogKeepsItQuietAndResolutionsAreTold) {
  AddRoot();
  Start();
  const Alert a = Firing({{"alertname", "A"}, {"i", "1"}});
  Put({a});
  Pass(seconds(29));
  Move(seconds(1));
  const auto changes = dispatcher_->Advance(now_);
  ASSERT_EQ(changes.log.size(), 1U);
  Move(minutes(90));
  Start();
  dispatcher_->RestoreLog(changes.log[0]);
  dispatcher_->RestoreAlert(a, now_);
  EXPECT_EQ(Pass(minutes(4)), "");
  Put({Resolved(a)});
  EXPECT_EQ(Pass(minutes(5)), "default:-1;");
  EXPECT_EQ(dispatcher_->alerts(), 0U);
}

TEST_F(DispatcherTest, AnAlertStoredAsFiringIsGivenTimeToBeHeardOfAgain) {
  AddRoot();
  Start();
  Alert a = Firing({{"alertname", "A"}, {"i", "1"}});
  Move(std::chrono::hours(3));
  dispatcher_->RestoreLog({.integration = "default/webhook[0]",
                           .group_key = R"({}:{alertname="A"})",
                           .firing = {a.labels.Fingerprint()},
                           .resolved = {},
                           .told_at = now_.wall,
                           .expires_at = now_.wall + kKeepLog});
  dispatcher_->RestoreAlert(a, now_);
  EXPECT_EQ(Pass(seconds(299)), "");
  EXPECT_EQ(Pass(minutes(10)), "default:-1;");
}

TEST_F(DispatcherTest, OtherRoutesMakeOtherGroups) {
  AddRoot();
  Start();
  Put({Firing({{"alertname", "A"}, {"i", "1"}})});
  EXPECT_EQ(Pass(minutes(1)), "default:+1;");
  auto other = std::make_shared<Routing>(*routing_);
  dispatcher_->Reroute(other, now_);
  EXPECT_EQ(Pass(minutes(1)), "") << "the same group";
  other = std::make_shared<Routing>(*routing_);
  other->routes[0].group_by = {"i"};
  dispatcher_->Reroute(other, now_);
  EXPECT_EQ(Pass(minutes(1)), "default:+1;");
}

TEST_F(DispatcherTest, RefusesMoreAlertsThanItsLimit) {
  AddRoot({"cluster"});
  Start();
  std::vector<Alert> alerts;
  for (size_t i = 0; i < kMaxAlerts + 3; ++i) {
    alerts.push_back(Firing({{"i", std::to_string(i)}}));
  }
  Put(std::move(alerts));
  EXPECT_EQ(dispatcher_->alerts(), kMaxAlerts);
  EXPECT_EQ(dispatcher_->refused(), 3U);
}

TEST(NotificationCodec, GivesBackWhatItTook) {
  Notification notification{.key = "k",
                            .integration = "r/webhook[0]",
                            .receiver = "r",
                            .group_key = "{}:{}",
                            .group_labels = {{"a", "b"}},
                            .alerts = {{.labels = {{"x", "y"}},
                                        .annotations = {{"s", "\n"}},
                                        .starts_at = base::FromMillis(-5),
                                        .ends_at = base::FromMillis(7),
                                        .generator_url = "u",
                                        .resolved = true}},
                            .created = base::FromMillis(9)};
  const std::string bytes = EncodeNotification(notification);
  const auto decoded = DecodeNotification(bytes);
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(EncodeNotification(*decoded), bytes);
  EXPECT_EQ(decoded->alerts[0].annotations.Get("s"), "\n");
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(DecodeNotification(bytes.substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(DecodeNotification(bytes + "x").ok());
}

TEST(NotificationKey, TellsEveryTransitionApart) {
  Notification one{.integration = "i", .group_key = "g", .alerts = {{.labels = {{"a", "b"}}}}};
  Notification other = one;
  EXPECT_EQ(NotificationKey(one), NotificationKey(other));
  other.alerts[0].resolved = true;
  EXPECT_NE(NotificationKey(one), NotificationKey(other));
  other = one;
  other.created += seconds(1);
  EXPECT_NE(NotificationKey(one), NotificationKey(other)) << "a repeat";
}

TEST(HmacSha256, AgreesWithRfc4231) {
  EXPECT_EQ(HmacSha256Hex("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

class SilenceSetTest : public testing::Test {
 protected:
  Silence Make() const {
    Silence silence;
    silence.matchers = *ParseMatchers("a=b");
    silence.starts_at = now_;
    silence.ends_at = now_ + minutes(10);
    return silence;
  }
  base::WallTime now_{seconds(1'800'000'000)};
  SilenceSet set_;
};

TEST_F(SilenceSetTest, ChangingTheMatchersMakesANewOneAndEndsTheOld) {
  const auto first = set_.Set(Make(), now_);
  ASSERT_TRUE(first.ok());
  Silence longer = (*first)[0];
  longer.ends_at += minutes(5);
  const auto second = set_.Set(longer, now_ + minutes(1));
  ASSERT_TRUE(second.ok());
  EXPECT_EQ((*second)[0].id, longer.id);
  Silence other = longer;
  other.matchers = *ParseMatchers("a=c");
  const auto third = set_.Set(other, now_ + minutes(1));
  ASSERT_TRUE(third.ok());
  EXPECT_NE((*third)[0].id, longer.id);
  EXPECT_EQ(set_.all().at(longer.id).StateAt(now_ + minutes(1)), Silence::State::kExpired);
  EXPECT_EQ(set_.Muting({{"a", "c"}}, now_ + minutes(2)).size(), 1U);
  EXPECT_EQ(set_.Muting({{"a", "b"}}, now_ + minutes(2)).size(), 0U);
}

TEST_F(SilenceSetTest, RefusesWhatSilencesNothingOrEverything) {
  Silence bad = Make();
  bad.ends_at = bad.starts_at;
  EXPECT_FALSE(set_.Set(bad, now_).ok());
  bad = Make();
  EXPECT_FALSE(set_.Set(bad, now_ + minutes(20)).ok()) << "over already";
  bad.matchers.clear();
  EXPECT_FALSE(set_.Set(bad, now_).ok());
  bad.matchers = *ParseMatchers("a=~\".*\"");
  EXPECT_FALSE(set_.Set(bad, now_).ok());
  bad = Make();
  bad.id = "unknown";
  EXPECT_EQ(set_.Set(bad, now_).error().kind(), base::ErrorKind::kNotFound);
  bad = Make();
  bad.comment.assign(kMaxSilenceTextBytes + 1, 'x');
  EXPECT_FALSE(set_.Set(bad, now_).ok());
}

TEST_F(SilenceSetTest, ExpiresAndForgets) {
  const std::string id = (*set_.Set(Make(), now_))[0].id;
  EXPECT_TRUE(set_.Expire(id, now_ + minutes(1)).ok());
  EXPECT_FALSE(set_.Expire(id, now_ + minutes(2)).ok());
  EXPECT_FALSE(set_.Expire("unknown", now_).ok());
  EXPECT_TRUE(set_.Forget(now_ + minutes(5)).empty());
  EXPECT_EQ(set_.Forget(now_ + kKeepSilence + minutes(5)), std::vector<std::string>{id});
}

TEST_F(SilenceSetTest, GivesBackWhatWasStored) {
  Silence silence = Make();
  silence.id = NewSilenceId();
  silence.comment = "why, \"so\"";
  silence.created_by = "me";
  const auto decoded = DecodeSilence(EncodeSilence(silence));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(EncodeSilence(*decoded), EncodeSilence(silence));
  EXPECT_EQ(silence.id.size(), 36U);
}

}  // namespace
}  // namespace notify
