#include "exporters/postgres/server_scraper.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "exporters/postgres/custom_queries.h"
#include "lib/base/duration.h"
#include "lib/base/strings.h"

namespace exporters::postgres {
namespace {

using base::ErrorKind;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kMaxConnectTime{5};
constexpr milliseconds kFirstRetryDelay{100};
constexpr milliseconds kMaxRetryDelay{2000};
// A backend keeps what it learns about every table it looked at: a new one now and then is smaller.
constexpr seconds kMaxSessionAge{1800};
constexpr seconds kSuspendedFor{300};
constexpr seconds kMinuteInterval{60};
constexpr seconds kSecondInterval{1};
// Without a scrape for this long nothing is done in the background.
constexpr seconds kForgottenAfter{600};
// A kept answer that is not there yet may hold up a scrape this long.
constexpr milliseconds kFirstAnswerTimeout{1000};
constexpr seconds kRefreshTimeout{60};
constexpr milliseconds kSampleTimeout{1000};
// Servers before this one do not notice that we closed the connection, so that only
// statement_timeout ends what we gave up.
constexpr int kNoticesClosedConnections = 140000;

constexpr model::MetricDesc kUp{.name = "pg_up",
                                .help = "Whether the server answered this scrape."};
constexpr model::MetricDesc kUpFailureReason{
    .name = "pg_up_failure_reason",
    .help = "Why the server did not answer: 1 for the reason, 0 for the others.",
    .labels = {"reason"}};
constexpr model::MetricDesc kStatic{.name = "pg_static",
                                    .help = "Version of the server.",
                                    .type = model::MetricType::kUntyped,
                                    .labels = {"server", "version", "short_version"}};
constexpr model::MetricDesc kInRecovery{
    .name = "pg_in_recovery", .help = "Whether the server is a standby or otherwise in recovery."};
constexpr model::MetricDesc kLastDuration{.name = "pg_exporter_last_scrape_duration_seconds",
                                          .help = "How long the last scrape of the server took."};
constexpr model::MetricDesc kScrapes{.name = "pg_exporter_scrapes_total",
                                     .help = "Scrapes of the server.",
                                     .type = model::MetricType::kCounter};
constexpr model::MetricDesc kLastError{
    .name = "pg_exporter_last_scrape_error",
    .help = "Whether the last scrape failed, wholly or in a collector."};
constexpr model::MetricDesc kConfigLoaded{.name = "postgres_exporter_config_last_reload_successful",
                                          .help = "Whether a configuration file was read."};
constexpr model::MetricDesc kConfigLoadedAt{
    .name = "postgres_exporter_config_last_reload_success_timestamp_seconds",
    .help = "When the configuration file was read, as a Unix time; 0 is never."};
constexpr model::MetricDesc kAge{
    .name = "pg_scrape_collector_age_seconds",
    .help = "Age of what is shown of collectors that refresh in the background.",
    .labels = {"collector"}};

constexpr model::MetricDesc kOff{
    .name = "pg_scrape_collector_off",
    .help =
        "Collectors that this server or our rights give nothing to read, and why; asked again "
        "every few minutes.",
    .labels = {"collector", "reason"}};
constexpr model::MetricDesc kQueries{.name = "pg_exporter_queries_total",
                                     .help = "Queries the exporter sent to the server.",
                                     .type = model::MetricType::kCounter,
                                     .labels = {"collector"}};
constexpr model::MetricDesc kQuerySeconds{
    .name = "pg_exporter_query_seconds_total",
    .help = "Time the server took for them: the exporter's own cost there.",
    .type = model::MetricType::kCounter,
    .labels = {"collector"}};
constexpr model::MetricDesc kConnects{.name = "pg_exporter_connects_total",
                                      .help = "Connections the exporter opened to the server.",
                                      .type = model::MetricType::kCounter};
constexpr model::MetricDesc kQueriesLoaded{
    .name = "pg_exporter_user_queries_load_error",
    .help =
        "Whether the file of the user's own queries could not be read; it could, else the "
        "exporter would not run.",
    .labels = {"filename", "hashsum"}};

constexpr char kIdentitySql[] =
    "SELECT version() AS version, current_user AS \"user\", current_database() AS database, "
    "pg_is_in_recovery() AS in_recovery, extract(epoch FROM pg_postmaster_start_time()) AS "
    "started, "
    "(SELECT string_agg(concat_ws(' ', extname, extversion, "
    "nspname), E'\\n') FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace) "
    "AS extensions";

bool IsExpensive(const Query& query) { return query.refresh != Refresh::kEveryScrape; }

bool IsPermanent(ErrorKind kind) {
  return kind == ErrorKind::kPermissionDenied || kind == ErrorKind::kNotFound ||
         kind == ErrorKind::kUnsupported;
}

// "15.20.0", as the official exporter writes 150020; "9.6.24" could not connect.
std::string ShortVersion(int version) {
  return fmt::format("{}.{}.0", version / 10000, version % 10000);
}

// "1.10" → 1010.
int ParseExtensionVersion(std::string_view text) {
  constexpr int kMinor = 1000;
  const std::vector<std::string_view> parts = base::Split(text, '.');
  const int64_t major = base::ParseInt(parts[0]).value_or(0);
  const int64_t minor = parts.size() > 1 ? base::ParseInt(parts[1]).value_or(0) : 0;
  return static_cast<int>(major * kMinor + minor);
}

// Lines of "name version schema"; a schema may hold spaces, names and versions do not.
std::map<std::string, Extension, std::less<>> ParseExtensions(std::string_view text) {
  std::map<std::string, Extension, std::less<>> extensions;
  for (const std::string_view line : base::Split(text, '\n')) {
    const size_t first = line.find(' ');
    const size_t second = line.find(' ', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) {
      continue;
    }
    extensions.insert_or_assign(
        std::string(line.substr(0, first)),
        Extension{.schema = std::string(line.substr(second + 1)),
                  .version = ParseExtensionVersion(line.substr(first + 1, second - first - 1))});
  }
  return extensions;
}

std::string TextOf(const Rows& rows, std::string_view column) {
  const std::optional<size_t> at = rows.Find(column);
  return at.has_value() ? std::string(rows.at(0, *at).value_or("")) : std::string();
}

pq::FailureReason ReasonOf(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kDeadlineExceeded:
      return pq::FailureReason::kTimeout;
    case ErrorKind::kUnavailable:
      return pq::FailureReason::kLost;
    case ErrorKind::kPermissionDenied:
      return pq::FailureReason::kAuth;
    case ErrorKind::kUnknown:
    case ErrorKind::kInvalidArgument:
    case ErrorKind::kNotFound:
    case ErrorKind::kResourceExhausted:
    case ErrorKind::kUnsupported:
    case ErrorKind::kCancelled:
      break;
  }
  return pq::FailureReason::kOther;
}

pq::ConnectFailure FailureOf(base::Error error) {
  const pq::FailureReason reason = ReasonOf(error.kind());
  return {.reason = reason, .error = std::move(error)};
}

void EmitUpFamilies(const std::optional<pq::FailureReason>& reason, Scrape& scrape) {
  scrape.Emit(kUp, reason.has_value() ? 0 : 1);
  for (const pq::FailureReason each : pq::kFailureReasons) {
    scrape.Emit(kUpFailureReason, reason == each ? 1 : 0, {pq::FailureReasonName(each)});
  }
}

}  // namespace

void ServerScraper::Outcome::Fail(base::Error with) {
  if (!error.has_value()) {
    error = std::move(with);
  }
}

ServerScraper::ServerScraper(const PostgresOptions& options, const base::Clock& clock,
                             const base::Logger& logger, const pq::Interrupt& stop)
    : options_(options),
      clock_(clock),
      logger_(logger),
      stop_(stop),
      outcomes_("pg", logger),
      session_(options.session_factory()),
      server_{.options = &options, .address = options.conninfo.Server()},
      rounds_(options, clock, logger),
      random_(std::random_device()()) {}

void ServerScraper::Collect(Collectors collectors, Scrape& scrape) {
  const base::MonotonicTime start = clock_.Monotonic();
  std::vector<Outcome> outcomes(collectors.size());
  std::optional<pq::ConnectFailure> failure;
  // A session that idled may turn out to be dead, for the server was restarted; then once more.
  for (int attempt = 0; attempt < 2; ++attempt) {
    failure = EnsureConnected(scrape.deadline());
    if (failure.has_value()) {
      break;
    }
    std::fill(outcomes.begin(), outcomes.end(), Outcome());
    if (RunPlan(MakePlan(collectors, &outcomes), collectors, scrape, &outcomes, &failure)) {
      break;
    }
  }
  last_scrape_ = start;
  errors_.clear();
  if (!failure.has_value()) {
    EmitKept(collectors, scrape, &outcomes);
    rounds_.Emit(collectors, scrape);
    EmitOutcomes(collectors, outcomes, scrape);
  }
  EmitUp(failure, scrape);
  // What this server does not have is no error of the scrape.
  const bool all_succeeded =
      !failure.has_value() && std::all_of(outcomes.begin(), outcomes.end(), [](const Outcome& o) {
        return !o.error.has_value() || o.error->kind() == ErrorKind::kUnsupported;
      });
  EmitOwnCost(collectors, scrape);
  scrape.Emit(kConfigLoaded, options_.config_loaded_at.has_value() ? 1 : 0);
  scrape.Emit(
      kConfigLoadedAt,
      base::ToSeconds(options_.config_loaded_at.value_or(base::WallTime()).time_since_epoch()));
  scrape.Emit(kScrapes, static_cast<double>(++scrapes_));
  scrape.Emit(kLastError, all_succeeded ? 0 : 1);
  scrape.Emit(kLastDuration, base::ToSeconds(clock_.Monotonic() - start));
}

void ServerScraper::EmitOutcomes(Collectors collectors, const std::vector<Outcome>& outcomes,
                                 Scrape& scrape) {
  for (size_t i = 0; i < collectors.size(); ++i) {
    const std::optional<base::Error>& error = outcomes[i].error;
    if (error.has_value()) {
      errors_.emplace_back(collectors[i]->name, *error);
    }
    outcomes_.Report(collectors[i]->name, outcomes[i].seconds,
                     error.has_value() ? base::Result<void>(*error) : base::Result<void>(), scrape);
    if (error.has_value() && IsPermanent(error->kind())) {
      scrape.Emit(
          kOff, 1,
          {collectors[i]->name,
           error->kind() == ErrorKind::kPermissionDenied ? "permission_denied" : "unsupported"});
    }
  }
}

void ServerScraper::CountCost(const PostgresCollector& collector, double seconds) {
  Cost& cost = cost_[collector.name];
  cost.seconds += seconds;
  ++cost.queries;
}

void ServerScraper::EmitOwnCost(Collectors collectors, Scrape& scrape) const {
  for (const PostgresCollector* const collector : collectors) {
    if (const auto found = cost_.find(collector->name); found != cost_.end()) {
      scrape.Emit(kQueries, static_cast<double>(found->second.queries), {collector->name});
      scrape.Emit(kQuerySeconds, found->second.seconds, {collector->name});
    }
  }
  scrape.Emit(kConnects, static_cast<double>(connects_));
  if (options_.custom_queries != nullptr) {
    scrape.Emit(kQueriesLoaded, 0,
                {options_.custom_queries->file(), options_.custom_queries->hash()});
  }
}

void ServerScraper::EmitUp(const std::optional<pq::ConnectFailure>& failure, Scrape& scrape) {
  if (failure.has_value()) {
    EmitUpFamilies(failure->reason, scrape);
  } else {
    EmitUpFamilies(std::nullopt, scrape);
    scrape.Emit(kStatic, 1, {server_.address, server_.version_text, ShortVersion(server_.version)});
    scrape.Emit(kInRecovery, server_.in_recovery ? 1 : 0);
  }
  const std::string now = failure.has_value() ? failure->error.message() : std::string();
  const std::string before = last_failure_.has_value() ? last_failure_->error.message() : "";
  last_failure_ = failure;
  if (now == before) {
    return;
  }
  if (failure.has_value()) {
    logger_.Warn("server is down", {{"server", server_.address},
                                    {"reason", std::string(FailureReasonName(failure->reason))},
                                    {"err", now}});
  } else {
    logger_.Info("server is up again", {{"server", server_.address}});
  }
}

std::optional<pq::ConnectFailure> ServerScraper::EnsureConnected(base::MonotonicTime deadline) {
  const base::MonotonicTime now = clock_.Monotonic();
  if (session_->connected()) {
    if (now < connected_at_ + kMaxSessionAge) {
      return std::nullopt;
    }
    session_->Close();
  } else if (last_failure_.has_value() && now < retry_at_) {
    return last_failure_;
  }
  std::optional<pq::ConnectFailure> failure =
      session_->Connect(std::min(deadline, now + kMaxConnectTime));
  ++connects_;
  if (!failure.has_value()) {
    failure = Identify(deadline);
  }
  if (!failure.has_value()) {
    connected_at_ = now;
    retry_delay_ = {};
    return std::nullopt;
  }
  session_->Close();
  retry_delay_ =
      std::clamp<base::MonotonicTime::duration>(retry_delay_ * 2, kFirstRetryDelay, kMaxRetryDelay);
  // Up to half of it less, so that exporters of one server do not all come back at once.
  std::uniform_real_distribution<double> jitter(0.5, 1);
  retry_at_ = clock_.Monotonic() + std::chrono::duration_cast<base::MonotonicTime::duration>(
                                       retry_delay_ * jitter(random_));
  return failure;
}

// Learns what the SQL of the collectors depends on.
std::optional<pq::ConnectFailure> ServerScraper::Identify(base::MonotonicTime deadline) {
  const int version = session_->server_version();
  if (version < kOldestVersion) {
    return FailureOf(base::Error(
        fmt::format("PostgreSQL {} is not supported, 10 is the oldest", version / 10000.0),
        ErrorKind::kUnsupported));
  }
  server_.version = version;
  const pq::Statement statement{.sql = kIdentitySql};
  base::Result<void> identified;
  session_->Run({&statement, 1}, deadline, &stop_,
                [&](size_t, base::Result<pq::RowsPtr> rows, double) {
                  identified = rows.ok() ? TakeIdentity(**rows) : rows.error();
                });
  if (!identified.ok()) {
    return FailureOf(identified.error());
  }
  return std::nullopt;
}

base::Result<void> ServerScraper::TakeIdentity(const Rows& rows) {
  if (rows.row_count() != 1) {
    return base::Error("the server does not say what it is");
  }
  std::string incarnation = TextOf(rows, "started") + TextOf(rows, "version");
  if (incarnation != incarnation_) {
    // What was kept may be of another version, another role, another server behind the same name.
    kept_.clear();
    suspended_.clear();
    rounds_.Forget();
    incarnation_ = std::move(incarnation);
  }
  server_.version_text = TextOf(rows, "version");
  server_.user = TextOf(rows, "user");
  server_.database = TextOf(rows, "database");
  server_.in_recovery = TextOf(rows, "in_recovery") == "t";
  server_.extensions = ParseExtensions(TextOf(rows, "extensions"));
  return {};
}

ServerScraper::Plan ServerScraper::MakePlan(Collectors collectors, std::vector<Outcome>* outcomes) {
  Plan plan;
  plan.statements.push_back({.sql = kIdentitySql});
  // Those that may take long come last, so that they hold up nobody.
  for (const bool expensive : {false, true}) {
    for (size_t i = 0; i < collectors.size(); ++i) {
      for (const Query& query : collectors[i]->queries) {
        const bool wanted = IsAsked(query, server_.version) && !kept_.contains(&query);
        if (wanted && IsExpensive(query) == expensive) {
          AddToPlan({.collector = i, .query = &query}, &plan, &(*outcomes)[i]);
        }
      }
    }
  }
  return plan;
}

void ServerScraper::AddToPlan(const Asked& asked, Plan* plan, Outcome* outcome) const {
  if (std::optional<base::Error> error = Suspended(*asked.query); error.has_value()) {
    outcome->Fail(*std::move(error));
    return;
  }
  base::Result<std::string> sql = SqlFor(*asked.query, server_);
  if (!sql.ok()) {
    outcome->Fail(sql.error());
    return;
  }
  plan->statements.push_back(
      {.sql = *std::move(sql),
       .timeout = IsExpensive(*asked.query) ? kFirstAnswerTimeout : milliseconds(0)});
  plan->asked.push_back(asked);
}

bool ServerScraper::RunPlan(const Plan& plan, Collectors collectors, Scrape& scrape,
                            std::vector<Outcome>* outcomes,
                            std::optional<pq::ConnectFailure>* failure) {
  base::Result<void> identified;
  session_->Run(plan.statements, scrape.deadline(), &stop_,
                [&](size_t i, base::Result<pq::RowsPtr> rows, double took) {
                  if (i == 0) {
                    identified = rows.ok() ? TakeIdentity(**rows) : rows.error();
                    return;
                  }
                  const Asked& asked = plan.asked[i - 1];
                  Outcome& outcome = (*outcomes)[asked.collector];
                  outcome.seconds += took;
                  CountCost(*collectors[asked.collector], took);
                  TakeAnswer(asked, *collectors[asked.collector], std::move(rows), scrape,
                             &outcome);
                });
  if (identified.ok()) {
    return true;
  }
  *failure = FailureOf(identified.error());
  return identified.error().kind() != ErrorKind::kUnavailable;
}

void ServerScraper::TakeAnswer(const Asked& asked, const PostgresCollector& collector,
                               base::Result<pq::RowsPtr> rows, Scrape& scrape, Outcome* outcome) {
  const Query& query = *asked.query;
  if (!rows.ok()) {
    TakeFailure(query, Explain(collector, rows.error()), outcome);
  } else if (IsExpensive(query)) {
    Keep(query, **rows);
  } else if (const base::Result<void> emitted = EmitNow(query, **rows, scrape); !emitted.ok()) {
    outcome->Fail(emitted.error());
  }
}

void ServerScraper::TakeFailure(const Query& query, const base::Error& error, Outcome* outcome) {
  if (IsPermanent(error.kind())) {
    Suspend(query, error);
  } else if (IsExpensive(query) && error.kind() == ErrorKind::kDeadlineExceeded) {
    KeepFailure(query, error,
                clock_.Monotonic());  // Now in the background, where it may take long.
    return;
  }
  outcome->Fail(error);
}

void ServerScraper::EmitKept(Collectors collectors, Scrape& scrape,
                             std::vector<Outcome>* outcomes) const {
  const base::MonotonicTime now = clock_.Monotonic();
  for (size_t i = 0; i < collectors.size(); ++i) {
    base::MonotonicTime oldest = base::MonotonicTime::max();
    for (const Query& query : collectors[i]->queries) {
      const auto found = kept_.find(&query);
      if (found == kept_.end()) {
        continue;
      }
      const Kept& kept = found->second;
      if (kept.error.has_value()) {
        (*outcomes)[i].Fail(*kept.error);
      }
      if (kept.taken.has_value() && query.refresh != Refresh::kSecond) {
        oldest = std::min(oldest, *kept.taken);
      }
      for (const model::MetricFamily& family : kept.families) {
        scrape.Emit(CopyOf(family));
      }
    }
    if (oldest < base::MonotonicTime::max()) {
      scrape.Emit(kAge, base::ToSeconds(now - oldest), {collectors[i]->name});
    }
  }
}

// Says what to do where something is missing, and makes sure that it is logged.
base::Error ServerScraper::Explain(const PostgresCollector& collector,
                                   const base::Error& error) const {
  switch (error.kind()) {
    case ErrorKind::kPermissionDenied:
      return base::Error(fmt::format("{}; to allow it: GRANT {} TO {}", error.message(),
                                     collector.role, QuoteIdentifier(server_.user)),
                         error.kind());
    case ErrorKind::kNotFound:
      return base::Error(
          fmt::format("{}; this server does not have what the collector reads, to be rid of this "
                      "message: --no-collector.{}",
                      error.message(), collector.name),
          ErrorKind::kUnsupported);
    default:
      return error;
  }
}

std::optional<base::Error> ServerScraper::Suspended(const Query& query) const {
  const auto found = suspended_.find(&query);
  if (found == suspended_.end() || clock_.Monotonic() >= found->second.until) {
    return std::nullopt;
  }
  return found->second.error;
}

void ServerScraper::Suspend(const Query& query, const base::Error& error) {
  suspended_.insert_or_assign(
      &query, Suspension{.until = clock_.Monotonic() + kSuspendedFor, .error = error});
}

base::MonotonicTime::duration ServerScraper::Interval(const Query& query) const {
  switch (query.refresh) {
    case Refresh::kSizes:
      return options_.sizes_interval;
    case Refresh::kSecond:
      return kSecondInterval;
    case Refresh::kOwnInterval:
      return query.custom->cache;
    case Refresh::kMinute:
    case Refresh::kEveryScrape:
      break;
  }
  return kMinuteInterval;
}

base::Result<void> ServerScraper::EmitNow(const Query& query, const Rows& rows, Scrape& scrape) {
  server_.now = clock_.Monotonic();
  return EmitAnswer(query, server_, rows, scrape);
}

// An answer that is not all good is kept with its error.
void ServerScraper::Keep(const Query& query, const Rows& rows) {
  const base::MonotonicTime now = clock_.Monotonic();
  Scrape emitted(now);
  const base::Result<void> outcome = EmitNow(query, rows, emitted);
  Kept kept{.families = emitted.TakeFamilies(), .taken = now, .due = now + Interval(query)};
  if (!outcome.ok()) {
    kept.error = outcome.error();
  }
  kept_.insert_or_assign(&query, std::move(kept));
  if (options_.database_session_factory != nullptr) {
    rounds_.SetDatabases(server_.databases);
  }
}

// The last good answer stays.
void ServerScraper::KeepFailure(const Query& query, const base::Error& error,
                                base::MonotonicTime due) {
  Kept& kept = kept_[&query];
  kept.error = error;
  kept.due = due;
}

base::MonotonicTime ServerScraper::NextRefresh(Collectors collectors) const {
  base::MonotonicTime next = base::MonotonicTime::max();
  if (!session_->connected() || !last_scrape_.has_value() ||
      clock_.Monotonic() > *last_scrape_ + kForgottenAfter) {
    return next;
  }
  next = rounds_.NextVisit();
  for (const PostgresCollector* const collector : collectors) {
    for (const Query& query : collector->queries) {
      if (const auto kept = kept_.find(&query); kept != kept_.end()) {
        next = std::min(next, kept->second.due);
      }
    }
  }
  return next;
}

void ServerScraper::RefreshOne(Collectors collectors, const pq::Interrupt& interrupt) {
  const base::MonotonicTime now = clock_.Monotonic();
  for (const PostgresCollector* const collector : collectors) {
    for (const Query& query : collector->queries) {
      if (const auto kept = kept_.find(&query); kept != kept_.end() && kept->second.due <= now) {
        Renew(*collector, query, interrupt);
        return;
      }
    }
  }
  if (rounds_.NextVisit() <= now) {
    rounds_.VisitOne(collectors, server_,
                     server_.version >= kNoticesClosedConnections ? interrupt : stop_);
  }
}

void ServerScraper::Renew(const PostgresCollector& collector, const Query& query,
                          const pq::Interrupt& interrupt) {
  const base::MonotonicTime now = clock_.Monotonic();
  const base::Result<std::string> sql = SqlFor(query, server_);
  if (!sql.ok()) {
    KeepFailure(query, sql.error(), now + kMinuteInterval);
    return;
  }
  // A sample is over before it would pay to give up the connection for a scrape.
  const bool is_sample = query.refresh == Refresh::kSecond;
  const bool can_be_left = server_.version >= kNoticesClosedConnections && !is_sample;
  const milliseconds longest = is_sample ? kSampleTimeout : milliseconds(kRefreshTimeout);
  const pq::Statement statement{.sql = *sql,
                                .timeout = can_be_left ? longest
                                           : is_sample ? milliseconds(0)
                                                       : options_.statement_timeout};
  session_->Run({&statement, 1}, now + longest, can_be_left ? &interrupt : &stop_,
                [&](size_t, base::Result<pq::RowsPtr> rows, double took) {
                  CountCost(collector, took);
                  if (rows.ok()) {
                    Keep(query, **rows);
                  } else if (rows.error().kind() == ErrorKind::kCancelled ||
                             rows.error().kind() == ErrorKind::kUnavailable) {
                    MakeWay(&kept_[&query]);
                  } else {
                    KeepFailure(query, Explain(collector, rows.error()), now + kMinuteInterval);
                  }
                });
}

// Tries again after the scrape that interrupted, but not for ever at every scrape.
void ServerScraper::MakeWay(Kept* kept) const {
  constexpr int kMaxHastyAttempts = 3;
  const base::MonotonicTime now = clock_.Monotonic();
  ++kept->interruptions;
  kept->due = kept->interruptions < kMaxHastyAttempts ? now : now + kMinuteInterval;
}

void EmitTimedOut(Scrape& scrape) { EmitUpFamilies(pq::FailureReason::kTimeout, scrape); }

}  // namespace exporters::postgres
