#include "exporters/redis/failure.h"

namespace exporters::redis {
namespace {

struct ReplyPrefix {
  std::string_view text;
  FailureReason reason;
};

constexpr ReplyPrefix kReplyPrefixes[] = {
    {"NOAUTH", FailureReason::kNoauth},
    {"WRONGPASS", FailureReason::kWrongpass},
    {"ERR invalid password", FailureReason::kWrongpass},  // Before 6.0.
    {"NOPERM", FailureReason::kNoperm},
    {"LOADING", FailureReason::kLoading},
    {"BUSY", FailureReason::kBusy},
    {"ERR max number of clients", FailureReason::kMaxclients},
    {"DENIED", FailureReason::kProtected},
    {"-DENIED", FailureReason::kProtected},  // Redis before 6.2 sends the dash twice.
    {"ERR operation not permitted", FailureReason::kNoauth},  // Before 2.8.
};

}  // namespace

std::string_view FailureReasonName(FailureReason reason) {
  switch (reason) {
    case FailureReason::kRefused:
      return "refused";
    case FailureReason::kDns:
      return "dns";
    case FailureReason::kTimeout:
      return "timeout";
    case FailureReason::kTls:
      return "tls";
    case FailureReason::kClosed:
      return "closed";
    case FailureReason::kProtocol:
      return "protocol";
    case FailureReason::kNoauth:
      return "noauth";
    case FailureReason::kWrongpass:
      return "wrongpass";
    case FailureReason::kNoperm:
      return "noperm";
    case FailureReason::kLoading:
      return "loading";
    case FailureReason::kBusy:
      return "busy";
    case FailureReason::kMaxclients:
      return "maxclients";
    case FailureReason::kProtected:
      return "protected";
    case FailureReason::kError:
      return "error";
  }
  return "error";
}

FailureReason ReasonOfReply(std::string_view error_text) {
  for (const ReplyPrefix& prefix : kReplyPrefixes) {
    if (error_text.substr(0, prefix.text.size()) == prefix.text) {
      return prefix.reason;
    }
  }
  return FailureReason::kError;
}

}  // namespace exporters::redis
