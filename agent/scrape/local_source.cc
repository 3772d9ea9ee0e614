#include "agent/scrape/local_source.h"

#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lib/exposition/flatten.h"
#include "lib/model/sample.h"

namespace scrape {
namespace {

// No byte of UTF-8, so it cannot be part of a name or value.
constexpr char kSeparator = '\xff';

class FlatLabels final : public LabelSource {
 public:
  explicit FlatLabels(const exposition::FlatSample& sample) : sample_(sample) {}

  void BuildLabels(model::LabelsBuilder* builder) const override {
    builder->Set(model::kMetricNameLabel, sample_.name);
    for (const model::Label label : sample_.labels) {
      builder->Set(label.name, label.value);
    }
  }

 private:
  const exposition::FlatSample& sample_;
};

// Hands samples on until the visitor has had enough.
class Forwarder final : public exposition::SampleSink {
 public:
  explicit Forwarder(SampleVisitor& visitor) : visitor_(visitor) {}

  void Add(const exposition::FlatSample& sample) override {
    if (failure_) {
      return;
    }
    series_.assign(sample.name);
    for (const model::Label label : sample.labels) {
      series_ += kSeparator;
      series_ += label.name;
      series_ += kSeparator;
      series_ += label.value;
    }
    const double value = std::isnan(sample.value) ? model::kNormalNaN : sample.value;
    const auto visited = visitor_.Visit({series_, value, sample.timestamp_ms}, FlatLabels(sample));
    if (!visited.ok()) {
      failure_ = visited.error();
    }
  }

  const std::optional<base::Error>& failure() const { return failure_; }

 private:
  SampleVisitor& visitor_;
  std::string series_;
  std::optional<base::Error> failure_;
};

class FamiliesPage final : public Page {
 public:
  explicit FamiliesPage(std::vector<model::MetricFamily> families)
      : families_(std::move(families)) {}

  base::Result<void> Read(SampleVisitor& visitor) const override {
    Forwarder forwarder(visitor);
    const bool wants_metadata = visitor.WantsMetadata();
    for (const model::MetricFamily& family : families_) {
      if (wants_metadata) {
        visitor.Describe(
            {family.desc->name, family.desc->type, family.desc->help, family.desc->unit});
      }
      exposition::Flatten(family, exposition::BoundFormat::kOpenMetrics, forwarder);
      if (forwarder.failure()) {
        return *forwarder.failure();
      }
    }
    return {};
  }

  size_t bytes() const override { return 0; }

 private:
  const std::vector<model::MetricFamily> families_;
};

class LocalSource final : public Source {
 public:
  LocalSource(std::shared_ptr<exporters::Exporter> exporter, const base::Clock& clock)
      : exporter_(std::move(exporter)), clock_(clock) {}

  base::Result<std::unique_ptr<Page>> Fetch(std::chrono::milliseconds timeout) override {
    ASSIGN_OR_RETURN(std::vector<model::MetricFamily> families,
                     exporter_->Collect({.deadline = clock_.Monotonic() + timeout}));
    return std::unique_ptr<Page>(std::make_unique<FamiliesPage>(std::move(families)));
  }

 private:
  const std::shared_ptr<exporters::Exporter> exporter_;
  const base::Clock& clock_;
};

}  // namespace

std::unique_ptr<Source> MakeLocalSource(std::shared_ptr<exporters::Exporter> exporter,
                                        const base::Clock& clock) {
  return std::make_unique<LocalSource>(std::move(exporter), clock);
}

}  // namespace scrape
