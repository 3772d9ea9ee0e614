// What a target's series were at the last scrape: the bytes that named each, and its reference in
// the store. A page mostly repeats the last one in the same order, so the next entry of the last
// page is tried first, then a hash table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "agent/storage/appender.h"

namespace scrape {

// Thread-compatible.
class SeriesCache {
 public:
  struct Entry {
    std::string series;
    storage::SeriesRef ref = 0;  // 0: the labels must be built.
    bool dropped = false;        // By relabelling.
    bool tracked = false;        // Gets a stale marker when it vanishes.
    bool live = false;           // Has a committed sample that no stale marker has ended.
    size_t position = 0;         // In the page of the last good scrape.
    uint64_t seen = 0;           // The scrape that saw it last.
  };

  void BeginScrape() {
    ++scrape_;
    next_ = 0;
    page_.clear();
  }
  // The series that would come next if the page were the last one again.
  std::string_view Expected() const {
    return next_ < last_page_.size() ? std::string_view(last_page_[next_]->series)
                                     : std::string_view();
  }
  // Null for a series that is new.
  Entry* Find(std::string_view series);
  Entry& Add(std::string_view series);
  bool SeenBefore(const Entry& entry) const { return entry.seen == scrape_; }
  void MarkSeen(Entry& entry);

  // The series that had a sample and are not on this page. They are not live any more.
  std::vector<storage::SeriesRef> TakeVanished();
  // Of a failed scrape: every live one.
  std::vector<storage::SeriesRef> TakeAllLive();

  // After the samples are in the store: forgets what this page lacks.
  void EndScrape();
  // After a scrape whose samples were thrown away: forgets what only its page had.
  void AbandonScrape();

  // For new relabelling rules: forgets what the bytes mean, and keeps the live series as vanished
  // until a scrape shows that they are still there.
  void ForgetMeanings();

  size_t size() const { return entries_.size(); }
  // Those that relabelling did not drop.
  size_t CountKept() const;

 private:
  std::unordered_map<std::string_view, std::unique_ptr<Entry>> entries_;  // Keys point into values.
  std::vector<Entry*> last_page_;
  std::vector<Entry*> page_;
  std::unordered_set<storage::SeriesRef> orphans_;
  size_t next_ = 0;
  uint64_t scrape_ = 0;
};

}  // namespace scrape
