// Pages without a server, and a look into the store.
#pragma once

#include <algorithm>
#include <bit>
#include <chrono>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/scrape/source.h"
#include "agent/storage/head.h"
#include "lib/base/strings.h"
#include "lib/model/labels.h"
#include "lib/model/sample.h"

namespace scrape {

struct FakeSample {
  model::Labels labels;
  double value = 0;
  std::optional<int64_t> timestamp_ms = std::nullopt;
};

class FakeLabels final : public LabelSource {
 public:
  explicit FakeLabels(const model::Labels& labels) : labels_(labels) {}
  void BuildLabels(model::LabelsBuilder* builder) const override {
    for (const model::Label label : labels_) {
      builder->Set(label.name, label.value);
    }
  }

 private:
  const model::Labels& labels_;
};

class FakePage final : public Page {
 public:
  FakePage(std::vector<FakeSample> samples, std::optional<base::Error> error)
      : samples_(std::move(samples)), error_(std::move(error)) {}

  base::Result<void> Read(SampleVisitor& visitor) const override {
    for (const FakeSample& sample : samples_) {
      const std::string series = sample.labels.ToString();
      RETURN_IF_ERROR(
          visitor.Visit({series, sample.value, sample.timestamp_ms}, FakeLabels(sample.labels)));
    }
    return error_ ? base::Result<void>(*error_) : base::Result<void>();
  }
  size_t bytes() const override { return 100; }

 private:
  std::vector<FakeSample> samples_;
  std::optional<base::Error> error_;  // After the samples.
};

// Answers with what the test sets before each scrape.
class FakeSource final : public Source {
 public:
  std::vector<FakeSample> samples;
  std::optional<base::Error> fetch_error;
  std::optional<base::Error> page_error;

  base::Result<std::unique_ptr<Page>> Fetch(std::chrono::milliseconds /*timeout*/) override {
    if (fetch_error) {
      return *fetch_error;
    }
    return std::unique_ptr<Page>(std::make_unique<FakePage>(samples, page_error));
  }
};

// Every series of the store with its samples as text: "1@1000 stale@2000".
inline std::map<std::string, std::string> Dump(const storage::Queryable& store) {
  std::map<std::string, std::string> dump;
  const auto querier = store.NewQuerier();
  const auto selected = querier->Select({}, {.start_ms = std::numeric_limits<int64_t>::min(),
                                             .end_ms = std::numeric_limits<int64_t>::max()});
  for (const auto& series : *selected) {
    std::string& text = dump[series->labels().ToString()];
    const auto samples = series->Samples();
    for (model::Sample sample; samples->Next(&sample);) {
      text += (text.empty() ? "" : " ") +
              (model::IsStale(sample.value) ? "stale" : base::FormatDouble(sample.value)) + "@" +
              std::to_string(sample.timestamp_ms);
    }
  }
  return dump;
}

}  // namespace scrape
