#include "agent/notify/courier.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "lib/base/duration.h"

namespace notify {
namespace {

constexpr std::chrono::milliseconds kMostTime{60'000};
constexpr std::chrono::hours kIdle{1};  // A new alert wakes earlier.

}  // namespace

Courier::Courier(std::string receiver, std::unique_ptr<Outbox> outbox, DeliverFunc deliver,
                 const base::Clock& clock, const base::Logger& logger)
    : receiver_(std::move(receiver)),
      deliver_(std::move(deliver)),
      clock_(clock),
      logger_(logger),
      outbox_(std::move(outbox)),
      wake_(std::make_shared<base::StopSignal>()),
      thread_([this] { Work(); }) {}

Courier::~Courier() {
  RequestStop(std::chrono::milliseconds(0));
  Join();
}

bool Courier::Change(const std::function<void(Outbox& outbox, Moment now)>& change) {
  const Moment now = Now();
  base::MutexLock lock(mutex_);
  if (stopping_) {
    return false;
  }
  change(*outbox_, now);
  wake_->Request();
  return true;
}

void Courier::Look(const std::function<void(const Outbox& outbox)>& look) const {
  base::MutexLock lock(mutex_);
  look(*outbox_);
}

void Courier::RequestStop(std::chrono::milliseconds drain) {
  const Moment now = Now();
  base::MutexLock lock(mutex_);
  if (stopping_) {
    return;
  }
  stopping_ = true;
  stop_by_ = now.monotonic + drain;
  outbox_->Hurry(now);
  wake_->Request();
}

void Courier::Join() {
  if (thread_.joinable()) {
    thread_.join();
  }
}

bool Courier::Finished(Moment now) const {
  return stopping_ && (outbox_->undelivered() == 0 || now.monotonic >= stop_by_);
}

void Courier::Work() {
  for (;;) {
    const Moment now = Now();
    std::shared_ptr<base::StopSignal> wake;
    std::optional<Delivery> delivery;
    base::MonotonicTime due = now.monotonic + kIdle;
    {
      base::MutexLock lock(mutex_);
      if (Finished(now)) {
        return;
      }
      delivery = outbox_->Take(now);
      wake_ = wake = std::make_shared<base::StopSignal>();
      due = std::min(due, outbox_->Due().value_or(due));
      due = stopping_ ? std::min(due, stop_by_) : due;
    }
    if (delivery) {
      Deliver(*delivery);
    } else {
      clock_.SleepUntil(due, *wake);
    }
  }
}

void Courier::Deliver(const Delivery& delivery) {
  const base::MonotonicTime begin = clock_.Monotonic();
  std::chrono::milliseconds most_time = kMostTime;
  {
    base::MutexLock lock(mutex_);
    if (stopping_) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(stop_by_ - begin);
      most_time = std::clamp(left, std::chrono::milliseconds(1), most_time);
    }
  }
  const Verdict verdict = deliver_(delivery, most_time);
  const Moment now = Now();
  LogFailure(verdict);
  base::MutexLock lock(mutex_);
  outbox_->Report(verdict, now);
  Account(verdict, delivery, now.monotonic - begin);
}

void Courier::Account(const Verdict& verdict, const Delivery& delivery,
                      std::chrono::nanoseconds took) {
  const bool delivered = verdict.kind == Verdict::Kind::kDelivered;
  const double seconds = base::ToSeconds(took);
  const auto* const bucket =
      std::lower_bound(kLatencyBuckets.begin(), kLatencyBuckets.end(), seconds);
  ++counters_.notifications;
  counters_.failed += delivered ? 0U : 1U;
  counters_.alerts += delivered ? delivery.alerts : 0U;
  ++counters_.latency_buckets[static_cast<size_t>(bucket - kLatencyBuckets.begin())];
  counters_.latency_sum_seconds += seconds;
}

// Once while it lasts, and when it is over.
void Courier::LogFailure(const Verdict& verdict) {
  std::string before;
  {
    base::MutexLock lock(mutex_);
    before = std::exchange(last_failure_, verdict.reason);
  }
  if (verdict.reason == before) {
    return;
  }
  if (verdict.reason.empty()) {
    logger_.Info("alerts are delivered again", {{"receiver", receiver_}});
  } else {
    logger_.Warn(verdict.kind == Verdict::Kind::kRetry
                     ? "alerts could not be delivered and will be tried again"
                     : "the receiver rejects alerts: check its URL and credentials",
                 {{"receiver", receiver_}, {"error", verdict.reason}});
  }
}

CourierCounters Courier::Counters() const {
  base::MutexLock lock(mutex_);
  CourierCounters counters = counters_;
  counters.dropped = outbox_->dropped();
  counters.queue_length = outbox_->undelivered();
  return counters;
}

}  // namespace notify
