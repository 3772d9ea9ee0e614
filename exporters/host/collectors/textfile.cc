// Metrics that other programs leave in files, *.prom below --collector.textfile.directory. Each
// file stands alone: one that does not parse loses its own samples and nothing else, and none can
// replace a family that this exporter has itself.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <sys/stat.h>

#include "exporters/host/context.h"
#include "exporters/host/parsers.h"
#include "lib/base/strings.h"
#include "lib/exposition/parser.h"

namespace exporters::host {
namespace {

constexpr model::MetricDesc kError{
    .name = "node_textfile_scrape_error",
    .help = "Whether anything in the text files could not be used; the log says what."};
constexpr model::MetricDesc kModified{.name = "node_textfile_mtime_seconds",
                                      .help =
                                          "When the file was last changed, as seconds since "
                                          "1970. Only files that could be read.",
                                      .labels = {"file"}};

constexpr std::string_view kExtension = ".prom";
constexpr size_t kMaxFileBytes = 16 << 20;
constexpr size_t kMaxFiles = 1000;

// "x_bucket" of histogram x and the like: which family, which part.
struct Part {
  std::string family;
  std::string_view suffix;
};

using TypeMap = std::map<std::string, model::MetricType, std::less<>>;

Part FindPart(const TypeMap& types, std::string_view name) {
  for (const std::string_view suffix : {"_bucket", "_sum", "_count"}) {
    if (name.size() <= suffix.size() || name.substr(name.size() - suffix.size()) != suffix) {
      continue;
    }
    const std::string_view base_name = name.substr(0, name.size() - suffix.size());
    const auto found = types.find(base_name);
    if (found != types.end() &&
        (found->second == model::MetricType::kHistogram ||
         (found->second == model::MetricType::kSummary && suffix != "_bucket"))) {
      return {.family = std::string(base_name), .suffix = suffix};
    }
  }
  return {.family = std::string(name), .suffix = {}};
}

// Gathers the entries of one page into families.
class Gatherer {
 public:
  base::Result<void> AddSeries(const exposition::Parser& parser) {
    if (parser.timestamp_ms()) {
      return base::Error(
          fmt::format("line {}: a text file's metrics must not have time stamps", parser.line()),
          base::ErrorKind::kInvalidArgument);
    }
    model::LabelsBuilder labels;
    parser.BuildLabels(&labels);
    const std::string name(labels.Get(model::kMetricNameLabel));
    labels.Remove(model::kMetricNameLabel);
    const Part part = FindPart(types_, name);
    TextFamily& family = Family(part.family);
    if (family.type == model::MetricType::kHistogram) {
      AddToHistogram(part, parser.value(), &labels, &family);
    } else if (family.type == model::MetricType::kSummary) {
      AddToSummary(part, parser.value(), &labels, &family);
    } else {
      family.metrics.emplace_back(labels.Build(), model::Metric{.value = parser.value()});
    }
    return {};
  }

  void SetType(const exposition::Parser& parser) {
    types_[parser.name()] = parser.type();
    TextFamily& family = Family(parser.name());
    family.type = parser.type();
    family.has_type = true;
  }

  void SetHelp(const exposition::Parser& parser) {
    TextFamily& family = Family(parser.name());
    family.help = parser.help();
    family.has_help = true;
  }

  std::vector<TextFamily> Take() {
    std::erase_if(families_, [](const TextFamily& family) { return family.metrics.empty(); });
    return std::move(families_);
  }

 private:
  TextFamily& Family(const std::string& name) {
    const auto [at, added] = index_.try_emplace(name, families_.size());
    if (added) {
      families_.push_back({.name = name});
    }
    return families_[at->second];
  }

  // The metric with these labels; made when it is new.
  static model::Metric& MetricOf(const model::LabelsBuilder& builder, TextFamily* family) {
    model::Labels labels = builder.Build();
    for (auto& [known, metric] : family->metrics) {
      if (known == labels) {
        return metric;
      }
    }
    return family->metrics.emplace_back(std::move(labels), model::Metric()).second;
  }

  static void AddToHistogram(const Part& part, double value, model::LabelsBuilder* labels,
                             TextFamily* family) {
    const auto bound = base::ParseDouble(labels->Get("le"));
    labels->Remove("le");
    model::Metric& metric = MetricOf(*labels, family);
    if (!metric.histogram) {
      metric.histogram = std::make_unique<model::Histogram>();
    }
    if (part.suffix == "_bucket" && bound) {
      metric.histogram->buckets.push_back({.upper_bound = *bound, .cumulative_count = value});
    } else if (part.suffix == "_sum") {
      metric.histogram->sum = value;
    } else if (part.suffix == "_count") {
      metric.histogram->count = value;
    }
  }

  static void AddToSummary(const Part& part, double value, model::LabelsBuilder* labels,
                           TextFamily* family) {
    const auto quantile = base::ParseDouble(labels->Get("quantile"));
    labels->Remove("quantile");
    model::Metric& metric = MetricOf(*labels, family);
    if (!metric.summary) {
      metric.summary = std::make_unique<model::Summary>();
    }
    if (part.suffix == "_sum") {
      metric.summary->sum = value;
    } else if (part.suffix == "_count") {
      metric.summary->count = value;
    } else if (quantile) {
      metric.summary->quantiles.push_back({.quantile = *quantile, .value = value});
    }
  }

  TypeMap types_;
  std::vector<TextFamily> families_;
  std::map<std::string, size_t, std::less<>> index_;
};

// All files' metrics of one family, whose labels are the union of what the files use.
struct Merged {
  TextFamily family;
  std::set<std::string> label_names;
};

class Merger {
 public:
  explicit Merger(const Scrape& scrape) : scrape_(scrape) {}

  void Add(const std::string& file, std::vector<TextFamily> families) {
    for (TextFamily& family : families) {
      AddFamily(file, std::move(family));
    }
  }

  void Fail(std::string problem) { problems_.push_back(std::move(problem)); }

  void Emit(Scrape& scrape) const {
    for (const auto& [name, merged] : merged_) {
      scrape.Emit(Build(merged));
    }
  }

  const std::vector<std::string>& problems() const { return problems_; }

 private:
  void AddFamily(const std::string& file, TextFamily family) {
    if (scrape_.Contains(family.name)) {
      Fail(fmt::format("{}: {} is a metric of this exporter", file, family.name));
      return;
    }
    std::set<std::string> names;
    for (const auto& [labels, metric] : family.metrics) {
      for (const model::Label label : labels) {
        names.emplace(label.name);
      }
    }
    const auto found = merged_.find(family.name);
    if (found != merged_.end() && !Unify(&found->second.family, family)) {
      Fail(fmt::format("{}: {} has another type in another file", file, family.name));
      return;
    }
    if (found != merged_.end()) {
      names.insert(found->second.label_names.begin(), found->second.label_names.end());
    }
    if (names.size() > model::LabelNames::kMax) {
      Fail(fmt::format("{}: {} has more than {} label names", file, family.name,
                       model::LabelNames::kMax));
      return;
    }
    if (!family.has_help) {
      family.help = fmt::format("From {}.", file);
    }
    if (found == merged_.end()) {
      const std::string name = family.name;
      merged_.emplace(name, Merged{.family = std::move(family), .label_names = std::move(names)});
      return;
    }
    found->second.label_names = std::move(names);
    std::move(family.metrics.begin(), family.metrics.end(),
              std::back_inserter(found->second.family.metrics));
  }

  // A file that does not say the type takes that of the others. False when two say different ones.
  static bool Unify(TextFamily* known, const TextFamily& added) {
    if (!added.has_type || known->type == added.type) {
      return added.has_type || IsSimple(known->type);
    }
    if (known->has_type || !IsSimple(added.type)) {
      return false;
    }
    known->type = added.type;
    known->has_type = true;
    return true;
  }

  static bool IsSimple(model::MetricType type) {
    return type != model::MetricType::kHistogram && type != model::MetricType::kSummary;
  }

  static model::MetricFamily Build(const Merged& merged) {
    const model::DescPtr desc = model::DynamicDesc::Make(
        {.name = merged.family.name,
         .help = merged.family.help,
         .type = merged.family.type,
         .labels = {merged.label_names.begin(), merged.label_names.end()}});
    model::MetricFamily family{.desc = &desc->desc(), .owner = desc};
    for (const auto& [labels, metric] : merged.family.metrics) {
      model::Metric copy{
          .value = metric.value,
          .histogram =
              metric.histogram ? std::make_unique<model::Histogram>(*metric.histogram) : nullptr,
          .summary = metric.summary ? std::make_unique<model::Summary>(*metric.summary) : nullptr};
      for (const std::string& name : merged.label_names) {
        copy.labels.Add(labels.Get(name));
      }
      family.metrics.push_back(std::move(copy));
    }
    return family;
  }

  const Scrape& scrape_;
  std::map<std::string, Merged> merged_;
  std::vector<std::string> problems_;
};

std::vector<std::string> FindFiles(const HostOptions& options) {
  std::vector<std::string> files;
  for (const std::string& directory : options.textfile_directories) {
    for (std::string& file : base::Glob(fmt::format("{}/*{}", directory, kExtension))) {
      files.push_back(std::move(file));
    }
  }
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());
  return files;
}

void ReadTextfile(const std::string& path, Merger* merger, Scrape& scrape) {
  const auto text = base::ReadFile(path, kMaxFileBytes);
  if (!text.ok()) {
    merger->Fail(text.error().message());
    return;
  }
  auto families = ParseTextfile(*text);
  if (!families.ok()) {
    merger->Fail(fmt::format("{}: {}", path, families.error().message()));
    return;
  }
  merger->Add(path, std::move(*families));
  struct stat status {};
  if (stat(path.c_str(), &status) == 0) {
    scrape.Emit(kModified, static_cast<double>(status.st_mtime), {path});
  }
}

base::Result<void> CollectTextfile(Context& host, Scrape& scrape) {
  Merger merger(scrape);
  std::vector<std::string> files = FindFiles(host.options);
  if (files.size() > kMaxFiles) {
    merger.Fail(fmt::format("{} files; only the first {} are read", files.size(), kMaxFiles));
    files.resize(kMaxFiles);
  }
  for (const std::string& file : files) {
    ReadTextfile(file, &merger, scrape);
  }
  merger.Emit(scrape);
  scrape.Emit(kError, merger.problems().empty() ? 0 : 1);
  const std::string problem = base::Join(merger.problems(), "; ");
  if (problem != host.textfile_problem && !problem.empty()) {
    host.logger.Warn("textfile: not everything could be used", {{"err", problem}});
  }
  host.textfile_problem = problem;
  return {};
}

}  // namespace

base::Result<std::vector<TextFamily>> ParseTextfile(std::string_view text) {
  exposition::Parser parser(text, exposition::Format::kText, exposition::ParseMode::kScraping);
  Gatherer gatherer;
  for (;;) {
    ASSIGN_OR_RETURN(const exposition::Entry entry, parser.Next());
    switch (entry) {
      case exposition::Entry::kEnd:
        return gatherer.Take();
      case exposition::Entry::kType:
        gatherer.SetType(parser);
        break;
      case exposition::Entry::kHelp:
        gatherer.SetHelp(parser);
        break;
      case exposition::Entry::kSeries:
        RETURN_IF_ERROR(gatherer.AddSeries(parser));
        break;
      case exposition::Entry::kUnit:
      case exposition::Entry::kComment:
        break;
    }
  }
}

extern constexpr HostCollector kTextfileCollector{
    .name = "textfile",
    .help = "Metrics that other programs leave in files.",
    .collect = CollectTextfile};

}  // namespace exporters::host
