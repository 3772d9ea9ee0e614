// A store and expressions that tests can look into.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/promql/value.h"
#include "agent/rules/expression.h"
#include "agent/storage/appender.h"
#include "lib/base/mutex.h"
#include "lib/model/labels.h"
#include "lib/model/sample.h"

namespace rules {

// Keeps every sample. Thread-safe.
class FakeStore final : public storage::Appendable {
 public:
  using SeriesMap = std::map<std::string, std::vector<model::Sample>>;

  std::unique_ptr<storage::Appender> NewAppender() override {
    return std::make_unique<Appender>(*this);
  }

  // By the text of their labels.
  SeriesMap series() const {
    base::MutexLock lock(mutex_);
    return series_;
  }

  // "1 2 stale": the values of one series.
  std::string Values(const std::string& labels) const {
    std::string text;
    const SeriesMap all = series();
    const auto found = all.find(labels);
    if (found == all.end()) {
      return "none";
    }
    for (const model::Sample& sample : found->second) {
      text += text.empty() ? "" : " ";
      text += model::IsStale(sample.value) ? "stale"
                                           : std::to_string(static_cast<int64_t>(sample.value));
    }
    return text;
  }

  void RefuseCommits(bool refuse) {
    base::MutexLock lock(mutex_);
    refuse_commits_ = refuse;
  }

  // Every reference handed out so far is no longer known.
  void ForgetReferences() {
    base::MutexLock lock(mutex_);
    references_.clear();
  }

 private:
  class Appender final : public storage::Appender {
   public:
    explicit Appender(FakeStore& store) : store_(store) {}

    base::Result<storage::SeriesRef> Append(const model::Labels& labels, int64_t timestamp_ms,
                                            double value) override {
      if (labels.Get("refused") == "yes") {
        return base::Error("out of order", base::ErrorKind::kInvalidArgument);
      }
      batch_.push_back({labels, {timestamp_ms, value}});
      base::MutexLock lock(store_.mutex_);
      store_.references_.push_back(labels);
      return store_.references_.size();
    }

    base::Result<void> Append(storage::SeriesRef ref, int64_t timestamp_ms, double value) override {
      base::MutexLock lock(store_.mutex_);
      if (ref > store_.references_.size()) {
        return base::Error("no such series", base::ErrorKind::kNotFound);
      }
      batch_.push_back({store_.references_[ref - 1], {timestamp_ms, value}});
      return {};
    }

    base::Result<void> Commit() override {
      base::MutexLock lock(store_.mutex_);
      if (store_.refuse_commits_) {
        return base::Error("disk full", base::ErrorKind::kResourceExhausted);
      }
      for (const auto& [labels, sample] : batch_) {
        store_.series_[labels.ToString()].push_back(sample);
      }
      return {};
    }

   private:
    FakeStore& store_;
    std::vector<std::pair<model::Labels, model::Sample>> batch_;
  };

  mutable base::Mutex mutex_;
  SeriesMap series_ GUARDED_BY(mutex_);
  std::vector<model::Labels> references_ GUARDED_BY(mutex_);
  bool refuse_commits_ GUARDED_BY(mutex_) = false;
};

// Expressions are names of functions set by the test. Set them before use from other threads.
class FakeExpressions {
 public:
  using Answer = std::function<base::Result<promql::Value>(int64_t at_ms)>;

  void Set(const std::string& text, Answer answer) { answers_[text] = std::move(answer); }
  void SetVector(const std::string& text, promql::Vector vector) {
    Set(text, [vector = std::move(vector)](int64_t) { return promql::Value(vector); });
  }

  ParseFunc parse() {
    return [this](std::string_view text) -> base::Result<Expression> {
      const auto found = answers_.find(std::string(text));
      if (found == answers_.end()) {
        return base::Error("1:1: parse error: unknown: " + std::string(text),
                           base::ErrorKind::kInvalidArgument);
      }
      return Expression{
          .text = "(" + std::string(text) + ")",
          .query = [answer = found->second](int64_t at_ms) -> base::Result<promql::QueryResult> {
            auto value = answer(at_ms);
            if (!value.ok()) {
              return value.error();
            }
            return promql::QueryResult{.value = *std::move(value)};
          }};
    };
  }

 private:
  std::map<std::string, Answer> answers_;
};

inline promql::VectorElement Element(model::Labels labels, double value = 1) {
  return {.labels = std::move(labels), .timestamp_ms = 0, .value = value};
}

}  // namespace rules
