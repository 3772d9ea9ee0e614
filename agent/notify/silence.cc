#include "agent/notify/silence.h"

#include <algorithm>
#include <array>
#include <random>

#include <fmt/format.h>

#include "agent/notify/notification.h"

namespace notify {
namespace {

base::Error Invalid(std::string message) {
  return base::Error(std::move(message), base::ErrorKind::kInvalidArgument);
}

base::Result<void> Check(const Silence& silence, base::WallTime now) {
  if (silence.matchers.empty()) {
    return Invalid("invalid silence: at least one matcher required");
  }
  // One that matches the absence of labels only would silence everything else too.
  if (std::all_of(silence.matchers.begin(), silence.matchers.end(),
                  [](const model::Matcher& matcher) { return matcher.Matches(""); })) {
    return Invalid("invalid silence: at least one matcher must not match the empty string");
  }
  if (silence.ends_at <= silence.starts_at) {
    return Invalid("invalid silence: end time must be after start time");
  }
  if (silence.ends_at <= now) {
    return Invalid("end time can't be in the past");
  }
  if (silence.comment.size() + silence.created_by.size() > kMaxSilenceTextBytes) {
    return base::Error(
        fmt::format("comment and author are longer than {} bytes", kMaxSilenceTextBytes),
        base::ErrorKind::kResourceExhausted);
  }
  return {};
}

bool SameMatchers(const Silence& a, const Silence& b) {
  return FormatMatchers(a.matchers) == FormatMatchers(b.matchers);
}

// A change that can be made to the silence itself; what was silent in the past stays as it was.
bool CanUpdate(const Silence& before, const Silence& after, base::WallTime now) {
  if (!SameMatchers(before, after)) {
    return false;
  }
  switch (before.StateAt(now)) {
    case Silence::State::kActive:
      return before.starts_at == after.starts_at && after.ends_at >= now;
    case Silence::State::kPending:
      return after.starts_at >= now;
    case Silence::State::kExpired:
      return false;
  }
  return false;
}

}  // namespace

std::string_view SilenceStateName(Silence::State state) {
  constexpr std::string_view kNames[] = {"pending", "active", "expired"};
  return kNames[static_cast<size_t>(state)];
}

std::string NewSilenceId() {
  std::random_device random;
  std::array<uint32_t, 4> words{};
  std::generate(words.begin(), words.end(), [&random] { return random(); });
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:04x}{:08x}", words[0], words[1] >> 16U,
                     words[1] & 0xfffU, 0x8000U | (words[2] >> 16U & 0x3fffU), words[2] & 0xffffU,
                     words[3]);
}

base::Result<SilenceSet::Changes> SilenceSet::Set(Silence silence, base::WallTime now) {
  Changes changes;
  const auto before = silences_.find(silence.id);
  if (!silence.id.empty() && before == silences_.end()) {
    return base::Error(fmt::format("silence {} not found", silence.id), base::ErrorKind::kNotFound);
  }
  const bool update = before != silences_.end() && CanUpdate(before->second, silence, now);
  if (!update) {
    silence.starts_at = std::max(silence.starts_at, now);
  }
  RETURN_IF_ERROR(Check(silence, now));
  if (!update && silences_.size() >= kMaxSilences) {
    return base::Error(fmt::format("there are {} silences already", kMaxSilences),
                       base::ErrorKind::kResourceExhausted);
  }
  silence.updated_at = now;
  if (!update) {
    silence.id = NewSilenceId();
  }
  changes.push_back(silence);
  if (!update && before != silences_.end() &&
      before->second.StateAt(now) != Silence::State::kExpired) {
    ASSIGN_OR_RETURN(const Changes ended, Expire(before->first, now));
    changes.insert(changes.end(), ended.begin(), ended.end());
  }
  silences_[silence.id] = silence;
  return changes;
}

base::Result<SilenceSet::Changes> SilenceSet::Expire(const std::string& id, base::WallTime now) {
  const auto at = silences_.find(id);
  if (at == silences_.end()) {
    return base::Error(fmt::format("silence {} not found", id), base::ErrorKind::kNotFound);
  }
  Silence& silence = at->second;
  if (silence.StateAt(now) == Silence::State::kExpired) {
    return Invalid(fmt::format("silence {} already expired", id));
  }
  silence.starts_at = std::min(silence.starts_at, now);
  silence.ends_at = now;
  silence.updated_at = now;
  return Changes{silence};
}

std::vector<std::string> SilenceSet::Forget(base::WallTime now) {
  std::vector<std::string> forgotten;
  for (auto at = silences_.begin(); at != silences_.end();) {
    if (now >= at->second.ends_at + kKeepSilence) {
      forgotten.push_back(at->first);
      at = silences_.erase(at);
    } else {
      ++at;
    }
  }
  return forgotten;
}

std::vector<std::string> SilenceSet::Muting(const model::Labels& labels, base::WallTime now) const {
  std::vector<std::string> ids;
  for (const auto& [id, silence] : silences_) {
    if (silence.StateAt(now) == Silence::State::kActive && MatchesAll(silence.matchers, labels)) {
      ids.push_back(id);
    }
  }
  return ids;
}

// A silence travels as an alert does: its texts as labels.
std::string EncodeSilence(const Silence& silence) {
  Alert carrier;
  carrier.labels =
      model::Labels{{"id", silence.id},
                    {"matchers", FormatMatchers(silence.matchers)},
                    {"created_by", silence.created_by},
                    {"comment", silence.comment},
                    {"updated_at", std::to_string(base::ToMillis(silence.updated_at))}};
  carrier.starts_at = silence.starts_at;
  carrier.ends_at = silence.ends_at;
  return EncodeAlert(carrier);
}

base::Result<Silence> DecodeSilence(std::string_view bytes) {
  ASSIGN_OR_RETURN(const Alert carrier, DecodeAlert(bytes));
  Silence silence;
  const auto text = [&carrier](std::string_view name) {
    return std::string(carrier.labels.Get(name));
  };
  silence.id = text("id");
  silence.created_by = text("created_by");
  silence.comment = text("comment");
  ASSIGN_OR_RETURN(silence.matchers, ParseMatchers(text("matchers")));
  silence.updated_at = base::FromMillis(std::strtoll(text("updated_at").c_str(), nullptr, 10));
  silence.starts_at = carrier.starts_at;
  silence.ends_at = carrier.ends_at;
  return silence;
}

}  // namespace notify
