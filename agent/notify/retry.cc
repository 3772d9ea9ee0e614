#include "agent/notify/retry.h"

#include <algorithm>
#include <ctime>
#include <iterator>

#include <fmt/format.h>

#include "lib/base/strings.h"

namespace notify {
namespace {

constexpr int kTransientStatus[] = {408, 425, 429};

bool IsTransient(int status) {
  return status >= 500 || std::find(std::begin(kTransientStatus), std::end(kTransientStatus),
                                    status) != std::end(kTransientStatus);
}

std::chrono::milliseconds Bounded(std::chrono::seconds wait) {
  return std::clamp<std::chrono::seconds>(wait, std::chrono::seconds(0), kMaxRetryAfter);
}

std::optional<std::string_view> Header(const http::ClientResponse& response,
                                       std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) {
      return value;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::chrono::milliseconds> ParseRetryAfter(std::string_view text,
                                                         base::WallTime now) {
  const std::string trimmed(base::TrimSpace(text));
  if (const auto seconds = base::ParseUint(trimmed)) {
    const auto most = static_cast<uint64_t>(std::chrono::seconds(kMaxRetryAfter).count());
    return std::chrono::seconds(static_cast<int64_t>(std::min(*seconds, most)));
  }
  std::tm date{};
  const char* const end = strptime(trimmed.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (end == nullptr || *end != '\0') {
    return std::nullopt;
  }
  const auto wait = base::WallTime(std::chrono::seconds(timegm(&date))) - now;
  return Bounded(std::chrono::ceil<std::chrono::seconds>(wait));
}

Verdict Judge(const base::Result<http::ClientResponse>& response, base::WallTime now) {
  if (!response.ok()) {
    return {.kind = response.error().kind() == base::ErrorKind::kInvalidArgument
                        ? Verdict::Kind::kRejected
                        : Verdict::Kind::kRetry,
            .reason = response.error().message()};
  }
  if (response->status / 100 == 2) {
    return {};
  }
  Verdict verdict{
      .kind = IsTransient(response->status) ? Verdict::Kind::kRetry : Verdict::Kind::kRejected,
      .reason = fmt::format("HTTP status {}", response->status)};
  if (const auto header = Header(*response, "retry-after")) {
    verdict.retry_after = ParseRetryAfter(*header, now);
  }
  return verdict;
}

std::chrono::milliseconds BackoffAfter(int failures, const Verdict& verdict,
                                       const RandomFunc& random) {
  constexpr int kDoublings = 10;  // Beyond kMaxBackoff.
  const auto doubled = kFirstBackoff * (1 << std::clamp(failures - 1, 0, kDoublings));
  const auto whole =
      std::chrono::milliseconds(std::min<std::chrono::seconds>(doubled, kMaxBackoff));
  const auto half = whole / 2;
  const auto pause = half + std::chrono::milliseconds(
                                static_cast<int64_t>(static_cast<double>(half.count()) * random()));
  return std::max(pause, verdict.retry_after.value_or(std::chrono::milliseconds(0)));
}

}  // namespace notify
