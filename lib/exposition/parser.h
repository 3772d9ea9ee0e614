// A pull cursor over a metrics page, in either format.
//
//   Parser parser(page, Format::kText, ParseMode::kScraping);
//   for (;;) {
//     ASSIGN_OR_RETURN(const Entry entry, parser.Next());
//     if (entry == Entry::kEnd) break;
//     if (entry == Entry::kSeries) … parser.series(), parser.value() …
//   }
//
// Nothing is copied: series() is the bytes of the page, from which a scrape cache finds its
// reference; labels are built only when it has none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/exposition/format.h"
#include "lib/model/labels.h"
#include "lib/model/metric_family.h"

namespace exposition {

enum class ParseMode {
  kScraping,  // Accepts and refuses what Prometheus does when it scrapes.
  kStrict,    // Also demands what the formats' specifications do: for the linter.
};

enum class Entry {
  kEnd,
  kType,     // name(), type()
  kHelp,     // name(), help()
  kUnit,     // name(), unit(); OpenMetrics only.
  kComment,  // Text 0.0.4 only.
  kSeries,   // series(), value(), timestamp_ms(), exemplar(), BuildLabels()
};

class StrictChecker;
struct RawSeries;

// Thread-compatible. After an error or kEnd, Next() must not be called again.
class Parser {
 public:
  static constexpr size_t kMaxLabels = 256;  // Of a series or an exemplar.

  // `page` must outlive the parser and whatever its accessors returned.
  Parser(std::string_view page, Format format, ParseMode mode);
  ~Parser();
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  // Errors: kInvalidArgument, kResourceExhausted for kMaxLabels; both start with "line N: ".
  base::Result<Entry> Next();

  // A guess at the next entry: bytes that series() returned for an earlier page of this format. If
  // the guess is right they are compared instead of parsed. Ignored in kStrict. The view is used by
  // the next call of Next() only.
  void ExpectSeries(std::string_view series) { expected_ = series; }

  // From 1; of the entry that Next() returned.
  size_t line() const { return line_; }

  // Of kType, kHelp, kUnit: the family's name, unescaped.
  const std::string& name() const { return name_; }
  model::MetricType type() const { return type_; }  // Of the last kType.
  std::string help() const;                         // Unescaped.
  std::string_view unit() const { return text_; }

  // Of kSeries: name and labels as written. Equal bytes mean equal labels, not the other way round.
  std::string_view series() const { return series_; }
  double value() const { return value_; }  // Every NaN is model::kNormalNaN.
  std::optional<int64_t> timestamp_ms() const { return timestamp_ms_; }
  // OpenMetrics only; the value is canonical as above.
  const std::optional<model::Exemplar>& exemplar() const { return exemplar_; }

  // Sets the labels of the current series, its name among them, in `builder`, which is not cleared.
  // In a family of TYPE histogram or summary, le and quantile get their OpenMetrics spelling, as
  // Prometheus 3 stores them.
  void BuildLabels(model::LabelsBuilder* builder) const;

 private:
  base::Result<Entry> ParseEntry();
  base::Result<Entry> ParseTextEntry();
  base::Result<Entry> ParseTextComment();
  base::Result<Entry> ParseTextSeries();
  base::Result<Entry> ParseOpenMetricsEntry();
  base::Result<Entry> ParseOpenMetricsMetadata();
  base::Result<Entry> ParseOpenMetricsSeries();
  base::Result<void> ParseExemplar();
  base::Result<void> ScanOrExpectSeries();
  bool TakeExpectedSeries();
  base::Result<void> TakeName();
  base::Result<void> SetType(std::string_view word);
  base::Result<void> CheckHelp() const;
  base::Result<void> CheckUnit() const;
  base::Result<void> SetValue(std::string_view text);
  void SetSeries(std::string_view series);
  std::string_view TakeUntil(const std::array<bool, 256>& ends);
  std::string_view TakeLine();
  std::string_view TakeWord();
  void SkipBlanks();
  bool AtLineEnd() const { return at_ >= page_.size() || page_[at_] == '\n'; }

  const std::string_view page_;
  const Format format_;
  const std::unique_ptr<StrictChecker> strict_;  // In kStrict only.
  size_t at_ = 0;
  size_t next_line_ = 1;
  size_t line_ = 1;
  std::string_view expected_;

  std::string name_;
  std::string_view text_;
  model::MetricType type_ = model::MetricType::kUntyped;
  std::string typed_name_;  // The family that type_ belongs to.
  std::string_view series_;
  double value_ = 0;
  std::optional<int64_t> timestamp_ms_;
  std::optional<model::Exemplar> exemplar_;
  const std::unique_ptr<RawSeries> raw_;
  bool raw_is_current_ = false;  // Not for an expected series.
};

}  // namespace exposition
