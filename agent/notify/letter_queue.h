// The notifications that one integration has yet to take, in order. What fails may not hold up
// other groups: the least tried goes first, but within a group the order stays. A receiver that
// does not answer is left alone for a while as a whole.
#pragma once

#include <functional>
#include <list>
#include <optional>
#include <string>

#include "agent/notify/ledger.h"
#include "agent/notify/outbox.h"
#include "agent/notify/retry.h"

namespace notify {

inline constexpr size_t kMaxLetters = 10'000;  // Beyond it the oldest becomes a dead letter.
// Given up after so many answers that the request is wrong, and so long without any good one.
inline constexpr int kMaxRejections = 3;
inline constexpr std::chrono::minutes kRejectedPause{5};
inline constexpr std::chrono::hours kGiveUpAfter{24};

class LetterQueue final : public Outbox {
 public:
  // What became of a letter; called before the queue forgets it.
  struct Observer {
    std::function<void(const Letter& letter)> delivered;
    std::function<void(const Letter& letter)> failed;
    std::function<void(const Letter& letter)> died;
  };

  LetterQueue(RandomFunc random, Observer observer)
      : random_(std::move(random)), observer_(std::move(observer)) {}

  void Add(Letter letter, Moment now);
  // Removes and returns everything, oldest first.
  std::vector<Letter> TakeAll();
  std::vector<Letter> Letters() const;
  bool Holds(const std::string& group_key) const;

  std::optional<base::MonotonicTime> Due() const override;
  std::optional<Delivery> Take(Moment now) override;
  void Report(const Verdict& verdict, Moment now) override;
  void Hurry(Moment now) override;
  size_t undelivered() const override { return entries_.size(); }
  uint64_t dropped() const override { return dropped_; }

 private:
  struct Entry {
    Letter letter;
    int rejections = 0;
    base::MonotonicTime next;
  };
  using Entries = std::list<Entry>;

  Entries::const_iterator Next() const;
  void Bury(Entries::iterator entry, Moment now);

  const RandomFunc random_;
  const Observer observer_;
  Entries entries_;  // Oldest first.
  Entries::iterator in_flight_ = entries_.end();
  base::MonotonicTime not_before_{};
  int failures_ = 0;  // In a row, of any letter.
  uint64_t dropped_ = 0;
};

}  // namespace notify
