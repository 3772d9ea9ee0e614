#include "lib/exposition/series_scanner.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "lib/base/strings.h"
#include "lib/model/labels.h"

namespace exposition {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

constexpr size_t kExcerptBytes = 40;

enum NameClass : uint8_t { kNone = 0, kLabelStart = 1, kMetricStart = 2, kDigit = 4 };

constexpr std::array<uint8_t, 256> kNameClasses = [] {
  std::array<uint8_t, 256> classes{};
  for (size_t c = 'a'; c <= 'z'; ++c) {
    classes[c] = kLabelStart | kMetricStart;
    classes[c - 'a' + 'A'] = kLabelStart | kMetricStart;
  }
  classes['_'] = kLabelStart | kMetricStart;
  classes[':'] = kMetricStart;
  for (size_t c = '0'; c <= '9'; ++c) {
    classes[c] = kDigit;
  }
  return classes;
}();

// Where a run of `start` characters and digits ends; `at` itself if none starts there.
size_t EndOfName(std::string_view page, size_t at, NameClass start) {
  const auto class_at = [page](size_t i) {
    return kNameClasses[static_cast<unsigned char>(page[i])];
  };
  if (at >= page.size() || (class_at(at) & start) == 0) {
    return at;
  }
  const int rest = start | kDigit;
  while (at < page.size() && (class_at(at) & rest) != 0) {
    ++at;
  }
  return at;
}

Error Expected(std::string_view what, std::string_view page, size_t at) {
  return Error("expected " + std::string(what) + ", found " + Excerpt(page, at),
               ErrorKind::kInvalidArgument);
}

bool IsAscii(std::string_view text) {
  unsigned char seen = 0;
  for (const char c : text) {
    seen |= static_cast<unsigned char>(c);
  }
  return seen < 0x80;
}

struct StringRules {
  bool newline = false;  // May the string hold a newline?
  bool nul = false;      // May it hold a NUL?
};

// What a loop over the bytes of a string must look at.
constexpr ByteSet kStringStops = MakeByteSet(std::string_view("\"\\\n\0", 4));

// A quoted string; `at` is the opening quote. Returns where the closing one is.
Result<size_t> ScanString(std::string_view page, size_t at, StringRules rules, RawText* text) {
  const size_t begin = at + 1;
  bool escaped = false;
  for (size_t i = FindByte(page, begin, kStringStops); i < page.size();
       i = FindByte(page, i + 1, kStringStops)) {
    const char c = page[i];
    if (c == '"') {
      *text = {page.substr(begin, i - begin), escaped};
      if (!IsAscii(text->bytes) && !base::IsValidUtf8(text->bytes)) {
        return Error("invalid UTF-8 in the string " + Excerpt(page, at),
                     ErrorKind::kInvalidArgument);
      }
      return i;
    }
    if (c == '\\') {
      escaped = true;
      if (++i == page.size() || page[i] == '\n') {
        break;
      }
    } else if ((c == '\n' && !rules.newline) || (c == '\0' && !rules.nul)) {
      break;
    }
  }
  return Error("unterminated string " + Excerpt(page, at), ErrorKind::kInvalidArgument);
}

// The labels between braces, once per list.
class LabelScanner {
 public:
  struct Rules {
    bool blanks = false;          // Blanks around the tokens, and commas left out.
    bool newlines = false;        // Newlines within values.
    bool name_in_braces = false;  // A quoted string alone is the metric's name.
    bool unique = false;          // No name twice.
    size_t max_labels = 0;
  };

  LabelScanner(std::string_view page, size_t at, const Rules& rules, RawSeries* series)
      : page_(page), at_(at), rules_(rules), series_(*series) {}

  // From behind the opening brace to behind the closing one.
  Result<size_t> Scan();

 private:
  bool At(char c) const { return at_ < page_.size() && page_[at_] == c; }
  void SkipBlanks() {
    while (rules_.blanks && (At(' ') || At('\t'))) {
      ++at_;
    }
  }
  bool Take(char c) {
    if (!At(c)) {
      return false;
    }
    ++at_;
    SkipBlanks();
    return true;
  }
  Result<void> ScanOne();
  Result<void> ScanLabelName(RawText* name, bool* quoted);
  Result<void> AddMetricName(RawText name, size_t at);
  Result<void> AddLabel(const RawLabel& label, size_t at);
  bool IsTaken(const RawLabel& label) const;

  const std::string_view page_;
  size_t at_;
  const Rules rules_;
  RawSeries& series_;
};

Result<size_t> LabelScanner::Scan() {
  SkipBlanks();
  while (!At('}')) {
    RETURN_IF_ERROR(ScanOne());
    if (!Take(',') && !At('}') && !rules_.blanks) {
      return Expected("',' or '}' after a label", page_, at_);
    }
  }
  return at_ + 1;
}

Result<void> LabelScanner::ScanOne() {
  const size_t begin = at_;
  RawLabel label;
  bool quoted = false;
  RETURN_IF_ERROR(ScanLabelName(&label.name, &quoted));
  if (quoted && rules_.name_in_braces && (At(',') || At('}'))) {
    return AddMetricName(label.name, begin);
  }
  if (!Take('=')) {
    return Expected("'=' after a label name", page_, at_);
  }
  if (!At('"')) {
    return Expected("a quoted label value", page_, at_);
  }
  ASSIGN_OR_RETURN(const size_t end,
                   ScanString(page_, at_, {.newline = rules_.newlines, .nul = true}, &label.value));
  at_ = end + 1;
  SkipBlanks();
  return AddLabel(label, begin);
}

Result<void> LabelScanner::ScanLabelName(RawText* name, bool* quoted) {
  if (At('"')) {
    ASSIGN_OR_RETURN(const size_t end, ScanString(page_, at_, {.newline = rules_.newlines}, name));
    if (name->bytes.empty()) {
      return Error("empty name", ErrorKind::kInvalidArgument);
    }
    *quoted = true;
    at_ = end + 1;
  } else {
    const size_t end = EndOfName(page_, at_, kLabelStart);
    if (end == at_) {
      return Expected("a label name", page_, at_);
    }
    *name = {page_.substr(at_, end - at_)};
    at_ = end;
  }
  SkipBlanks();
  return {};
}

Result<void> LabelScanner::AddMetricName(RawText name, size_t at) {
  if (!series_.name.bytes.empty()) {
    return Error("a second metric name " + Excerpt(page_, at), ErrorKind::kInvalidArgument);
  }
  series_.name = name;
  return {};
}

Result<void> LabelScanner::AddLabel(const RawLabel& label, size_t at) {
  if (series_.labels.size() == rules_.max_labels) {
    return Error("more than " + std::to_string(rules_.max_labels) + " labels",
                 ErrorKind::kResourceExhausted);
  }
  if (rules_.unique && IsTaken(label)) {
    return Error("a second label " + Excerpt(page_, at), ErrorKind::kInvalidArgument);
  }
  series_.labels.push_back(label);
  return {};
}

// An empty label is an absent one.
bool LabelScanner::IsTaken(const RawLabel& label) const {
  if (label.value.bytes.empty()) {
    return false;
  }
  return label.name.bytes == model::kMetricNameLabel ||
         std::any_of(series_.labels.begin(), series_.labels.end(), [&label](const RawLabel& other) {
           return other.name.bytes == label.name.bytes && !other.value.bytes.empty();
         });
}

}  // namespace

Result<size_t> ScanSeries(std::string_view page, size_t at, Format format, size_t max_labels,
                          RawSeries* series) {
  const bool text = format == Format::kText;
  series->labels.clear();
  size_t end = EndOfName(page, at, kMetricStart);
  series->name = {page.substr(at, end - at)};
  size_t brace = end;
  while (text && brace < page.size() && (page[brace] == ' ' || page[brace] == '\t')) {
    ++brace;
  }
  if (brace < page.size() && page[brace] == '{') {
    ASSIGN_OR_RETURN(end, LabelScanner(page, brace + 1,
                                       {.blanks = text,
                                        .newlines = text,
                                        .name_in_braces = true,
                                        .unique = true,
                                        .max_labels = max_labels},
                                       series)
                              .Scan());
  }
  if (series->name.bytes.empty()) {
    return Expected("a metric name", page, at);
  }
  return end;
}

Result<size_t> ScanExemplarLabels(std::string_view page, size_t at, size_t max_labels,
                                  RawSeries* series) {
  *series = {};
  return LabelScanner(page, at, {.max_labels = max_labels}, series).Scan();
}

Result<size_t> ScanName(std::string_view page, size_t at, RawText* name) {
  if (at < page.size() && page[at] == '"') {
    ASSIGN_OR_RETURN(const size_t end, ScanString(page, at, {.newline = true}, name));
    return end + 1;
  }
  const size_t end = EndOfName(page, at, kMetricStart);
  *name = {page.substr(at, end - at)};
  if (name->bytes.empty()) {
    return Expected("a metric name", page, at);
  }
  return end;
}

std::string_view Unescape(RawText text, std::string* storage) {
  if (!text.escaped) {
    return text.bytes;
  }
  storage->clear();
  for (size_t i = 0; i < text.bytes.size(); ++i) {
    const char next = i + 1 < text.bytes.size() ? text.bytes[i + 1] : '\0';
    if (text.bytes[i] != '\\' || (next != '\\' && next != '"' && next != 'n')) {
      *storage += text.bytes[i];
      continue;
    }
    *storage += next == 'n' ? '\n' : next;
    ++i;
  }
  return *storage;
}

std::string Excerpt(std::string_view page, size_t at) {
  if (at >= page.size()) {
    return "the end of the page";
  }
  std::string_view rest = page.substr(at);
  rest = rest.substr(0, rest.find('\n'));
  if (rest.empty()) {
    return "the end of the line";
  }
  std::string excerpt = "\"";
  for (const char c : rest.substr(0, kExcerptBytes)) {
    excerpt += c >= ' ' && c <= '~' ? c : '?';
  }
  excerpt += rest.size() > kExcerptBytes ? "…\"" : "\"";
  return excerpt;
}

}  // namespace exposition
