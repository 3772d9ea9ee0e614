#include "agent/scrape/series_cache.h"

#include <algorithm>
#include <utility>

namespace scrape {

SeriesCache::Entry* SeriesCache::Find(std::string_view series) {
  if (Expected() == series && next_ < last_page_.size()) {
    return last_page_[next_++];
  }
  const auto found = entries_.find(series);
  if (found == entries_.end()) {
    return nullptr;
  }
  Entry* const entry = found->second.get();
  if (entry->position < last_page_.size() && last_page_[entry->position] == entry) {
    next_ = entry->position + 1;
  }
  return entry;
}

SeriesCache::Entry& SeriesCache::Add(std::string_view series) {
  auto entry = std::make_unique<Entry>();
  entry->series = series;
  Entry& added = *entry;
  entries_.emplace(added.series, std::move(entry));
  return added;
}

void SeriesCache::MarkSeen(Entry& entry) {
  entry.seen = scrape_;
  page_.push_back(&entry);
}

size_t SeriesCache::CountKept() const {
  return static_cast<size_t>(std::count_if(entries_.begin(), entries_.end(),
                                           [](const auto& one) { return !one.second->dropped; }));
}

std::vector<storage::SeriesRef> SeriesCache::TakeVanished() {
  std::vector<storage::SeriesRef> vanished;
  for (Entry* const entry : last_page_) {
    if (entry->live && entry->seen != scrape_) {
      entry->live = false;
      vanished.push_back(entry->ref);
    }
  }
  for (const Entry* const entry : page_) {
    orphans_.erase(entry->ref);
  }
  vanished.insert(vanished.end(), orphans_.begin(), orphans_.end());
  orphans_.clear();
  return vanished;
}

std::vector<storage::SeriesRef> SeriesCache::TakeAllLive() {
  std::vector<storage::SeriesRef> live(orphans_.begin(), orphans_.end());
  orphans_.clear();
  for (Entry* const entry : last_page_) {
    if (entry->live) {
      entry->live = false;
      live.push_back(entry->ref);
    }
  }
  return live;
}

void SeriesCache::EndScrape() {
  for (const Entry* const entry : last_page_) {
    if (entry->seen != scrape_) {
      entries_.erase(entries_.find(entry->series));
    }
  }
  for (size_t i = 0; i < page_.size(); ++i) {
    page_[i]->position = i;
    page_[i]->live = page_[i]->tracked && !page_[i]->dropped && page_[i]->ref != 0;
  }
  last_page_ = std::exchange(page_, {});
}

void SeriesCache::AbandonScrape() {
  for (const Entry* const entry : page_) {
    const bool known = entry->position < last_page_.size() && last_page_[entry->position] == entry;
    if (!known) {
      entries_.erase(entries_.find(entry->series));
    }
  }
  page_.clear();
}

void SeriesCache::ForgetMeanings() {
  for (const storage::SeriesRef ref : TakeAllLive()) {
    orphans_.insert(ref);
  }
  last_page_.clear();
  page_.clear();
  entries_.clear();
}

}  // namespace scrape
