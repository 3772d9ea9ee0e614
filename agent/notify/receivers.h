// The kinds of receivers: how each makes a message of a notification, and what its answer means.
// One row a kind in receivers.cc.
#pragma once

#include <chrono>
#include <string>
#include <variant>

#include "agent/notify/message_templates.h"
#include "agent/notify/notification.h"
#include "agent/notify/retry.h"
#include "agent/notify/routing.h"
#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/http/client.h"
#include "lib/http/smtp.h"

namespace notify {

inline constexpr std::chrono::milliseconds kDefaultTimeout{10'000};

// What goes over the wire.
struct Post {
  http::ClientRequest request;
  base::Secret bearer_token = {};  // Else credentials are those of http_config.
};
using Message = std::variant<Post, http::Mail>;

struct Composing {
  const Integration& integration;
  const Notification& notification;
  const MessageTemplates& templates;
  const std::string& external_url;
  base::WallTime now;
};

// Reads secrets from their files. Errors: kInvalidArgument (a template that fails), a file that
// cannot be read.
base::Result<Message> Compose(const Composing& composing);
Verdict Interpret(const Integration& integration,
                  const base::Result<http::ClientResponse>& response, base::WallTime now);

// Composes, sends and interprets.
Verdict Send(const Composing& composing, std::chrono::milliseconds most_time);

// With what the sources hold now. Errors: a file that cannot be read.
base::Result<http::ClientOptions> ClientOptionsOf(const HttpConfig& config);

// The templates of an integration parse. Errors: kInvalidArgument.
base::Result<void> CheckTemplates(const Integration& integration,
                                  const MessageTemplates& templates);

// webhook.cc: the body, version "4".
std::string WebhookBody(const Notification& notification, const std::string& external_url,
                        uint64_t max_alerts);

// One function a kind.
base::Result<Message> ComposeWebhook(const Composing& composing);
base::Result<Message> ComposeSlack(const Composing& composing);
base::Result<Message> ComposeEmail(const Composing& composing);
base::Result<Message> ComposePagerduty(const Composing& composing);
Verdict InterpretSlack(const base::Result<http::ClientResponse>& response, base::WallTime now);

}  // namespace notify
