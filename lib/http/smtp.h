// Mail out, over SMTP: STARTTLS or TLS from the first byte, AUTH as the server offers it.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/secret.h"
#include "lib/http/client.h"

namespace http {

struct Mail {
  std::string host;
  int port = 25;  // On 465 TLS comes first.
  bool require_tls = true;
  ClientOptions tls;  // Certificates only.
  std::string hello = "localhost";
  std::string user;
  base::Secret password;
  std::string identity;
  std::string from;  // Addresses alone, without names.
  std::vector<std::string> to;
  std::string message;  // Headers and body, lines end with CRLF.
};

// Errors: kInvalidArgument for what the server refuses for good (5xx, except where another try may
// help), kPermissionDenied (AUTH), kUnavailable, kDeadlineExceeded.
base::Result<void> SendMail(const Mail& mail, std::chrono::milliseconds timeout);

}  // namespace http
