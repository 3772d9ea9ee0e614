// A multipart mail: text and HTML. RFC 5322 lines, bodies quoted-printable, header words of other
// than ASCII as RFC 2047 has them.
#include <algorithm>
#include <ctime>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "agent/notify/receivers.h"
#include "agent/template/notification_functions.h"
#include "lib/base/strings.h"
#include "lib/base/url.h"

namespace notify {
namespace {

constexpr size_t kMaxLine = 76;
constexpr size_t kMaxEncodedWord = 45;  // Bytes of text within one encoded word.
constexpr size_t kMaxRecipients = 100;

struct Address {
  std::string name;
  std::string mailbox;
};

// `Team <team@example.org>, "Doe, J" <j@example.org>, boss@example.org`
base::Result<std::vector<Address>> ParseAddresses(const std::string& text) {
  std::vector<Address> addresses;
  size_t start = 0;
  bool quoted = false;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] == '"') {
      quoted = !quoted;
    }
    if (i < text.size() && (text[i] != ',' || quoted)) {
      continue;
    }
    std::string_view part = base::TrimSpace(std::string_view(text).substr(start, i - start));
    start = i + 1;
    Address address;
    const size_t open = part.rfind('<');
    if (open != std::string_view::npos && part.ends_with('>')) {
      address.name = base::ReplaceAll(base::TrimSpace(part.substr(0, open)), "\"", "");
      part = part.substr(open + 1, part.size() - open - 2);
    }
    address.mailbox = std::string(part);
    if (part.find('@') == std::string_view::npos ||
        part.find_first_of(" \t\r\n<>\"") != std::string_view::npos) {
      return base::Error(fmt::format("\"{}\" is no mail address", part),
                         base::ErrorKind::kInvalidArgument);
    }
    addresses.push_back(std::move(address));
  }
  if (addresses.size() > kMaxRecipients) {
    return base::Error(fmt::format("more than {} recipients", kMaxRecipients),
                       base::ErrorKind::kInvalidArgument);
  }
  return addresses;
}

void AppendHex(unsigned char c, std::string* out) { *out += fmt::format("={:02X}", c); }

std::string QuotedPrintable(std::string_view text) {
  std::string out;
  size_t line = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '\n') {
      out += "\r\n";
      line = 0;
      continue;
    }
    const bool before_end = i + 1 == text.size() || text[i + 1] == '\n';
    const bool plain = (c > ' ' && c < 0x7f && c != '=') || (c == ' ' && !before_end);
    if (line + 3 >= kMaxLine) {
      out += "=\r\n";
      line = 0;
    }
    const size_t before = out.size();
    // A dot alone at the start of a line would end the mail for a careless relay.
    if (plain && !(c == '.' && line == 0)) {
      out += text[i];
    } else {
      AppendHex(c, &out);
    }
    line += out.size() - before;
  }
  return out;
}

// Header texts in words of at most 75 characters, cut between characters.
std::string HeaderText(std::string_view text) {
  std::string flat(text);
  std::replace_if(
      flat.begin(), flat.end(), [](char c) { return c == '\r' || c == '\n'; }, ' ');
  const bool ascii = std::all_of(flat.begin(), flat.end(), [](char c) {
    return c >= ' ' && static_cast<unsigned char>(c) < 0x7f;
  });
  if (ascii && flat.size() < 900) {
    return flat;
  }
  std::string out;
  std::string word;
  size_t bytes = 0;
  const auto flush = [&] {
    out += (out.empty() ? "=?utf-8?q?" : "\r\n =?utf-8?q?") + word + "?=";
    word.clear();
    bytes = 0;
  };
  for (const char c : flat) {
    const auto byte = static_cast<unsigned char>(c);
    const bool starts = (byte & 0xc0U) != 0x80U;
    if (starts && word.size() + 12 > kMaxEncodedWord + 15) {
      flush();
    }
    ++bytes;
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) {
      word += c;
    } else if (c == ' ') {
      word += '_';
    } else {
      AppendHex(byte, &word);
    }
  }
  flush();
  return out;
}

std::string FormatAddresses(const std::vector<Address>& addresses) {
  std::vector<std::string> parts;
  for (const Address& address : addresses) {
    const bool plain = std::all_of(address.name.begin(), address.name.end(), [](char c) {
      return c == ' ' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    });
    const std::string encoded = HeaderText(address.name);
    const bool quote = !plain && encoded == address.name;
    parts.push_back(address.name.empty() ? address.mailbox
                    : quote              ? fmt::format("\"{}\" <{}>", encoded, address.mailbox)
                                         : fmt::format("{} <{}>", encoded, address.mailbox));
  }
  return base::Join(parts, ",\r\n ");
}

std::string MailDate(base::WallTime time) {
  return tmpl::FormatLayout({.unix_ms = base::ToMillis(time)}, "Mon, 02 Jan 2006 15:04:05 -0700");
}

std::string DomainOf(const std::string& mailbox) { return mailbox.substr(mailbox.rfind('@') + 1); }

struct Part {
  std::string_view type;
  std::string text;
};

std::string Multipart(const std::vector<Part>& parts, const std::string& boundary) {
  std::string body;
  for (const Part& part : parts) {
    body += fmt::format(
        "--{}\r\nContent-Type: {}; charset=UTF-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n{}\r\n",
        boundary, part.type, QuotedPrintable(part.text));
  }
  return body + fmt::format("--{}--\r\n", boundary);
}

}  // namespace

base::Result<Message> ComposeEmail(const Composing& composing) {
  const auto& config = std::get<EmailConfig>(composing.integration.config);
  const Notification& notification = composing.notification;
  MessageTexts texts(composing.templates, notification, composing.external_url, composing.now);
  std::map<std::string, std::string> headers = config.headers;
  headers.try_emplace("Subject", R"({{ template "email.default.subject" . }})");
  const std::string from_text = texts.Expand(config.from);
  const std::string to_text = texts.Expand(config.to);
  std::vector<Part> parts;
  if (!config.text.empty()) {
    parts.push_back({"text/plain", texts.Expand(config.text)});
  }
  if (!config.html.empty()) {
    parts.push_back({"text/html", texts.Expand(config.html)});
  }
  for (auto& [name, text] : headers) {
    text = texts.Expand(text);
  }
  RETURN_IF_ERROR(texts.status());
  ASSIGN_OR_RETURN(const std::vector<Address> from, ParseAddresses(from_text));
  ASSIGN_OR_RETURN(const std::vector<Address> to, ParseAddresses(to_text));
  const std::string domain = DomainOf(from.front().mailbox);
  headers.try_emplace("From", FormatAddresses(from));
  headers.try_emplace("To", FormatAddresses(to));
  headers.try_emplace("Message-Id", fmt::format("<{}@{}>", notification.key, domain));
  headers.try_emplace("Date", MailDate(composing.now));
  headers.try_emplace("X-Idempotency-Key", notification.key);
  if (config.threading) {
    const std::string thread =
        fmt::format("<thread-{}@{}>", Sha256Hex(notification.group_key).substr(0, 32), domain);
    headers.try_emplace("References", thread);
    headers.try_emplace("In-Reply-To", thread);
  }
  const std::string boundary = "=_" + notification.key;
  ASSIGN_OR_RETURN(const base::HostPort server, base::ParseHostPort(config.smarthost));
  http::Mail mail{.host = server.host,
                  .port = server.port,
                  .require_tls = config.require_tls,
                  .tls = config.tls,
                  .hello = config.hello,
                  .user = config.auth_username,
                  .identity = config.auth_identity,
                  .from = from.front().mailbox};
  ASSIGN_OR_RETURN(mail.password, config.auth_password.Read());
  for (const Address& address : to) {
    mail.to.push_back(address.mailbox);
  }
  for (const auto& [name, text] : headers) {
    const bool made_here = text.find("\r\n ") != std::string::npos;
    mail.message += fmt::format("{}: {}\r\n", name, made_here ? text : HeaderText(text));
  }
  mail.message += fmt::format(
      "MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"{}\"\r\n\r\n{}",
      boundary, Multipart(parts, boundary));
  return Message(std::move(mail));
}

}  // namespace notify
