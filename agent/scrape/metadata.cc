#include "agent/scrape/metadata.h"

#include <algorithm>
#include <utility>

namespace scrape {

MetadataPtr MetadataPool::Intern(Metadata metadata) {
  const base::MutexLock lock(mutex_);
  if (const auto found = pool_.find(metadata); found != pool_.end()) {
    return *found;
  }
  if (pool_.size() >= next_purge_) {
    std::erase_if(pool_, [](const MetadataPtr& entry) { return entry.use_count() == 1; });
    next_purge_ = std::max(next_purge_, 2 * pool_.size());
  }
  return *pool_.insert(std::make_shared<const Metadata>(std::move(metadata))).first;
}

size_t MetadataPool::size() const {
  const base::MutexLock lock(mutex_);
  return pool_.size();
}

}  // namespace scrape
