// Whatever INFO says: fields and pairs to metrics.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "exporters/redis/collectors.h"
#include "lib/exposition/writer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  exporters::redis::Options options;
  options.include_modules = true;
  exporters::redis::Snapshot snapshot;
  snapshot.info = exporters::redis::Info(std::string(text));
  snapshot.options = &options;
  exporters::Scrape scrape(std::chrono::steady_clock::now());
  for (const exporters::redis::RedisCollector* collector : exporters::redis::AllCollectors()) {
    static_cast<void>(collector->collect(snapshot, scrape));
  }
  std::string page;
  exposition::WriteText(scrape.TakeFamilies(), &page);
  static_cast<void>(exporters::redis::TraitsOf(snapshot.info));
  return 0;
}
