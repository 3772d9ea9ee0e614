#include "lib/http/smtp.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>

#include <curl/curl.h>
#include <fmt/format.h>

#include "lib/base/url.h"

namespace http {
namespace {

using base::Error;
using base::ErrorKind;

constexpr int kImplicitTlsPort = 465;

struct EasyCleanup {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct ListFree {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

size_t GiveBytes(char* buffer, size_t /*one*/, size_t room, void* user) {
  auto* const rest = static_cast<std::string_view*>(user);
  const size_t size = std::min(room, rest->size());
  std::memcpy(buffer, rest->data(), size);
  rest->remove_prefix(size);
  return size;
}

void SetText(CURL* easy, CURLoption option, const std::string& value) {
  if (!value.empty()) {
    curl_easy_setopt(easy, option, value.c_str());
  }
}

void SetTls(CURL* easy, const Mail& mail) {
  curl_easy_setopt(easy, CURLOPT_USE_SSL,
                   static_cast<long>(mail.require_tls ? CURLUSESSL_ALL : CURLUSESSL_TRY));
  SetText(easy, CURLOPT_CAINFO, mail.tls.ca_file);
  SetText(easy, CURLOPT_SSLCERT, mail.tls.cert_file);
  SetText(easy, CURLOPT_SSLKEY, mail.tls.key_file);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, mail.tls.insecure_skip_verify ? 0L : 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, mail.tls.insecure_skip_verify ? 0L : 2L);
}

ErrorKind KindOf(CURLcode code, long answer) {
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return ErrorKind::kDeadlineExceeded;
  }
  if (code == CURLE_LOGIN_DENIED) {
    return ErrorKind::kPermissionDenied;
  }
  return answer >= 500 && answer < 600 ? ErrorKind::kInvalidArgument : ErrorKind::kUnavailable;
}

bool HasLineBreak(std::string_view text) { return text.find_first_of("\r\n") != text.npos; }

}  // namespace

base::Result<void> SendMail(const Mail& mail, std::chrono::milliseconds timeout) {
  const std::string server = base::FormatHostPort(mail.host, mail.port);
  if (HasLineBreak(mail.from) || std::any_of(mail.to.begin(), mail.to.end(), HasLineBreak)) {
    return Error(fmt::format("mail to {}: an address has a line break", server),
                 ErrorKind::kInvalidArgument);
  }
  const std::unique_ptr<CURL, EasyCleanup> easy(curl_easy_init());
  if (!easy) {
    return Error("curl: no handle", ErrorKind::kResourceExhausted);
  }
  const std::string url =
      fmt::format("{}://{}/{}", mail.port == kImplicitTlsPort ? "smtps" : "smtp", server,
                  base::PercentEncode(mail.hello));
  std::unique_ptr<curl_slist, ListFree> recipients;
  for (const std::string& address : mail.to) {
    recipients.reset(curl_slist_append(recipients.release(), fmt::format("<{}>", address).c_str()));
  }
  const std::string from = fmt::format("<{}>", mail.from);
  std::string_view rest = mail.message;
  char message[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(easy.get(), CURLOPT_MAIL_FROM, from.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_MAIL_RCPT, recipients.get());
  SetTls(easy.get(), mail);
  if (!mail.user.empty()) {
    curl_easy_setopt(easy.get(), CURLOPT_USERNAME, mail.user.c_str());
    curl_easy_setopt(easy.get(), CURLOPT_PASSWORD, mail.password.Reveal().c_str());
    SetText(easy.get(), CURLOPT_SASL_AUTHZID, mail.identity);
  }
  curl_easy_setopt(easy.get(), CURLOPT_READFUNCTION, GiveBytes);
  curl_easy_setopt(easy.get(), CURLOPT_READDATA, &rest);
  curl_easy_setopt(easy.get(), CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, message);
  const CURLcode code = curl_easy_perform(easy.get());
  if (code == CURLE_OK) {
    return {};
  }
  long answer = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &answer);
  const std::string_view why = message[0] != '\0' ? message : curl_easy_strerror(code);
  return Error(fmt::format("mail to {}: {}{}", server, base::RedactUrls(why),
                           answer > 0 ? fmt::format(" (SMTP {})", answer) : ""),
               KindOf(code, answer));
}

}  // namespace http
