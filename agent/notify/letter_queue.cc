#include "agent/notify/letter_queue.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace notify {

void LetterQueue::Add(Letter letter, Moment now) {
  if (entries_.size() >= kMaxLetters) {
    const auto oldest =
        in_flight_ == entries_.begin() ? std::next(entries_.begin()) : entries_.begin();
    oldest->letter.reason = "too many notifications wait";
    Bury(oldest, now);
  }
  entries_.push_back({.letter = std::move(letter), .next = now.monotonic});
}

std::vector<Letter> LetterQueue::TakeAll() {
  std::vector<Letter> letters = Letters();
  entries_.clear();
  in_flight_ = entries_.end();
  return letters;
}

std::vector<Letter> LetterQueue::Letters() const {
  std::vector<Letter> letters;
  std::transform(entries_.begin(), entries_.end(), std::back_inserter(letters),
                 [](const Entry& entry) { return entry.letter; });
  return letters;
}

bool LetterQueue::Holds(const std::string& group_key) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.letter.notification->group_key == group_key;
  });
}

// Of the first letters of their groups the one that is due first, among those the least tried.
LetterQueue::Entries::const_iterator LetterQueue::Next() const {
  std::set<std::string_view> seen;
  auto best = entries_.end();
  for (auto at = entries_.begin(); at != entries_.end(); ++at) {
    if (seen.insert(at->letter.notification->group_key).second &&
        (best == entries_.end() ||
         std::tie(at->next, at->letter.attempts) < std::tie(best->next, best->letter.attempts))) {
      best = at;
    }
  }
  return best;
}

std::optional<base::MonotonicTime> LetterQueue::Due() const {
  const auto next = Next();
  return next == entries_.end() ? std::nullopt : std::optional(std::max(next->next, not_before_));
}

std::optional<Delivery> LetterQueue::Take(Moment now) {
  const auto next = Next();
  if (next == entries_.end() || std::max(next->next, not_before_) > now.monotonic) {
    return std::nullopt;
  }
  in_flight_ = entries_.erase(next, next);  // The same place, to be changed.
  return Delivery{.notification = in_flight_->letter.notification,
                  .alerts = in_flight_->letter.notification->alerts.size()};
}

void LetterQueue::Report(const Verdict& verdict, Moment now) {
  const auto entry = std::exchange(in_flight_, entries_.end());
  if (entry == entries_.end()) {
    return;
  }
  Letter& letter = entry->letter;
  ++letter.attempts;
  letter.reason = verdict.reason;
  if (verdict.kind == Verdict::Kind::kDelivered) {
    failures_ = 0;
    observer_.delivered(letter);
    entries_.erase(entry);
    return;
  }
  const bool rejected = verdict.kind == Verdict::Kind::kRejected;
  entry->rejections += rejected ? 1 : 0;
  if (entry->rejections >= kMaxRejections ||
      now.wall >= letter.notification->created + kGiveUpAfter) {
    Bury(entry, now);
    return;
  }
  const auto own_pause = BackoffAfter(letter.attempts, verdict, random_);
  entry->next =
      now.monotonic +
      (rejected ? std::max<std::chrono::milliseconds>(own_pause, kRejectedPause) : own_pause);
  // A rejection is about this letter; everything else is about the receiver.
  if (!rejected) {
    not_before_ = now.monotonic + BackoffAfter(++failures_, verdict, random_);
  }
  observer_.failed(letter);
}

void LetterQueue::Bury(Entries::iterator entry, Moment now) {
  entry->letter.died_at = now.wall;
  dropped_ += entry->letter.notification->alerts.size();
  observer_.died(entry->letter);
  entries_.erase(entry);
}

void LetterQueue::Hurry(Moment now) {
  not_before_ = now.monotonic;
  for (Entry& entry : entries_) {
    entry.next = std::min(entry.next, now.monotonic);
  }
}

}  // namespace notify
