// Silences: who wants which alerts kept quiet, from when to when.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/notify/matcher_text.h"
#include "lib/base/clock.h"
#include "lib/base/result.h"

namespace notify {

inline constexpr size_t kMaxSilences = 10'000;
inline constexpr size_t kMaxSilenceTextBytes = 64 << 10;
// Ended silences are shown for so long.
inline constexpr std::chrono::hours kKeepSilence{120};

struct Silence {
  enum class State { kPending, kActive, kExpired };

  std::string id;
  Matchers matchers;
  base::WallTime starts_at;
  base::WallTime ends_at;
  base::WallTime updated_at;
  std::string created_by;
  std::string comment;

  State StateAt(base::WallTime now) const {
    return now < starts_at ? State::kPending : now < ends_at ? State::kActive : State::kExpired;
  }
};

// "pending", "active", "expired".
std::string_view SilenceStateName(Silence::State state);

// A random UUID.
std::string NewSilenceId();

// Thread-compatible.
class SilenceSet {
 public:
  // What Set and Expire changed, to be stored.
  using Changes = std::vector<Silence>;

  // Without an id, or when it changes what is silenced, a new silence is made and an active one
  // ends. Errors: kInvalidArgument, kNotFound (the id), kResourceExhausted. The first of the
  // changes is the silence that now holds.
  base::Result<Changes> Set(Silence silence, base::WallTime now);
  // Errors: kNotFound, kInvalidArgument (it has ended already).
  base::Result<Changes> Expire(const std::string& id, base::WallTime now);
  // Forgets those that ended long ago; the ids of them.
  std::vector<std::string> Forget(base::WallTime now);
  // As it was stored.
  void Restore(Silence silence) { silences_[silence.id] = std::move(silence); }

  // Ids of the silences that mute an alert.
  std::vector<std::string> Muting(const model::Labels& labels, base::WallTime now) const;
  const std::map<std::string, Silence>& all() const { return silences_; }

 private:
  std::map<std::string, Silence> silences_;
};

// For the disk and back.
std::string EncodeSilence(const Silence& silence);
base::Result<Silence> DecodeSilence(std::string_view bytes);

}  // namespace notify
