// The agent's configuration: whatever is in the file, a value or an error with the file's name.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "agent/config/config.h"
#include "agent/discovery/file_sd.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = config::Parse(
      text, "f.yml", [](const std::string&) { return std::optional<std::string>("x"); });
  if (config.ok()) {
    for (const auto& scrape_config : config->scrape_configs) {
      if (scrape_config.job.name.empty() ||
          scrape_config.job.timeout > scrape_config.job.interval) {
        std::abort();
      }
    }
  } else if (!config.error().message().starts_with("f.yml:")) {
    std::abort();
  }
  static_cast<void>(discovery::ParseTargetFile(text, "f.yml").ok());
  return 0;
}
