// The texts of notifications: Alertmanager's template names and data, our own default texts.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/notify/notification.h"
#include "agent/template/template.h"
#include "lib/base/clock.h"
#include "lib/base/result.h"

namespace notify {

inline constexpr size_t kMaxTemplateFiles = 1000;

struct TemplateFile {
  std::string name;
  std::string text;
};

// Immutable, thread-safe.
class MessageTemplates {
 public:
  // Later files replace what earlier ones and the defaults define. Errors: kInvalidArgument.
  static base::Result<MessageTemplates> Make(const std::vector<TemplateFile>& files);

  // Reads what the patterns name. Errors: files that cannot be read or parsed.
  static base::Result<MessageTemplates> Load(const std::vector<std::string>& patterns);

  // Whether `text` is a template at all; whom it calls is only seen when it is expanded.
  base::Result<void> Check(std::string_view text) const;

 private:
  friend class MessageTexts;
  std::vector<tmpl::Template> libraries_;  // Those that win come first.
};

// The labels and annotations that all alerts have alike.
model::Labels CommonPairs(const std::vector<Alert>& alerts, model::Labels Alert::*of);

// Expands the texts of one notification. Remembers the first failure, so that a caller expands all
// and asks once.
class MessageTexts {
 public:
  MessageTexts(const MessageTemplates& templates, const Notification& notification,
               const std::string& external_url, base::WallTime now);

  // "" after a failure.
  std::string Expand(std::string_view text);
  base::Result<void> status() const { return status_; }

 private:
  const MessageTemplates& templates_;
  tmpl::Value data_;
  tmpl::Environment environment_;
  base::Result<void> status_;
};

}  // namespace notify
