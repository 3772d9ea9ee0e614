// On disk: a version byte, then fields in order. Numbers are 8 bytes, little end first; texts and
// lists begin with their length.
#include "agent/notify/notification.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace notify {
namespace {

constexpr char kVersion = 1;
constexpr size_t kMinAlertBytes = 6 * 8;

int64_t Nanos(base::WallTime time) { return time.time_since_epoch().count(); }
base::WallTime FromNanos(int64_t nanos) { return base::WallTime(base::WallTime::duration(nanos)); }

class Encoder {
 public:
  Encoder() : out_(1, kVersion) {}

  void Number(uint64_t value) {
    for (unsigned shift = 0; shift < 64; shift += 8) {
      out_ += static_cast<char>(value >> shift & 0xffU);
    }
  }
  void Time(base::WallTime time) { Number(static_cast<uint64_t>(Nanos(time))); }
  void Text(std::string_view text) {
    Number(text.size());
    out_ += text;
  }
  void Labels(const model::Labels& labels) {
    Number(labels.size());
    for (const model::Label label : labels) {
      Text(label.name);
      Text(label.value);
    }
  }
  void One(const Alert& alert) {
    Labels(alert.labels);
    Labels(alert.annotations);
    Time(alert.starts_at);
    Time(alert.ends_at);
    Text(alert.generator_url);
    Number(alert.resolved ? 1 : 0);
  }
  std::string Take() { return std::move(out_); }

 private:
  std::string out_;
};

// After a failure everything reads as empty.
class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : rest_(bytes) {
    ok_ = rest_.starts_with(kVersion);
    rest_.remove_prefix(ok_ ? 1 : 0);
  }

  bool Finished() const { return ok_ && rest_.empty(); }

  uint64_t Number() {
    const std::string_view bytes = Bytes(8);
    uint64_t value = 0;
    for (size_t i = bytes.size(); i > 0; --i) {
      value = value << 8U | static_cast<unsigned char>(bytes[i - 1]);
    }
    return value;
  }
  base::WallTime Time() { return FromNanos(static_cast<int64_t>(Number())); }
  std::string Text() { return std::string(Bytes(Number())); }
  // A count of things that take at least `bytes` each.
  uint64_t Count(size_t bytes) {
    const uint64_t count = Number();
    ok_ = ok_ && count <= rest_.size() / bytes;
    return ok_ ? count : 0;
  }
  model::Labels Labels() {
    model::LabelsBuilder builder;
    for (uint64_t left = Count(16); left > 0; --left) {
      const std::string name = Text();
      builder.Set(name, Text());
    }
    return builder.Build();
  }
  Alert One() {
    Alert alert;
    alert.labels = Labels();
    alert.annotations = Labels();
    alert.starts_at = Time();
    alert.ends_at = Time();
    alert.generator_url = Text();
    alert.resolved = Number() == 1;
    return alert;
  }

 private:
  std::string_view Bytes(uint64_t size) {
    ok_ = ok_ && size <= rest_.size();
    const std::string_view bytes = rest_.substr(0, ok_ ? size : 0);
    rest_.remove_prefix(bytes.size());
    return bytes;
  }

  std::string_view rest_;
  bool ok_ = false;
};

base::Error Damaged(std::string_view what) {
  return base::Error(fmt::format("{} on disk is damaged", what), base::ErrorKind::kInvalidArgument);
}

std::string Hex(const unsigned char* bytes, size_t size) {
  std::string text;
  for (size_t i = 0; i < size; ++i) {
    text += fmt::format("{:02x}", bytes[i]);
  }
  return text;
}

}  // namespace

size_t Notification::firing() const {
  return static_cast<size_t>(std::count_if(alerts.begin(), alerts.end(),
                                           [](const Alert& alert) { return !alert.resolved; }));
}

std::string NotificationKey(const Notification& notification) {
  std::string text = notification.integration + "\n" + notification.group_key + "\n";
  for (const Alert& alert : notification.alerts) {
    text += fmt::format("{:016x} {} {}\n", alert.labels.Fingerprint(), alert.resolved,
                        Nanos(alert.starts_at));
  }
  constexpr size_t kKeyDigits = 32;
  return Sha256Hex(text + std::to_string(Nanos(notification.created))).substr(0, kKeyDigits);
}

std::string EncodeAlert(const Alert& alert) {
  Encoder encoder;
  encoder.One(alert);
  return encoder.Take();
}

base::Result<Alert> DecodeAlert(std::string_view bytes) {
  Decoder decoder(bytes);
  Alert alert = decoder.One();
  return decoder.Finished() ? base::Result<Alert>(std::move(alert)) : Damaged("an alert");
}

std::string EncodeNotification(const Notification& notification) {
  Encoder encoder;
  for (const std::string* text : {&notification.key, &notification.integration,
                                  &notification.receiver, &notification.group_key}) {
    encoder.Text(*text);
  }
  encoder.Labels(notification.group_labels);
  encoder.Time(notification.created);
  encoder.Number(notification.alerts.size());
  for (const Alert& alert : notification.alerts) {
    encoder.One(alert);
  }
  return encoder.Take();
}

base::Result<Notification> DecodeNotification(std::string_view bytes) {
  Decoder decoder(bytes);
  Notification notification;
  for (std::string* text : {&notification.key, &notification.integration, &notification.receiver,
                            &notification.group_key}) {
    *text = decoder.Text();
  }
  notification.group_labels = decoder.Labels();
  notification.created = decoder.Time();
  for (uint64_t left = decoder.Count(kMinAlertBytes); left > 0; --left) {
    notification.alerts.push_back(decoder.One());
  }
  return decoder.Finished() ? base::Result<Notification>(std::move(notification))
                            : Damaged("a notification");
}

std::string Sha256Hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return Hex(digest.data(), size);
}

std::string HmacSha256Hex(std::string_view key, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data(), &size);
  return Hex(digest.data(), size);
}

}  // namespace notify
