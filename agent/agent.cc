#include "agent/agent.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <iterator>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "agent/alert_sink.h"
#include "agent/config/config.h"
#include "agent/discovery/file_sd.h"
#include "agent/local_servers.h"
#include "agent/rule_sources.h"
#include "agent/rules/alert_journal.h"
#include "agent/rules/manager.h"
#include "agent/scrape/manager.h"
#include "agent/self_metrics.h"
#include "agent/state/state_file.h"
#include "agent/storage/store.h"
#include "agent/web/routes.h"
#include "exporters/host/host_exporter.h"
#include "lib/base/clock.h"
#include "lib/base/duration.h"
#include "lib/base/file.h"
#include "lib/base/mutex.h"
#include "lib/base/url.h"
#include "lib/exposition/process_metrics.h"
#include "lib/http/router.h"
#include "lib/http/server.h"
#include "lib/yaml/write.h"

namespace agent {
namespace {

constexpr std::chrono::milliseconds kDefaultScrapeTimeout{10'000};
constexpr std::string_view kSecretKeys[] = {"password", "credentials", "bearer_token",
                                            "client_secret"};

uint64_t SeedOf(std::string_view text) { return model::Labels({{"seed", text}}).Fingerprint(); }

// A configuration that was checked as a whole, before anything of it takes effect.
struct Loaded {
  config::Config config;
  std::vector<rules::GroupSpec> groups;
  std::shared_ptr<const notify::Routing> routing;
  std::vector<notify::AlertmanagerTarget> alertmanagers;
  std::string yaml;  // Secrets taken out.
};

void AppendFamilies(std::vector<model::MetricFamily> more, std::vector<model::MetricFamily>* all) {
  for (model::MetricFamily& family : more) {
    all->push_back(std::move(family));
  }
}

}  // namespace

class Agent::Impl {
 public:
  Impl(AgentOptions options, const base::Logger& logger)
      : options_(std::move(options)),
        logger_(logger),
        started_at_(clock_.Now()),
        engine_(options_.engine),
        alerts_(clock_, logger_) {}

  ~Impl() { Stop(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  base::Result<void> Start() {
    const base::MutexLock controlling(control_mutex_);
    ASSIGN_OR_RETURN(Loaded loaded, Load());
    RETURN_IF_ERROR(OpenStore());
    RETURN_IF_ERROR(Listen());
    MakeParts();
    if (Local()) {
      RETURN_IF_ERROR(MakeHostExporter());
      local_->Refresh();
    }
    RETURN_IF_ERROR(Take(std::move(loaded)));
    ready_ = true;
    control_ = std::thread([this] { Control(); });
    return {};
  }

  base::Result<void> Reload() {
    const base::MutexLock controlling(control_mutex_);
    auto loaded = LoadAndTake();
    if (!loaded.ok()) {
      logger_.Error("reload failed, the configuration stays as it was",
                    {{"error", loaded.error().message()}});
      const base::MutexLock lock(view_mutex_);
      config_state_.last_reload_ok = false;
      return loaded;
    }
    logger_.Info("configuration reloaded");
    return loaded;
  }

  const std::vector<int>& ports() const { return server_->ports(); }

  std::vector<std::string> Describe() const {
    const base::MutexLock controlling(control_mutex_);
    std::vector<std::string> lines;
    if (HasConfig()) {
      lines.push_back(fmt::format("configuration {}: {} scrape jobs", options_.config_file,
                                  config_.scrape_configs.size()));
    }
    if (Local()) {
      lines.push_back(fmt::format("this machine: watched as {}", options_.host_name));
      for (std::string& line : local_->Describe()) {
        lines.push_back(std::move(line));
      }
    }
    lines.push_back(fmt::format("scraping every {}, keeping {} {}",
                                base::FormatDuration(config_.global.scrape_interval),
                                options_.retention_text,
                                state_file_ ? fmt::format("in {}", state_file_->path())
                                            : "in memory only: a restart forgets everything"));
    lines.push_back(fmt::format("{} rules, evaluated every {}{}", rule_count_,
                                base::FormatDuration(config_.global.evaluation_interval),
                                Bundled() ? ", the bundled ones among them" : ""));
    const std::vector<std::string> receivers = alerts_.ReceiverUrls();
    lines.push_back(receivers.empty()
                        ? "alerts go NOWHERE: --alert.webhook-url=URL sends them somewhere"
                        : fmt::format("alerts go to {}", fmt::join(receivers, ", ")));
    lines.push_back(
        fmt::format("look at {}", options_.external_url.empty()
                                      ? fmt::format("http://localhost:{}", ports().front())
                                      : external_url_));
    return lines;
  }

 private:
  bool HasConfig() const { return !options_.config_file.empty(); }
  bool Local() const { return options_.discover_local.value_or(!HasConfig()); }
  bool Bundled() const { return options_.bundled_rules.value_or(!HasConfig()); }

  void Control() {
    base::MonotonicTime next_local = clock_.Monotonic() + kDiscoveryPeriod;
    base::MonotonicTime next = clock_.Monotonic() + kTargetFilePeriod;
    while (!clock_.SleepUntil(next, stop_)) {
      const base::MutexLock controlling(control_mutex_);
      bool changed = RefreshTargetFiles();
      if (Local() && clock_.Monotonic() >= next_local) {
        changed = local_->Refresh() || changed;
        next_local = clock_.Monotonic() + kDiscoveryPeriod;
      }
      if (changed) {
        ApplyJobs();
      }
      next = clock_.Monotonic() + kTargetFilePeriod;
    }
  }

  // --- Configuration.

  base::Result<Loaded> Load() const {
    Loaded loaded;
    if (HasConfig()) {
      ASSIGN_OR_RETURN(loaded.config, config::Load(options_.config_file));
      ASSIGN_OR_RETURN(const std::string text, base::ReadFile(options_.config_file));
      ASSIGN_OR_RETURN(const yaml::Node root, yaml::Parse(text, options_.config_file));
      loaded.yaml = yaml::Write(root, kSecretKeys);
    } else {
      loaded.config.global.scrape_interval = options_.scrape_interval;
      loaded.config.global.scrape_timeout =
          std::min(kDefaultScrapeTimeout, options_.scrape_interval);
      loaded.config.global.evaluation_interval = options_.evaluation_interval;
      loaded.yaml = fmt::format("global:\n  scrape_interval: {}\n  evaluation_interval: {}\n",
                                base::FormatDuration(options_.scrape_interval),
                                base::FormatDuration(options_.evaluation_interval));
    }
    std::vector<std::string> patterns = loaded.config.rule_files;
    patterns.insert(patterns.end(), options_.rule_files.begin(), options_.rule_files.end());
    ASSIGN_OR_RETURN(loaded.groups,
                     LoadRules(patterns, Bundled(), MakeParseFunc(engine_, nullptr)));
    ASSIGN_OR_RETURN(loaded.routing, MakeRouting(options_.destinations));
    RETURN_IF_ERROR(notify::CheckRouting(*loaded.routing));
    ASSIGN_OR_RETURN(loaded.alertmanagers, MakeTargets(loaded.config.alertmanagers));
    return loaded;
  }

  // Puts a configuration into force. What may still fail comes first.
  base::Result<void> Take(Loaded loaded) REQUIRES_LOCK(control_mutex_) {
    for (const std::string& warning : loaded.config.warnings) {
      logger_.Warn(warning);
    }
    WarnOfEmptyPatterns(loaded.config.rule_files);
    const config::GlobalConfig& global = loaded.config.global;
    RETURN_IF_ERROR(alerts_.Configure({.routing = loaded.routing,
                                       .alertmanagers = loaded.alertmanagers,
                                       .external_labels = global.external_labels,
                                       .relabel_rules = loaded.config.alert_relabel_configs,
                                       .external_url = external_url_},
                                      state_file_ ? &*state_file_ : nullptr));
    rule_count_ = 0;
    for (const rules::GroupSpec& group : loaded.groups) {
      rule_count_ += group.rules.size();
    }
    RETURN_IF_ERROR(rules_->Reload({.groups = std::move(loaded.groups),
                                    .evaluation_interval = global.evaluation_interval,
                                    .query_offset = global.rule_query_offset,
                                    .external_labels = global.external_labels}));
    config_ = std::move(loaded.config);
    target_files_.clear();
    for (const config::ScrapeConfig& scrape_config : config_.scrape_configs) {
      for (const discovery::FileSdOptions& options : scrape_config.file_sd_configs) {
        target_files_.push_back({scrape_config.job.name, discovery::FileSd(options), {}});
      }
    }
    RefreshTargetFiles();
    ApplyJobs();
    const base::MutexLock lock(view_mutex_);
    external_labels_ = config_.global.external_labels;
    config_state_ = {
        .yaml = std::move(loaded.yaml), .loaded_at = clock_.Now(), .last_reload_ok = true};
    return {};
  }

  base::Result<void> LoadAndTake() REQUIRES_LOCK(control_mutex_) {
    ASSIGN_OR_RETURN(Loaded loaded, Load());
    return Take(std::move(loaded));
  }

  void WarnOfEmptyPatterns(const std::vector<std::string>& patterns) const {
    for (const std::string& pattern : patterns) {
      if (base::Glob(pattern).empty()) {
        logger_.Warn("no rule file matches", {{"pattern", pattern}});
      }
    }
  }

  // --- Targets.

  struct TargetFiles {
    std::string job;
    discovery::FileSd source;
    std::vector<discovery::TargetGroup> groups;
  };

  bool RefreshTargetFiles() REQUIRES_LOCK(control_mutex_) {
    bool changed = false;
    for (TargetFiles& files : target_files_) {
      discovery::FileSd::Findings findings = files.source.Read();
      for (const base::Error& error : findings.errors) {
        logger_.Warn("target file is kept as it was", {{"error", error.message()}});
      }
      changed = changed || findings.groups != files.groups;
      files.groups = std::move(findings.groups);
    }
    return changed;
  }

  scrape::JobOptions LocalDefaults() const REQUIRES_LOCK(control_mutex_) {
    scrape::JobOptions options;
    options.interval = config_.global.scrape_interval;
    options.timeout = config_.global.scrape_timeout;
    return options;
  }

  void ApplyJobs() REQUIRES_LOCK(control_mutex_) {
    std::vector<scrape::Job> jobs;
    for (const config::ScrapeConfig& scrape_config : config_.scrape_configs) {
      scrape::Job job{.options = scrape_config.job, .groups = scrape_config.static_configs};
      for (const TargetFiles& files : target_files_) {
        if (files.job == scrape_config.job.name) {
          job.groups.insert(job.groups.end(), files.groups.begin(), files.groups.end());
        }
      }
      jobs.push_back(std::move(job));
    }
    if (Local()) {
      jobs.push_back(EmbeddedJob("node", host_));
      jobs.push_back(EmbeddedJob("agent", self_));
      for (scrape::Job& job : local_->Jobs(LocalDefaults())) {
        jobs.push_back(std::move(job));
      }
    }
    for (scrape::Job& job : jobs) {
      job.options.limits.series = options_.series_per_target;
    }
    scrapes_->Apply(std::move(jobs));
  }

  scrape::Job EmbeddedJob(const std::string& name,
                          const std::shared_ptr<exporters::Exporter>& exporter) const
      REQUIRES_LOCK(control_mutex_) {
    scrape::Job job{.options = LocalDefaults()};
    job.options.name = name;
    job.locals = {{.name = name, .address = options_.host_name, .exporter = exporter}};
    return job;
  }

  // --- Parts.

  base::Result<void> OpenStore() REQUIRES_LOCK(control_mutex_) {
    if (!options_.state_directory.empty()) {
      auto opened = OpenState();
      // Damage that only shows now: the next Open of the file moves it aside.
      if (!opened.ok() && opened.error().kind() == base::ErrorKind::kInvalidArgument) {
        opened = OpenState();
      }
      if (opened.ok()) {
        return {};
      }
      // A file that stays damaged must not keep the agent from watching.
      if (options_.state_required && opened.error().kind() != base::ErrorKind::kInvalidArgument) {
        return opened.error();
      }
      logger_.Error("everything is kept in memory only", {{"error", opened.error().message()}});
      state_file_.reset();
    }
    ASSIGN_OR_RETURN(store_, storage::Store::Open(StoreSettings(), nullptr, clock_, logger_));
    return {};
  }

  base::Result<void> OpenState() {
    state_file_.reset();
    ASSIGN_OR_RETURN(state::StateFile file,
                     state::StateFile::Open(options_.state_directory, clock_, logger_));
    state_file_.emplace(std::move(file));
    ASSIGN_OR_RETURN(store_, storage::Store::Open(StoreSettings(), &*state_file_, clock_, logger_));
    return {};
  }

  storage::StoreOptions StoreSettings() const {
    return {.retention = options_.retention,
            .retention_bytes = options_.retention_bytes,
            .max_series = options_.max_series,
            .memory_limit = options_.memory_limit};
  }

  base::Result<void> Listen() {
    ASSIGN_OR_RETURN(
        server_, http::Server::Start(
                     {.listen_addresses = options_.listen_addresses,
                      .web_config_file = options_.web_config_file,
                      .on_request =
                          [this](int status, std::chrono::nanoseconds took) {
                            requests_.Count(status, took);
                          }},
                     [this](const http::Request& request) { return Handle(request); }, logger_));
    external_url_ = options_.external_url;
    if (external_url_.empty()) {
      external_url_ = fmt::format(
          "http://{}", base::FormatHostPort(options_.host_name, server_->ports().front()));
    }
    return {};
  }

  http::Response Handle(const http::Request& request) {
    std::shared_ptr<const http::Router> router;
    {
      const base::MutexLock lock(view_mutex_);
      router = router_;
    }
    if (router == nullptr) {
      return {.status = 503, .body = "starting\n"};
    }
    return router->Handle(request);
  }

  // Without it alerts are evaluated and sent all the same.
  void OpenJournal() REQUIRES_LOCK(control_mutex_) {
    if (!state_file_) {
      return;
    }
    auto database = state_file_->Connect();
    auto journal = database.ok()
                       ? rules::AlertJournal::Open(*std::move(database))
                       : base::Result<std::unique_ptr<rules::AlertJournal>>(database.error());
    if (!journal.ok()) {
      logger_.Error("a restart will forget the state of alerts",
                    {{"error", journal.error().message()}});
      return;
    }
    journal_ = *std::move(journal);
  }

  void MakeParts() REQUIRES_LOCK(control_mutex_) {
    OpenJournal();
    rules_ = std::make_unique<rules::Manager>(
        rules::ManagerOptions{.external_url = external_url_,
                              .resend_delay = options_.resend_delay,
                              .journal = journal_.get()},
        MakeParseFunc(engine_, store_.get()), *store_,
        [this](std::vector<notify::Alert> alerts) { alerts_.Notify(std::move(alerts)); }, clock_,
        logger_);
    scrapes_ = std::make_unique<scrape::Manager>(
        scrape::ManagerOptions{.offset_seed = SeedOf(options_.host_name),
                               .host_name = options_.host_name},
        *store_, clock_, logger_);
    if (Local()) {
      LocalServersOptions local{.host_name = options_.host_name,
                                .environment = options_.environment};
      local.discovery.own_ports = server_->ports();
      local_ = std::make_unique<LocalServers>(std::move(local), clock_, logger_);
      self_ = MakeSelfExporter([this] { return Metrics(); });
    }
    auto router = std::make_shared<const http::Router>(web::MakeRoutes(MakeViews()));
    const base::MutexLock lock(view_mutex_);
    router_ = std::move(router);
  }

  base::Result<void> MakeHostExporter() REQUIRES_LOCK(control_mutex_) {
    ASSIGN_OR_RETURN(host_, exporters::host::HostExporter::Make({}, logger_, clock_));
    return {};
  }

  web::Views MakeViews() {
    web::Views views{.engine = options_.engine, .storage = store_.get(), .clock = &clock_};
    views.targets = [this] { return scrapes_->Status(); };
    views.rules = [this] { return rules_->Status(); };
    views.alertmanagers = [this] {
      return web::Alertmanagers{.active = alerts_.AlertmanagerUrls(), .dropped = {}};
    };
    views.metadata = [this] { return scrapes_->Metadata(); };
    views.external_labels = [this] {
      const base::MutexLock lock(view_mutex_);
      return external_labels_;
    };
    views.notifier = [this] { return alerts_.notifier(); };
    views.store = [this] {
      const storage::HeadStats stats = store_->Stats().head;
      return web::StoreStats{stats.series, stats.chunks, stats.min_time_ms, stats.max_time_ms};
    };
    views.config = [this] {
      const base::MutexLock lock(view_mutex_);
      return config_state_;
    };
    views.metrics = [this] { return Metrics(); };
    views.ready = [this] { return ready_.load(); };
    if (options_.lifecycle) {
      views.reload = [this] { return Reload(); };
    }
    views.flags = options_.flags;
    views.retention = options_.retention_text;
    views.started_at = started_at_;
    views.external_url = external_url_;
    return views;
  }

  std::vector<model::MetricFamily> Metrics() const {
    std::vector<model::MetricFamily> families = StoreFamilies(store_->Stats());
    AppendFamilies(scrapes_->Metrics(), &families);
    AppendFamilies(rules_->Metrics(), &families);
    AppendFamilies(alerts_.Metrics(), &families);
    AppendFamilies(requests_.Metrics(), &families);
    AppendFamilies(exposition::CollectProcessMetrics(), &families);
    families.push_back(BuildInfo());
    std::sort(families.begin(), families.end(),
              [](const model::MetricFamily& a, const model::MetricFamily& b) {
                return a.desc->name < b.desc->name;
              });
    return families;
  }

  // Sources first, so that nothing new is queued behind what is drained.
  void Stop() {
    ready_ = false;
    stop_.Request();
    if (control_.joinable()) {
      control_.join();
    }
    if (scrapes_ != nullptr) {
      scrapes_->Stop();
    }
    if (rules_ != nullptr) {
      rules_->Stop();
    }
    alerts_.Stop(kNotifyDrain);
    server_.reset();
  }

  const AgentOptions options_;
  const base::Logger& logger_;
  const base::RealClock clock_;
  const base::WallTime started_at_;
  const promql::Engine engine_;
  // Without one, everything is in memory only.
  std::optional<state::StateFile> state_file_;
  std::unique_ptr<rules::AlertJournal> journal_;
  std::unique_ptr<storage::Store> store_;
  AlertSink alerts_;
  RequestCounter requests_;
  std::string external_url_;

  // What the configuration says and what discovery found. Held while files are read and servers are
  // asked: only reloads, the periodic look around and Describe wait for it, no scrape, no rule and
  // no other request.
  mutable base::Mutex control_mutex_;
  config::Config config_ GUARDED_BY(control_mutex_);
  std::vector<TargetFiles> target_files_ GUARDED_BY(control_mutex_);
  std::unique_ptr<LocalServers> local_ GUARDED_BY(control_mutex_);
  std::shared_ptr<exporters::Exporter> host_ GUARDED_BY(control_mutex_);
  std::shared_ptr<exporters::Exporter> self_ GUARDED_BY(control_mutex_);
  size_t rule_count_ GUARDED_BY(control_mutex_) = 0;

  mutable base::Mutex view_mutex_;
  web::ConfigState config_state_ GUARDED_BY(view_mutex_);
  model::Labels external_labels_ GUARDED_BY(view_mutex_);
  std::shared_ptr<const http::Router> router_ GUARDED_BY(view_mutex_);
  std::atomic<bool> ready_{false};

  base::StopSignal stop_;
  std::unique_ptr<rules::Manager> rules_;
  std::unique_ptr<scrape::Manager> scrapes_;
  std::thread control_;
  std::unique_ptr<http::Server> server_;
};

Agent::Agent(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Agent::~Agent() = default;

base::Result<std::unique_ptr<Agent>> Agent::Start(AgentOptions options,
                                                  const base::Logger& logger) {
  auto impl = std::make_unique<Impl>(std::move(options), logger);
  RETURN_IF_ERROR(impl->Start());
  return std::unique_ptr<Agent>(new Agent(std::move(impl)));
}

base::Result<void> Agent::Reload() { return impl_->Reload(); }

const std::vector<int>& Agent::ports() const { return impl_->ports(); }

std::vector<std::string> Agent::Describe() const { return impl_->Describe(); }

}  // namespace agent
