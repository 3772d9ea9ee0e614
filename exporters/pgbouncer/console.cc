#include "exporters/pgbouncer/console.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "exporters/toolkit/transport_failure.h"
#include "lib/base/strings.h"

namespace exporters::pgbouncer {
namespace {

constexpr size_t kReadBytes = 16 << 10;
constexpr size_t kMaxQuotedBytes = 200;  // Of an error message.

// The console says "1.18.0/bouncer" where PostgreSQL says "15.4".
constexpr std::string_view kConsoleVersionSuffix = "/bouncer";

base::Error BadAnswer(std::string_view what) {
  return base::Error(std::string(what), base::ErrorKind::kInvalidArgument);
}

base::Error ToError(const ServerMessage& message) {
  return base::Error(fmt::format("{} ({})", message.text.substr(0, kMaxQuotedBytes), message.code),
                     base::ErrorKind::kUnavailable);
}

bool Offers(std::string_view mechanisms, std::string_view wanted) {
  const std::vector<std::string_view> names = base::Split(mechanisms, '\0');
  return std::find(names.begin(), names.end(), wanted) != names.end();
}

// As SHOW LISTS says; 0 when it does not.
double UsedClients(const Snapshot& snapshot) {
  const auto rows = snapshot.Get(Show::kLists);
  if (!rows.ok() || (*rows)->column_count() < 2) {
    return 0;
  }
  for (size_t row = 0; row < (*rows)->row_count(); ++row) {
    if ((*rows)->at(row, 0) == "used_clients") {
      return ParseCell((*rows)->at(row, 1).value_or("")).value_or(0);
    }
  }
  return 0;
}

}  // namespace

base::Error Console::Fail(FailureReason reason, const base::Error& error) {
  failure_reason_ = reason;
  return error.WithContext(fmt::format("pgbouncer {}", info_.ToString()));
}

base::Error Console::FailProtocol(const base::Error& error) {
  return Fail(FailureReason::kProtocol, error);
}

base::Result<Snapshot> Console::Fetch(base::MonotonicTime deadline, size_t max_listed_clients) {
  RETURN_IF_ERROR(Connect(deadline));
  RETURN_IF_ERROR(LogIn(deadline));
  RETURN_IF_ERROR(AwaitReady(deadline));
  Snapshot snapshot;
  RETURN_IF_ERROR(Ask(/*lists_connections=*/false, &snapshot, deadline));
  snapshot.listed = UsedClients(snapshot) <= static_cast<double>(max_listed_clients);
  if (snapshot.listed) {
    RETURN_IF_ERROR(Ask(/*lists_connections=*/true, &snapshot, deadline));
  }
  // What was wanted is here; a goodbye that cannot be sent costs nothing.
  static_cast<void>(transport_->Write(TerminateMessage(), deadline));
  return snapshot;
}

base::Result<void> Console::Ask(bool lists_connections, Snapshot* snapshot,
                                base::MonotonicTime deadline) {
  std::string queries;
  for (const ShowRow& show : kShows) {
    if (show.lists_connections == lists_connections) {
      queries += QueryMessage(show.command);
    }
  }
  RETURN_IF_ERROR(Send(queries, deadline));
  for (const ShowRow& show : kShows) {
    if (show.lists_connections != lists_connections) {
      continue;
    }
    std::string notice;
    ASSIGN_OR_RETURN(Answer answer, ReadAnswer(&notice, deadline));
    if (show.id == Show::kVersion) {
      // Before 1.12 the version was a notice, not a row.
      const bool row = answer.ok() && answer->row_count() > 0 && answer->column_count() > 0;
      snapshot->version_text = row ? std::string(answer->at(0, 0).value_or("")) : notice;
      snapshot->version = ParseVersion(snapshot->version_text);
    }
    snapshot->Set(show.id, std::move(answer));
  }
  return {};
}

base::Result<void> Console::Connect(base::MonotonicTime deadline) {
  auto transport = Transport::Connect(info_.endpoint, resolver_, deadline);
  if (!transport.ok()) {
    return Fail(ReasonOfConnect<FailureReason>(transport.error().kind()), transport.error());
  }
  transport_ = std::move(transport).value();
  return info_.ssl_mode == SslMode::kDisable ? base::Result<void>() : NegotiateTls(deadline);
}

// The answer is a single byte, and only that byte is read: what an attacker might have put behind
// it must not pass for part of the encrypted conversation.
base::Result<void> Console::NegotiateTls(base::MonotonicTime deadline) {
  RETURN_IF_ERROR(Send(TlsRequest(), deadline));
  char answer = 0;
  if (const auto received = transport_->Read(&answer, 1, deadline); !received.ok()) {
    return Fail(ReasonOfExchange<FailureReason>(received.error().kind()), received.error());
  }
  if (answer == 'N' && info_.ssl_mode == SslMode::kPrefer) {
    return {};
  }
  if (answer == 'N') {
    return Fail(FailureReason::kTls, base::Error("the server has no TLS, and sslmode requires it",
                                                 base::ErrorKind::kUnsupported));
  }
  if (answer != 'S') {
    return FailProtocol(BadAnswer("neither yes nor no to the request for TLS"));
  }
  if (const auto secured = transport_->StartTls(info_.tls, deadline); !secured.ok()) {
    const bool late = secured.error().kind() == base::ErrorKind::kDeadlineExceeded;
    return Fail(late ? FailureReason::kTimeout : FailureReason::kTls, secured.error());
  }
  return {};
}

base::Result<void> Console::LogIn(base::MonotonicTime deadline) {
  const Parameter parameters[] = {{"user", info_.user},
                                  {"database", info_.database},
                                  {"application_name", info_.application_name}};
  RETURN_IF_ERROR(Send(StartupMessage(parameters), deadline));
  ASSIGN_OR_RETURN(Authentication request, ReceiveAuthentication(deadline));
  if (request.code == kAuthenticationOk) {
    return {};
  }
  RETURN_IF_ERROR(Authenticate(request, deadline));
  ASSIGN_OR_RETURN(request, ReceiveAuthentication(deadline));
  return request.code == kAuthenticationOk
             ? base::Result<void>()
             : FailProtocol(BadAnswer("a second request for a password"));
}

base::Result<void> Console::Authenticate(const Authentication& request,
                                         base::MonotonicTime deadline) {
  if (info_.password.empty()) {
    return Fail(FailureReason::kAuth, base::Error("the server wants a password, and none is given",
                                                  base::ErrorKind::kPermissionDenied));
  }
  switch (request.code) {
    case kCleartextPassword:
      return Send(PasswordMessage(info_.password.Reveal()), deadline);
    case kMd5Password:
      return Send(PasswordMessage(Md5Password(info_.password, info_.user, request.data)), deadline);
    case kSasl:
      return AuthenticateScram(request, deadline);
    default:
      return Fail(FailureReason::kAuth,
                  base::Error(fmt::format("the server wants authentication of type {}, which is "
                                          "none of password, MD5 and SCRAM-SHA-256",
                                          request.code),
                              base::ErrorKind::kUnsupported));
  }
}

base::Result<void> Console::AuthenticateScram(const Authentication& offer,
                                              base::MonotonicTime deadline) {
  if (!Offers(offer.data, kScramMechanism)) {
    return Fail(FailureReason::kAuth,
                base::Error("the server offers no SCRAM-SHA-256", base::ErrorKind::kUnsupported));
  }
  const auto nonce = MakeNonce();
  if (!nonce.ok()) {
    return Fail(FailureReason::kError, nonce.error());
  }
  ScramClient scram(info_.password, *nonce, keys_);
  RETURN_IF_ERROR(Send(SaslInitialMessage(kScramMechanism, scram.FirstMessage()), deadline));
  ASSIGN_OR_RETURN(const Authentication first, ReceiveAuthentication(deadline));
  const auto proof = first.code == kSaslContinue
                         ? scram.FinalMessage(first.data)
                         : base::Result<std::string>(BadAnswer("no answer to SCRAM"));
  if (!proof.ok()) {
    return FailProtocol(proof.error());
  }
  RETURN_IF_ERROR(Send(SaslMessage(*proof), deadline));
  ASSIGN_OR_RETURN(const Authentication last, ReceiveAuthentication(deadline));
  if (last.code != kSaslFinal) {
    return FailProtocol(BadAnswer("no end of SCRAM"));
  }
  if (const auto checked = scram.CheckServer(last.data); !checked.ok()) {
    return Fail(FailureReason::kAuth, checked.error());
  }
  return {};
}

base::Result<void> Console::AwaitReady(base::MonotonicTime deadline) {
  bool console = false;
  for (;;) {
    ASSIGN_OR_RETURN(const Message message, ReceiveOrFail(deadline));
    if (message.type == kParameterStatus) {
      const auto status = ParseParameterStatus(message.body);
      if (!status.ok()) {
        return FailProtocol(status.error());
      }
      console = console || (status->first == "server_version" &&
                            status->second.find(kConsoleVersionSuffix) != std::string::npos);
    }
    if (message.type == kReadyForQuery) {
      break;
    }
  }
  return console ? base::Result<void>()
                 : Fail(FailureReason::kBadDatabase,
                        base::Error("this is not PgBouncer's console; its database is called "
                                    "\"pgbouncer\"",
                                    base::ErrorKind::kInvalidArgument));
}

base::Result<Answer> Console::ReadAnswer(std::string* notice, base::MonotonicTime deadline) {
  TextRows rows({});
  std::optional<base::Error> refusal;
  for (;;) {
    ASSIGN_OR_RETURN(const Message message, Receive(deadline));
    switch (message.type) {
      case kRowDescription: {
        auto columns = ParseRowDescription(message.body);
        if (!columns.ok()) {
          return FailProtocol(columns.error());
        }
        rows = TextRows(*std::move(columns));
        break;
      }
      case kDataRow: {
        auto row = ParseDataRow(message.body);
        if (!row.ok()) {
          return FailProtocol(row.error());
        }
        if (rows.row_count() >= kMaxRows) {
          return FailProtocol(base::Error(fmt::format("more than {} rows", kMaxRows),
                                          base::ErrorKind::kResourceExhausted));
        }
        rows.Add(*std::move(row));
        break;
      }
      case kNoticeResponse:
      case kErrorResponse: {
        auto said = ParseServerMessage(message.body);
        if (!said.ok()) {
          return FailProtocol(said.error());
        }
        if (message.type == kNoticeResponse) {
          *notice = std::move(said->text);
        } else if (said->severity == "FATAL") {
          return Fail(ReasonOfServerError(*said), ToError(*said));
        } else {
          refusal = ToError(*said);
        }
        break;
      }
      case kReadyForQuery:
        return refusal.has_value() ? Answer(*refusal) : Answer(std::move(rows));
      default:
        break;  // CommandComplete and what later versions may add.
    }
  }
}

base::Result<void> Console::Send(const std::string& bytes, base::MonotonicTime deadline) {
  const base::Result<void> written = transport_->Write(bytes, deadline);
  // When the server has hung up, its last words may still be there to be read.
  if (!written.ok() && written.error().kind() == base::ErrorKind::kDeadlineExceeded) {
    return Fail(FailureReason::kTimeout, written.error());
  }
  return {};
}

base::Result<Message> Console::Receive(base::MonotonicTime deadline) {
  for (;;) {
    auto message = reader_.Next();
    if (!message.ok()) {
      return FailProtocol(message.error());
    }
    if (message->has_value()) {
      return **std::move(message);
    }
    std::array<char, kReadBytes> buffer;
    const auto received = transport_->Read(buffer.data(), buffer.size(), deadline);
    if (!received.ok()) {
      return Fail(ReasonOfExchange<FailureReason>(received.error().kind()), received.error());
    }
    if (const auto fed = reader_.Feed({buffer.data(), *received}); !fed.ok()) {
      return FailProtocol(fed.error());
    }
  }
}

base::Result<Message> Console::ReceiveOrFail(base::MonotonicTime deadline) {
  ASSIGN_OR_RETURN(Message message, Receive(deadline));
  if (message.type != kErrorResponse) {
    return message;
  }
  const auto said = ParseServerMessage(message.body);
  if (!said.ok()) {
    return FailProtocol(said.error());
  }
  return Fail(ReasonOfServerError(*said), ToError(*said));
}

base::Result<Authentication> Console::ReceiveAuthentication(base::MonotonicTime deadline) {
  for (;;) {
    ASSIGN_OR_RETURN(const Message message, ReceiveOrFail(deadline));
    if (message.type == kNoticeResponse) {
      continue;
    }
    if (message.type != kAuthentication) {
      return FailProtocol(BadAnswer("this is not the PostgreSQL protocol"));
    }
    auto request = ParseAuthentication(message.body);
    if (!request.ok()) {
      return FailProtocol(request.error());
    }
    return request;
  }
}

}  // namespace exporters::pgbouncer
