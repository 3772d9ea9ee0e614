// One message to one integration of a receiver: what waits in its queue, on disk too.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/notify/alert.h"
#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/model/labels.h"

namespace notify {

struct Notification {
  // The same for every try, also after a restart; receivers can drop what they have seen.
  std::string key;
  std::string integration;  // "team-x/webhook[0]"
  std::string receiver;     // "team-x"
  std::string group_key;
  model::Labels group_labels;
  std::vector<Alert> alerts;  // As the receiver is to be told; `resolved` is set.
  base::WallTime created;

  size_t firing() const;
  bool resolved() const { return firing() == 0; }
};

// A hash of all that makes two notifications different.
std::string NotificationKey(const Notification& notification);

// For the disk; versioned, bounded. Decode is pure. Errors: kInvalidArgument.
std::string EncodeNotification(const Notification& notification);
base::Result<Notification> DecodeNotification(std::string_view bytes);
std::string EncodeAlert(const Alert& alert);
base::Result<Alert> DecodeAlert(std::string_view bytes);

// In hexadecimal.
std::string Sha256Hex(std::string_view bytes);
std::string HmacSha256Hex(std::string_view key, std::string_view bytes);

}  // namespace notify
