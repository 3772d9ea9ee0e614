#include "lib/exposition/parser.h"

#include <algorithm>
#include <span>
#include <utility>

#include "lib/base/strings.h"
#include "lib/exposition/flatten.h"
#include "lib/exposition/number.h"
#include "lib/exposition/series_scanner.h"
#include "lib/exposition/strict.h"

namespace exposition {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using model::MetricType;

constexpr std::string_view kHelpKeyword = "HELP";
constexpr std::string_view kTypeKeyword = "TYPE";
constexpr std::string_view kUnitKeyword = "UNIT";

constexpr ByteSet kEndsTextValue = MakeByteSet("{ \t\n");
constexpr ByteSet kEndsTextTimestamp = MakeByteSet(" \t\n");
constexpr ByteSet kEndsWord = MakeByteSet(" \n");

struct TypeWord {
  std::string_view word;
  MetricType type;
};
constexpr TypeWord kTextTypes[] = {{"counter", MetricType::kCounter},
                                   {"gauge", MetricType::kGauge},
                                   {"histogram", MetricType::kHistogram},
                                   {"summary", MetricType::kSummary},
                                   {"untyped", MetricType::kUntyped}};
constexpr TypeWord kOpenMetricsTypes[] = {
    {"counter", MetricType::kCounter},     {"gauge", MetricType::kGauge},
    {"histogram", MetricType::kHistogram}, {"gaugehistogram", MetricType::kGaugeHistogram},
    {"summary", MetricType::kSummary},     {"info", MetricType::kInfo},
    {"stateset", MetricType::kStateSet},   {"unknown", MetricType::kUntyped}};

Error Malformed(std::string message) {
  return Error(std::move(message), ErrorKind::kInvalidArgument);
}

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// Whether le (of a histogram) or quantile (of a summary) is a number, whose spelling may vary.
bool IsBound(std::string_view label, MetricType type) {
  switch (type) {
    case MetricType::kHistogram:
    case MetricType::kGaugeHistogram:
      return label == "le";
    case MetricType::kSummary:
      return label == "quantile";
    default:
      return false;
  }
}

}  // namespace

Parser::Parser(std::string_view page, Format format, ParseMode mode)
    : page_(page),
      format_(format),
      strict_(mode == ParseMode::kStrict ? std::make_unique<StrictChecker>(format) : nullptr),
      raw_(std::make_unique<RawSeries>()) {}

Parser::~Parser() = default;

Result<Entry> Parser::Next() {
  Result<Entry> entry = ParseEntry();
  if (entry.ok() && strict_ != nullptr) {
    if (const Result<void> checked = strict_->Check(*entry, *this); !checked.ok()) {
      entry = checked.error();
    }
  }
  if (!entry.ok()) {
    return entry.error().WithContext("line " + std::to_string(line_));
  }
  return entry;
}

Result<Entry> Parser::ParseEntry() {
  return format_ == Format::kText ? ParseTextEntry() : ParseOpenMetricsEntry();
}

// Text 0.0.4. The page ends at its end or, as Prometheus has it, at a NUL where an entry could
// start; the last line may lack its newline.

Result<Entry> Parser::ParseTextEntry() {
  for (;;) {
    line_ = next_line_;
    const size_t begin = at_;
    SkipBlanks();
    if (at_ >= page_.size() || page_[at_] == '\0') {
      if (at_ < page_.size() && strict_ != nullptr) {
        return Malformed("a NUL byte");
      }
      return Entry::kEnd;
    }
    if (page_[at_] != '\n') {
      if (page_[at_] != '#' && at_ != begin) {
        return Malformed("blanks before " + Excerpt(page_, at_));
      }
      break;
    }
    ++at_;
    ++next_line_;
  }
  return page_[at_] == '#' ? ParseTextComment() : ParseTextSeries();
}

Result<Entry> Parser::ParseTextComment() {
  const size_t begin = at_++;
  const bool may_be_metadata = !AtLineEnd() && IsBlank(page_[at_]);
  SkipBlanks();
  const std::string_view keyword = page_.substr(at_, kHelpKeyword.size());
  const bool is_type = keyword == kTypeKeyword;
  const size_t after = at_ + keyword.size();
  if (may_be_metadata && (is_type || keyword == kHelpKeyword) && after < page_.size() &&
      IsBlank(page_[after])) {
    at_ = after;
    SkipBlanks();
    RETURN_IF_ERROR(TakeName());
    const std::string_view rest = TakeLine();
    const bool blank = std::all_of(rest.begin(), rest.end(), IsBlank);
    text_ = blank ? std::string_view() : rest.substr(1);
    if (is_type) {
      RETURN_IF_ERROR(SetType(text_));
    } else {
      RETURN_IF_ERROR(CheckHelp());
    }
    ++at_;
    ++next_line_;
    return is_type ? Entry::kType : Entry::kHelp;
  }
  at_ = begin;
  text_ = TakeLine();
  ++at_;
  ++next_line_;
  return Entry::kComment;
}

Result<Entry> Parser::ParseTextSeries() {
  RETURN_IF_ERROR(ScanOrExpectSeries());
  SkipBlanks();
  RETURN_IF_ERROR(SetValue(TakeUntil(kEndsTextValue)));
  SkipBlanks();
  timestamp_ms_.reset();
  if (!AtLineEnd()) {
    const size_t begin = at_;
    const std::optional<uint64_t> timestamp = base::ParseUint(TakeUntil(kEndsTextTimestamp));
    if (!timestamp.has_value() || !std::in_range<int64_t>(*timestamp)) {
      return Malformed("expected a time stamp in milliseconds, found " + Excerpt(page_, begin));
    }
    timestamp_ms_ = static_cast<int64_t>(*timestamp);
    SkipBlanks();
    if (!AtLineEnd()) {
      return Malformed("expected the end of the line, found " + Excerpt(page_, at_));
    }
  }
  ++at_;
  ++next_line_;
  return Entry::kSeries;
}

// OpenMetrics. Every line ends with a newline, only "# EOF" may go without; tokens are separated by
// one space.

Result<Entry> Parser::ParseOpenMetricsEntry() {
  line_ = next_line_++;
  if (at_ >= page_.size()) {
    return Malformed("the page does not end with # EOF");
  }
  const std::string_view rest = page_.substr(at_);
  if (rest == "# EOF" || rest == "# EOF\n") {
    return Entry::kEnd;
  }
  if (StartsWith(rest, "# EOF\n")) {
    return Malformed("something after # EOF");
  }
  return page_[at_] == '#' ? ParseOpenMetricsMetadata() : ParseOpenMetricsSeries();
}

Result<Entry> Parser::ParseOpenMetricsMetadata() {
  constexpr std::pair<std::string_view, Entry> kKeywords[] = {
      {kTypeKeyword, Entry::kType}, {kHelpKeyword, Entry::kHelp}, {kUnitKeyword, Entry::kUnit}};
  const bool starts = StartsWith(page_.substr(at_), "# ");
  const std::string_view keyword = starts ? page_.substr(at_ + 2, 4) : std::string_view();
  const auto* const found =
      std::find_if(std::begin(kKeywords), std::end(kKeywords),
                   [keyword](const auto& row) { return row.first == keyword; });
  const size_t after = at_ + 2 + keyword.size();
  if (found == std::end(kKeywords) || after >= page_.size() || page_[after] != ' ') {
    return Malformed("expected # TYPE, # HELP, # UNIT or # EOF, found " + Excerpt(page_, at_));
  }
  at_ = after + 1;
  RETURN_IF_ERROR(TakeName());
  if (AtLineEnd() || page_[at_] != ' ') {
    return Malformed("expected a space after the name, found " + Excerpt(page_, at_));
  }
  ++at_;
  text_ = TakeLine();
  if (at_ >= page_.size()) {
    return Malformed("the page does not end with # EOF");
  }
  ++at_;
  switch (found->second) {
    case Entry::kType:
      RETURN_IF_ERROR(SetType(text_));
      break;
    case Entry::kHelp:
      RETURN_IF_ERROR(CheckHelp());
      break;
    default:
      RETURN_IF_ERROR(CheckUnit());
      break;
  }
  return found->second;
}

Result<Entry> Parser::ParseOpenMetricsSeries() {
  RETURN_IF_ERROR(ScanOrExpectSeries());
  RETURN_IF_ERROR(SetValue(TakeWord()));
  timestamp_ms_.reset();
  exemplar_.reset();
  constexpr std::string_view kExemplarStart = " # {";
  if (!AtLineEnd() && !StartsWith(page_.substr(at_), kExemplarStart)) {
    const size_t begin = at_;
    timestamp_ms_ = ParseSeconds(TakeWord());
    if (!timestamp_ms_.has_value()) {
      return Malformed("expected a time stamp in seconds, found " + Excerpt(page_, begin));
    }
  }
  if (StartsWith(page_.substr(at_), kExemplarStart)) {
    at_ += kExemplarStart.size();
    RETURN_IF_ERROR(ParseExemplar());
  }
  if (!AtLineEnd()) {
    return Malformed("expected the end of the line, found " + Excerpt(page_, at_));
  }
  if (at_ >= page_.size()) {
    return Malformed("the page does not end with # EOF");
  }
  ++at_;
  return Entry::kSeries;
}

Result<void> Parser::ParseExemplar() {
  RawSeries labels;
  ASSIGN_OR_RETURN(at_, ScanExemplarLabels(page_, at_, kMaxLabels, &labels));
  const size_t begin = at_;
  const std::optional<double> value = ParseValue(TakeWord());
  if (!value.has_value()) {
    return Malformed("expected the exemplar's value, found " + Excerpt(page_, begin));
  }
  exemplar_.emplace();
  exemplar_->value = *value;
  std::string storage;
  for (const RawLabel& label : labels.labels) {
    std::string name(Unescape(label.name, &storage));
    exemplar_->labels.emplace_back(std::move(name), Unescape(label.value, &storage));
  }
  if (!AtLineEnd()) {
    const size_t timestamp_at = at_;
    exemplar_->timestamp_ms = ParseSeconds(TakeWord());
    if (!exemplar_->timestamp_ms.has_value()) {
      return Malformed("expected the exemplar's time stamp, found " + Excerpt(page_, timestamp_at));
    }
  }
  return {};
}

// Both formats.

Result<void> Parser::ScanOrExpectSeries() {
  if (TakeExpectedSeries()) {
    return {};
  }
  const size_t begin = at_;
  ASSIGN_OR_RETURN(at_, ScanSeries(page_, begin, format_, kMaxLabels, raw_.get()));
  raw_is_current_ = true;
  SetSeries(page_.substr(begin, at_ - begin));
  return {};
}

void Parser::SetSeries(std::string_view series) {
  series_ = series;
  if (series.find('\n') != std::string_view::npos) {  // Label values of text may span lines.
    next_line_ += static_cast<size_t>(std::count(series.begin(), series.end(), '\n'));
  }
}

bool Parser::TakeExpectedSeries() {
  const std::string_view expected = std::exchange(expected_, std::string_view());
  if (expected.empty() || strict_ != nullptr || !StartsWith(page_.substr(at_), expected)) {
    return false;
  }
  size_t after = at_ + expected.size();
  if (expected.back() != '}') {
    // A bare name: it must end here, and no labels may follow.
    if (after >= page_.size() || !IsBlank(page_[after])) {
      return false;
    }
    while (after < page_.size() && IsBlank(page_[after])) {
      ++after;
    }
    if (after < page_.size() && page_[after] == '{') {
      return false;
    }
  }
  raw_is_current_ = false;
  SetSeries(page_.substr(at_, expected.size()));
  at_ += expected.size();
  return true;
}

Result<void> Parser::TakeName() {
  RawText name;
  ASSIGN_OR_RETURN(at_, ScanName(page_, at_, &name));
  std::string storage;
  name_ = Unescape(name, &storage);
  return {};
}

Result<void> Parser::SetType(std::string_view word) {
  const std::span<const TypeWord> types = format_ == Format::kText
                                              ? std::span<const TypeWord>(kTextTypes)
                                              : std::span<const TypeWord>(kOpenMetricsTypes);
  for (const TypeWord& type : types) {
    if (type.word == word) {
      type_ = type.type;
      typed_name_ = name_;
      return {};
    }
  }
  return Malformed("unknown metric type " + Excerpt(word, 0) + " of " + name_);
}

Result<void> Parser::CheckHelp() const {
  if (!base::IsValidUtf8(text_)) {
    return Malformed("invalid UTF-8 in the HELP of " + name_);
  }
  return {};
}

Result<void> Parser::CheckUnit() const {
  const bool is_suffix = text_.empty() || (name_.size() > text_.size() && name_.ends_with(text_) &&
                                           name_[name_.size() - text_.size() - 1] == '_');
  if (!is_suffix) {
    return Malformed("the unit " + Excerpt(text_, 0) + " is no suffix of " + name_);
  }
  return {};
}

Result<void> Parser::SetValue(std::string_view text) {
  const std::optional<double> value = ParseValue(text);
  if (!value.has_value()) {
    const auto begin = static_cast<size_t>(text.data() - page_.data());
    return Malformed("expected a value, found " + Excerpt(page_, begin));
  }
  value_ = *value;
  return {};
}

// From here to the first of `ends` or the end of the page.
std::string_view Parser::TakeUntil(const ByteSet& ends) {
  const size_t begin = std::exchange(at_, FindByte(page_, at_, ends));
  return page_.substr(begin, at_ - begin);
}

std::string_view Parser::TakeLine() {
  const size_t begin = std::exchange(at_, std::min(page_.find('\n', at_), page_.size()));
  return page_.substr(begin, at_ - begin);
}

// A space and what follows it up to the next space or newline; empty if no space is here.
std::string_view Parser::TakeWord() {
  if (at_ >= page_.size() || page_[at_] != ' ') {
    return page_.substr(at_, 0);
  }
  ++at_;
  return TakeUntil(kEndsWord);
}

void Parser::SkipBlanks() {
  while (at_ < page_.size() && IsBlank(page_[at_])) {
    ++at_;
  }
}

std::string Parser::help() const {
  std::string storage;
  return std::string(Unescape({.bytes = text_, .escaped = true}, &storage));
}

void Parser::BuildLabels(model::LabelsBuilder* builder) const {
  RawSeries expected;
  if (!raw_is_current_) {
    // These bytes were scanned before, in an earlier page: this cannot fail.
    [[maybe_unused]] const auto end = ScanSeries(series_, 0, format_, kMaxLabels, &expected);
  }
  const RawSeries& raw = raw_is_current_ ? *raw_ : expected;
  std::string name_storage;
  std::string value_storage;
  const std::string_view metric_name = Unescape(raw.name, &name_storage);
  builder->Set(model::kMetricNameLabel, metric_name);
  const bool has_bound = StartsWith(metric_name, typed_name_);
  for (const RawLabel& label : raw.labels) {
    if (label.value.bytes.empty()) {
      continue;
    }
    const std::string_view name = Unescape(label.name, &name_storage);
    std::string_view value = Unescape(label.value, &value_storage);
    if (has_bound && IsBound(name, type_)) {
      if (const std::optional<double> bound = ParseValue(value); bound.has_value()) {
        value_storage.clear();
        AppendBound(*bound, BoundFormat::kOpenMetrics, &value_storage);
        value = value_storage;
      }
    }
    builder->Set(name, value);
  }
}

}  // namespace exposition
