#include "exporters/redis/key_selector.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "lib/base/strings.h"
#include "lib/base/url.h"

namespace exporters::redis {
namespace {

constexpr std::array<std::string_view, 6> kSystems = {"laravel", "horizon", "sidekiq",
                                                      "bullmq",  "rq",      "celery"};

base::Error Bad(std::string message) {
  return base::Error(std::move(message), base::ErrorKind::kInvalidArgument);
}

// "db3" and "3" are 3.
std::optional<int64_t> ParseDatabase(std::string_view text) {
  if (text.substr(0, 2) == "db") {
    text.remove_prefix(2);
  }
  const auto number = base::ParseInt(text);
  return number.has_value() && *number >= 0 ? number : std::nullopt;
}

// Entries, trimmed, without empty ones.
base::Result<std::vector<std::string_view>> Entries(std::string_view text) {
  std::vector<std::string_view> entries;
  for (const std::string_view part : base::Split(text, ',')) {
    if (const std::string_view entry = base::TrimSpace(part); !entry.empty()) {
      entries.push_back(entry);
    }
  }
  if (entries.size() > kMaxSelectors) {
    return Bad(fmt::format("{} entries are more than {}", entries.size(), kMaxSelectors));
  }
  return entries;
}

// What follows "dbN=", and N; the whole text and 0 when there is no '='.
base::Result<std::pair<int64_t, std::string>> SplitDatabase(std::string_view entry) {
  const size_t equals = entry.find('=');
  const auto db = equals == std::string_view::npos ? std::optional<int64_t>(0)
                                                   : ParseDatabase(entry.substr(0, equals));
  if (!db.has_value()) {
    return Bad(fmt::format("\"{}\": a database is written dbN, as in db3=NAME", entry));
  }
  entry.remove_prefix(equals == std::string_view::npos ? 0 : equals + 1);
  auto decoded = base::PercentDecode(entry, false);
  if (!decoded.ok() || decoded->empty()) {
    return Bad(fmt::format("\"{}\" is no name; a percent sign is written %25", entry));
  }
  return std::pair(*db, std::move(decoded).value());
}

// Matches one character against the set that starts at pattern[0] == '['; returns the length of the
// set. An unclosed one ends with the pattern, as in Redis.
size_t MatchSet(std::string_view pattern, char c, bool* matches) {
  size_t i = 1;
  const bool negated = i < pattern.size() && pattern[i] == '^';
  i += negated ? 1U : 0U;
  bool found = false;
  while (i < pattern.size() && pattern[i] != ']') {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) {
      found = found || pattern[i + 1] == c;
      i += 2;
    } else if (i + 2 < pattern.size() && pattern[i + 1] == '-') {
      const auto [low, high] = std::minmax(pattern[i], pattern[i + 2]);
      found = found || (low <= c && c <= high);
      i += 3;
    } else {
      found = found || pattern[i] == c;
      ++i;
    }
  }
  *matches = found != negated;
  return std::min(i + 1, pattern.size());
}

// The length of the pattern's first element, if it matches `c`; 0 if not.
size_t MatchOne(std::string_view pattern, char c) {
  if (pattern.empty() || pattern[0] == '*') {
    return 0;
  }
  if (pattern[0] == '?') {
    return 1;
  }
  if (pattern[0] == '[') {
    bool matches = false;
    const size_t length = MatchSet(pattern, c, &matches);
    return matches ? length : 0;
  }
  if (pattern[0] == '\\' && pattern.size() > 1) {
    return pattern[1] == c ? 2 : 0;
  }
  return pattern[0] == c ? 1U : 0U;
}

}  // namespace

base::Result<std::vector<KeySelector>> ParseKeySelectors(std::string_view text) {
  std::vector<KeySelector> selectors;
  ASSIGN_OR_RETURN(const std::vector<std::string_view> entries, Entries(text));
  for (const std::string_view entry : entries) {
    ASSIGN_OR_RETURN(auto split, SplitDatabase(entry));
    selectors.push_back({.db = split.first, .text = std::move(split.second)});
  }
  return selectors;
}

base::Result<std::vector<QueueSelector>> ParseQueueSelectors(std::string_view text) {
  std::vector<QueueSelector> selectors;
  ASSIGN_OR_RETURN(const std::vector<std::string_view> entries, Entries(text));
  for (const std::string_view entry : entries) {
    ASSIGN_OR_RETURN(const auto split, SplitDatabase(entry));
    const size_t colon = split.second.find(':');
    QueueSelector selector{
        .db = split.first,
        .system = split.second.substr(0, colon),
        .name = colon == std::string::npos ? "" : split.second.substr(colon + 1)};
    if (std::find(kSystems.begin(), kSystems.end(), selector.system) == kSystems.end()) {
      return Bad(
          fmt::format("\"{}\" is none of laravel, horizon, sidekiq, bullmq, rq and celery, as in "
                      "bullmq:bull:emails",
                      selector.system));
    }
    const bool has_registry = selector.system == "sidekiq" || selector.system == "rq";
    if (selector.name.empty() && !has_registry) {
      return Bad(fmt::format("{0}: which? As in {0}:NAME; --discover-queues finds the names itself",
                             selector.system));
    }
    selectors.push_back(std::move(selector));
  }
  return selectors;
}

// A star is tried as short as possible and made longer when the rest does not match; only the last
// star needs that, so the steps are bounded.
bool GlobMatches(std::string_view pattern, std::string_view text) {
  size_t p = 0;
  size_t t = 0;
  size_t star = std::string_view::npos;  // After the last star.
  size_t resume = 0;
  while (t < text.size()) {
    if (const size_t length = MatchOne(pattern.substr(p), text[t]); length > 0) {
      p += length;
      ++t;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      resume = t;
    } else if (star != std::string_view::npos) {
      p = star;
      t = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace exporters::redis
