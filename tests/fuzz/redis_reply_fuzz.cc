// Whatever a Redis server answers: replies to metrics, the whole way.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "exporters/redis/collectors.h"
#include "lib/exposition/writer.h"
#include "tests/exporters/redis/replay.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view stream(reinterpret_cast<const char*>(data), size);
  exporters::redis::Options options;
  options.include_config_metrics = !stream.empty() && stream.back() == '*';
  const auto snapshot = exporters::redis::ReplaySnapshot(stream, options);
  if (!snapshot.ok()) {
    return 0;
  }
  exporters::Scrape scrape(std::chrono::steady_clock::now());
  for (const exporters::redis::RedisCollector* collector : exporters::redis::AllCollectors()) {
    static_cast<void>(collector->collect(*snapshot, scrape));
  }
  std::string page;
  exposition::WriteText(scrape.TakeFamilies(), &page);
  return 0;
}
