#include "exporters/pgbouncer/shows.h"

#include <algorithm>
#include <charconv>

namespace exporters::pgbouncer {

base::Result<const TextRows*> Snapshot::Get(Show show) const {
  const size_t index = static_cast<size_t>(show);
  const std::optional<Answer>& answer = answers_[index];
  if (!answer.has_value()) {
    return base::Error(std::string(kShows[index].command) + ": not asked",
                       base::ErrorKind::kUnavailable);
  }
  if (!answer->ok()) {
    return answer->error().WithContext(kShows[index].command);
  }
  return &**answer;
}

int ParseVersion(std::string_view text) {
  int version = 0;
  const char* at = std::find_if(text.data(), text.data() + text.size(),
                                [](char c) { return c >= '0' && c <= '9'; });
  for (const int weight : {10000, 100, 1}) {
    int part = 0;
    const auto [next, error] = std::from_chars(at, text.data() + text.size(), part);
    if (error != std::errc() || part < 0 || part > 99) {
      break;
    }
    version += part * weight;
    if (next == text.data() + text.size() || *next != '.') {
      break;
    }
    at = next + 1;
  }
  return version;
}

}  // namespace exporters::pgbouncer
