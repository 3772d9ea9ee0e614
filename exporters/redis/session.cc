#include "exporters/redis/session.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "exporters/redis/resp.h"
#include "exporters/toolkit/transport_failure.h"
#include "lib/base/duration.h"
#include "lib/base/file.h"
#include "lib/base/strings.h"

namespace exporters::redis {
namespace {

using std::chrono::steady_clock;

constexpr size_t kReadBytes = 16 << 10;
constexpr size_t kMaxQuotedBytes = 120;        // Of an error reply.
constexpr double kStartTimeJitterSeconds = 2;  // Uptime comes in whole seconds.
constexpr size_t kMaxPasswordFileBytes = 1 << 20;
// What goes out before its replies are read: more would fill the buffers of both sides, and then
// neither could go on.
constexpr size_t kMaxBatchBytes = 32 << 10;
constexpr size_t kMaxBatchCommands = 512;
constexpr size_t kMaxPartRefusals = 64;

struct Credentials {
  std::string user;
  base::Secret password;
};

base::Result<Credentials> FindCredentials(const Options& options) {
  Credentials credentials{options.address.user, options.address.password};
  if (credentials.password.empty() && !options.password_file.empty()) {
    ASSIGN_OR_RETURN(const std::string content,
                     base::ReadFile(options.password_file, kMaxPasswordFileBytes));
    ASSIGN_OR_RETURN(const Passwords passwords, ParsePasswords(content));
    credentials.password = options.only_bound_passwords ? passwords.FindBound(options.address)
                                                        : passwords.Find(options.address);
  }
  return credentials;
}

// The server has no password at all: ours is not needed, and nothing is wrong.
bool NeedsNoPassword(std::string_view error) {
  return error.find("without any password configured") != std::string_view::npos ||
         error.find("no password is set") != std::string_view::npos;
}

bool IsRefusal(std::string_view error) {
  return AfterPrefix(error, "NOPERM").has_value() ||
         AfterPrefix(base::ToLower(error), "err unknown").has_value();
}

}  // namespace

base::Error Session::Fail(FailureReason reason, const base::Error& error) {
  failure_reason_ = reason;
  return error.WithContext(fmt::format("redis {}", options_.address.ToString()));
}

void Session::Disconnect() {
  transport_.reset();
  greeted_ = false;
  traits_ = {};
  plain_info_ = false;
  refusals_.fill(std::nullopt);
  part_refusals_.clear();
  database_ = 0;
}

base::Result<Snapshot> Session::Fetch(base::MonotonicTime deadline) {
  deadline = std::min(deadline, steady_clock::now() + options_.connection_timeout);
  if (transport_ != nullptr && !transport_->Quiet()) {
    Disconnect();
  }
  const bool kept = transport_ != nullptr;
  heard_ = false;
  base::Result<Snapshot> snapshot = FetchOnce(deadline);
  if (!snapshot.ok() && kept && !heard_ && failure_reason_ == FailureReason::kClosed) {
    Disconnect();
    snapshot = FetchOnce(deadline);
  }
  if (!snapshot.ok()) {
    Disconnect();
  }
  return snapshot;
}

base::Result<void> Session::Connect(base::MonotonicTime deadline) {
  const base::MonotonicTime start = steady_clock::now();
  auto transport = Transport::Connect(options_.address.endpoint, resolver_, deadline);
  if (!transport.ok()) {
    return Fail(ReasonOfConnect<FailureReason>(transport.error().kind()), transport.error());
  }
  if (options_.address.tls) {
    if (const auto secured = (*transport)->StartTls(options_.tls, deadline); !secured.ok()) {
      const bool late = secured.error().kind() == base::ErrorKind::kDeadlineExceeded;
      return Fail(late ? FailureReason::kTimeout : FailureReason::kTls, secured.error());
    }
  }
  transport_ = std::move(transport).value();
  connect_seconds_ = base::ToSeconds(steady_clock::now() - start);
  return {};
}

base::Result<Session::Greeting> Session::AppendGreeting(std::string* out) {
  const auto credentials = FindCredentials(options_);
  if (!credentials.ok()) {
    return Fail(FailureReason::kError, credentials.error());
  }
  Greeting greeting;
  if (!credentials->password.empty()) {
    std::vector<std::string_view> words = {"AUTH"};
    if (!credentials->user.empty()) {
      words.push_back(credentials->user);
    }
    words.push_back(credentials->password.Reveal());
    AppendCommand(words, out);
    greeting = {.commands = 1, .auth = true};
  }
  if (!options_.client_name.empty()) {
    const std::string_view words[] = {"CLIENT", "SETNAME", options_.client_name};
    AppendCommand(words, out);
    ++greeting.commands;
  }
  return greeting;
}

base::Result<void> Session::CheckAuth(const Reply& reply) {
  if (!reply.IsError() || NeedsNoPassword(reply.text)) {
    return {};
  }
  const FailureReason known = ReasonOfReply(reply.text);
  const FailureReason reason = known == FailureReason::kError ? FailureReason::kWrongpass : known;
  // The reply is not quoted: a server without AUTH repeats the arguments in its complaint.
  return Fail(reason, base::Error(fmt::format("AUTH was refused ({}): check user and password",
                                              FailureReasonName(reason)),
                                  base::ErrorKind::kPermissionDenied));
}

base::Result<Snapshot> Session::FetchOnce(base::MonotonicTime deadline) {
  if (transport_ == nullptr) {
    RETURN_IF_ERROR(Connect(deadline));
  }
  Snapshot snapshot;
  snapshot.options = &options_;
  snapshot.asker = this;
  snapshot.deadline = deadline;
  std::array<bool, kRequestCount> asked{};
  RETURN_IF_ERROR(AskRequests(deadline, &snapshot.answers, &asked));
  ASSIGN_OR_RETURN(snapshot.info, TakeInfo(deadline, &snapshot.answers));
  if (const ServerTraits traits = TraitsOf(snapshot.info); traits != traits_) {
    traits_ = traits;
    RETURN_IF_ERROR(AskRequests(deadline, &snapshot.answers, &asked));
    for (const RequestRow& row : AllRequests()) {
      if (row.id != Request::kInfo && !row.wanted(options_, traits_)) {
        snapshot.answers.Set(row.id, Reply());  // It need not have been asked.
      }
    }
  }
  if (options_.ping_on_connect) {
    ASSIGN_OR_RETURN(snapshot.ping_seconds, Ping(deadline));
  }
  snapshot.connect_seconds = connect_seconds_;
  snapshot.start_time_seconds = StartTime(snapshot.info);
  return snapshot;
}

base::Result<double> Session::Ping(base::MonotonicTime deadline) {
  const base::MonotonicTime start = steady_clock::now();
  const std::string_view words[] = {"PING"};
  std::string bytes;
  AppendCommand(words, &bytes);
  RETURN_IF_ERROR(Exchange(bytes, 1, deadline));
  return base::ToSeconds(steady_clock::now() - start);
}

base::Result<void> Session::AskRequests(base::MonotonicTime deadline, Answers* answers,
                                        std::array<bool, kRequestCount>* asked) {
  std::string bytes;
  Greeting greeting;
  if (!greeted_) {
    ASSIGN_OR_RETURN(greeting, AppendGreeting(&bytes));
  }
  std::vector<Request> sent;
  for (const RequestRow& row : AllRequests()) {
    const auto index = static_cast<size_t>(row.id);
    if ((*asked)[index] || !row.wanted(options_, traits_)) {
      continue;
    }
    (*asked)[index] = true;
    const std::optional<Refusal>& refusal = refusals_[index];
    if (refusal.has_value() && steady_clock::now() - refusal->since < kAskAgainAfter) {
      answers->Set(row.id, refusal->reply);
      continue;
    }
    std::vector<std::string_view> words = row.Words(options_);
    if (row.id == Request::kInfo && plain_info_) {
      words.resize(1);
    }
    AppendCommand(words, &bytes);
    sent.push_back(row.id);
  }
  if (sent.empty()) {
    return {};
  }
  ASSIGN_OR_RETURN(std::vector<Reply> replies,
                   Exchange(bytes, greeting.commands + sent.size(), deadline));
  if (greeting.auth) {
    RETURN_IF_ERROR(CheckAuth(replies.front()));
  }
  greeted_ = true;
  for (size_t i = 0; i < sent.size(); ++i) {
    Reply& reply = replies[greeting.commands + i];
    Remember(sent[i], reply);
    answers->Set(sent[i], std::move(reply));
  }
  return {};
}

base::Result<void> Session::Greet(base::MonotonicTime deadline) {
  if (transport_ == nullptr) {
    RETURN_IF_ERROR(Connect(deadline));
  }
  if (greeted_) {
    return {};
  }
  std::string bytes;
  ASSIGN_OR_RETURN(const Greeting greeting, AppendGreeting(&bytes));
  if (greeting.commands > 0) {
    ASSIGN_OR_RETURN(const std::vector<Reply> replies,
                     Exchange(bytes, greeting.commands, deadline));
    if (greeting.auth) {
      RETURN_IF_ERROR(CheckAuth(replies.front()));
    }
  }
  greeted_ = true;
  return {};
}

base::Result<std::vector<Reply>> Session::Ask(std::string_view part,
                                              std::span<const Command> commands,
                                              base::MonotonicTime deadline) {
  if (const auto refused = part_refusals_.find(part); refused != part_refusals_.end()) {
    if (steady_clock::now() - refused->second.since < kAskAgainAfter) {
      return refused->second.error;
    }
    part_refusals_.erase(refused);
  }
  if (commands.size() > kMaxCommands) {
    return base::Error(fmt::format("{}: {} commands are more than {} in one scrape", part,
                                   commands.size(), kMaxCommands),
                       base::ErrorKind::kResourceExhausted);
  }
  std::vector<Reply> replies;
  if (commands.empty()) {
    return replies;
  }
  base::Result<void> outcome = Greet(deadline);
  for (size_t done = 0; outcome.ok() && done < commands.size();) {
    const auto some = AskSome(commands.subspan(done), deadline, &replies);
    if (!some.ok()) {
      outcome = some.error();
      break;
    }
    done += *some;
  }
  if (!outcome.ok()) {
    Disconnect();
    return outcome.error();
  }
  RememberRefusal(part, replies);
  if (const auto refused = part_refusals_.find(part); refused != part_refusals_.end()) {
    return refused->second.error;
  }
  return replies;
}

base::Result<size_t> Session::AskSome(std::span<const Command> commands,
                                      base::MonotonicTime deadline, std::vector<Reply>* replies) {
  std::string bytes;
  std::vector<bool> is_select;
  size_t taken = 0;
  int64_t database = database_;
  for (; taken < commands.size() && is_select.size() < kMaxBatchCommands; ++taken) {
    const Command& command = commands[taken];
    if (taken > 0 && bytes.size() > kMaxBatchBytes) {
      break;
    }
    if (command.db != database) {
      const std::string number = std::to_string(command.db);
      const std::string_view words[] = {"SELECT", number};
      AppendCommand(words, &bytes);
      is_select.push_back(true);
      database = command.db;
    }
    const std::vector<std::string_view> words(command.words.begin(), command.words.end());
    AppendCommand(words, &bytes);
    is_select.push_back(false);
  }
  ASSIGN_OR_RETURN(std::vector<Reply> answers, Exchange(bytes, is_select.size(), deadline));
  const Reply* no_database = nullptr;  // What SELECT said, if it failed.
  for (size_t i = 0; i < answers.size(); ++i) {
    if (is_select[i]) {
      no_database = answers[i].IsError() ? &answers[i] : nullptr;
    } else if (no_database != nullptr) {
      replies->push_back(*no_database);
    } else {
      replies->push_back(std::move(answers[i]));
    }
  }
  database_ = no_database != nullptr ? -1 : database;
  return taken;
}

void Session::RememberRefusal(std::string_view part, std::span<const Reply> replies) {
  const bool all_refused =
      !replies.empty() && std::all_of(replies.begin(), replies.end(), [](const Reply& reply) {
        return reply.IsError() && IsRefusal(reply.text);
      });
  if (all_refused && part_refusals_.size() < kMaxPartRefusals) {
    const std::string& text = replies.front().text;
    part_refusals_.insert_or_assign(
        std::string(part),
        PartRefusal{base::Error(fmt::format("{}: {}", part, text.substr(0, kMaxQuotedBytes)),
                                KindOfReply(text)),
                    steady_clock::now()});
  }
}

base::Result<Info> Session::TakeInfo(base::MonotonicTime deadline, Answers* answers) {
  if (answers->at(Request::kInfo).IsError() && !plain_info_ &&
      ReasonOfReply(answers->at(Request::kInfo).text) == FailureReason::kError) {
    const std::string_view words[] = {"INFO"};
    std::string bytes;
    AppendCommand(words, &bytes);
    ASSIGN_OR_RETURN(std::vector<Reply> replies, Exchange(bytes, 1, deadline));
    plain_info_ = !replies.front().IsError();
    answers->Set(Request::kInfo, std::move(replies.front()));
  }
  const Reply& reply = answers->at(Request::kInfo);
  if (reply.IsError()) {
    return Fail(ReasonOfReply(reply.text),
                base::Error("INFO: " + reply.text.substr(0, kMaxQuotedBytes),
                            base::ErrorKind::kUnavailable));
  }
  Info info(reply.text);
  if (info.fields().empty()) {
    return Fail(FailureReason::kProtocol,
                base::Error("INFO: the answer has no fields", base::ErrorKind::kInvalidArgument));
  }
  return info;
}

base::Result<std::vector<Reply>> Session::Exchange(std::string_view bytes, size_t count,
                                                   base::MonotonicTime deadline) {
  // A server that turns us away says why and hangs up, perhaps before it has read anything; so its
  // last words are looked for even when writing failed.
  const base::Result<void> written = transport_->Write(bytes, deadline);
  if (!written.ok() && written.error().kind() == base::ErrorKind::kDeadlineExceeded) {
    return Fail(FailureReason::kTimeout, written.error());
  }
  return ReadReplies(count, deadline);
}

base::Result<std::vector<Reply>> Session::ReadReplies(size_t count, base::MonotonicTime deadline) {
  ReplyReader reader;
  std::vector<Reply> replies;
  std::array<char, kReadBytes> buffer;
  while (replies.size() < count) {
    const auto received = transport_->Read(buffer.data(), buffer.size(), deadline);
    if (!received.ok()) {
      const bool told_why = replies.size() == 1 && replies.front().IsError() &&
                            ReasonOfReply(replies.front().text) != FailureReason::kError;
      if (told_why) {
        return Fail(ReasonOfReply(replies.front().text),
                    base::Error(replies.front().text.substr(0, kMaxQuotedBytes),
                                base::ErrorKind::kUnavailable));
      }
      return Fail(ReasonOfExchange<FailureReason>(received.error().kind()), received.error());
    }
    heard_ = true;
    if (const auto fed = reader.Feed({buffer.data(), *received}); !fed.ok()) {
      return Fail(FailureReason::kProtocol, fed.error());
    }
    while (replies.size() < count) {
      auto reply = reader.Next();
      if (!reply.ok()) {
        return Fail(FailureReason::kProtocol, reply.error());
      }
      if (!reply->has_value()) {
        break;
      }
      replies.push_back(**std::move(reply));
    }
  }
  return replies;
}

void Session::Remember(Request id, const Reply& reply) {
  std::optional<Refusal>& refusal = refusals_[static_cast<size_t>(id)];
  if (id != Request::kInfo && reply.IsError() && IsRefusal(reply.text)) {
    refusal = Refusal{.reply = reply, .since = steady_clock::now()};
  } else {
    refusal.reset();
  }
}

// Now minus uptime wanders by a second from scrape to scrape; the first answer is kept for as long
// as the same process runs.
double Session::StartTime(const Info& info) {
  const std::optional<double> uptime = ParseInfoValue(info.Get("uptime_in_seconds"));
  if (!uptime.has_value()) {
    return 0;
  }
  const double now = ParseInfoValue(info.Get("server_time_usec")).value_or(0) > 0
                         ? *ParseInfoValue(info.Get("server_time_usec")) / 1e6
                         : base::ToSeconds(std::chrono::system_clock::now().time_since_epoch());
  const double start = std::floor(now - *uptime);
  const std::string_view run_id = info.Get("run_id");
  if (run_id_ != run_id || std::fabs(start - start_time_seconds_) > kStartTimeJitterSeconds) {
    run_id_ = run_id;
    start_time_seconds_ = start;
  }
  return start_time_seconds_;
}

}  // namespace exporters::redis
