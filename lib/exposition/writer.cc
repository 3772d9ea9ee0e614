#include "lib/exposition/writer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "lib/base/strings.h"
#include "lib/exposition/flatten.h"
#include "lib/model/labels.h"

namespace exposition {
namespace {

constexpr size_t kFirstPageBytes = 16 << 10;
constexpr size_t kMaxNumberBytes = 32;

bool EndsWith(std::string_view text, std::string_view suffix) {
  return text.size() >= suffix.size() && text.substr(text.size() - suffix.size()) == suffix;
}

// Appends to a string through a raw pointer: the string is kept longer than what is written, so
// that a sample costs one check for room instead of one a piece.
class Page {
 public:
  explicit Page(std::string* out) : out_(out), used_(out->size()) {}
  ~Page() { out_->resize(used_); }
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;

  // Room for `bytes` at the end; Commit says how far they were used.
  char* Reserve(size_t bytes) {
    if (out_->size() - used_ < bytes) {
      out_->resize(std::max({used_ + bytes, 2 * out_->size(), kFirstPageBytes}));
    }
    return out_->data() + used_;
  }
  void Commit(const char* end) { used_ = static_cast<size_t>(end - out_->data()); }

  void Append(std::string_view text) {
    char* const at = Reserve(text.size());
    Commit(std::copy(text.begin(), text.end(), at));
  }

 private:
  std::string* out_;
  size_t used_;
};

char* Put(std::string_view text, char* at) {
  std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

// At most twice as long as `text`.
char* PutEscaped(std::string_view text, bool escape_quotes, char* at) {
  for (const char c : text) {
    if (c == '\\' || (c == '"' && escape_quotes)) {
      *at++ = '\\';
      *at++ = c;
    } else if (c == '\n') {
      *at++ = '\\';
      *at++ = 'n';
    } else {
      *at++ = c;
    }
  }
  return at;
}

// A name that only UTF-8 capable readers know is written between quotes.
char* PutQuoted(std::string_view text, char* at) {
  *at++ = '"';
  at = PutEscaped(text, true, at);
  *at++ = '"';
  return at;
}

// How a family appears in OpenMetrics, where the suffix of some sample names is no part of the
// family's name.
struct OpenMetricsFamily {
  std::string_view name;
  model::MetricType type;
};

OpenMetricsFamily AsOpenMetrics(const model::MetricDesc& desc) {
  constexpr std::string_view kTotal = "_total";
  constexpr std::string_view kInfo = "_info";
  const auto without = [&desc](std::string_view suffix) {
    return desc.name.substr(0, desc.name.size() - suffix.size());
  };
  switch (desc.type) {
    case model::MetricType::kCounter:
      return EndsWith(desc.name, kTotal)
                 ? OpenMetricsFamily{without(kTotal), model::MetricType::kCounter}
                 : OpenMetricsFamily{desc.name, model::MetricType::kUntyped};
    case model::MetricType::kInfo:
      return EndsWith(desc.name, kInfo)
                 ? OpenMetricsFamily{without(kInfo), model::MetricType::kInfo}
                 : OpenMetricsFamily{desc.name, model::MetricType::kGauge};
    case model::MetricType::kStateSet: {
      const bool has_state =
          std::find(desc.labels.begin(), desc.labels.end(), desc.name) != desc.labels.end();
      return {desc.name, has_state ? model::MetricType::kStateSet : model::MetricType::kGauge};
    }
    default:
      return {desc.name, desc.type};
  }
}

bool MayHaveExemplars(model::MetricType type) {
  return type == model::MetricType::kCounter || type == model::MetricType::kHistogram ||
         type == model::MetricType::kGaugeHistogram;
}

size_t CountChars(std::string_view utf8) {
  return static_cast<size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;  // Not a continuation byte.
  }));
}

class SampleWriter final : public SampleSink {
 public:
  SampleWriter(Format format, std::string* out) : format_(format), page_(out) {}

  void WriteFamily(const model::MetricFamily& family) {
    if (family.metrics.empty()) {
      return;
    }
    const model::MetricDesc& desc = *family.desc;
    quoted_name_ = !model::IsLegacyMetricName(desc.name);
    quoted_labels_ = !std::all_of(desc.labels.begin(), desc.labels.end(), model::IsLegacyLabelName);
    if (format_ == Format::kOpenMetrics) {
      const OpenMetricsFamily shown = AsOpenMetrics(desc);
      exemplars_ = MayHaveExemplars(shown.type);
      WriteOpenMetricsHeader(desc, shown);
      Flatten(family, BoundFormat::kOpenMetrics, *this);
    } else {
      WriteMetadata("# HELP ", desc.name, desc.help, false);
      WriteMetadata("# TYPE ", desc.name, model::TextTypeName(desc.type), false);
      Flatten(family, BoundFormat::kGo, *this);
    }
  }

  void WriteEnd() { page_.Append("# EOF\n"); }

  void Add(const FlatSample& sample) override {
    if (format_ == Format::kText && sample.timestamp_ms.value_or(0) < 0) {
      return;  // The format's time stamps have no sign; without its time stamp it would be a lie.
    }
    char* at = page_.Reserve(SampleBytes(sample));
    at = PutSeries(sample, at);
    *at++ = ' ';
    at = PutNumber(sample.value, at);
    if (sample.timestamp_ms.has_value()) {
      *at++ = ' ';
      at = PutTimestamp(*sample.timestamp_ms, at);
    }
    *at++ = '\n';
    page_.Commit(at);
    if (sample.exemplar != nullptr && exemplars_ && format_ == Format::kOpenMetrics) {
      WriteExemplar(*sample.exemplar, at);
    }
  }

 private:
  void WriteOpenMetricsHeader(const model::MetricDesc& desc, const OpenMetricsFamily& shown) {
    WriteMetadata("# TYPE ", shown.name, model::OpenMetricsTypeName(shown.type), true);
    if (!desc.unit.empty() && EndsWith(shown.name, "_" + std::string(desc.unit))) {
      WriteMetadata("# UNIT ", shown.name, desc.unit, true);
    }
    WriteMetadata("# HELP ", shown.name, desc.help, true);
  }

  void WriteMetadata(std::string_view keyword, std::string_view name, std::string_view text,
                     bool escape_quotes) {
    if (text.empty()) {
      return;
    }
    std::string storage;
    text = ReadableText(text, &storage);
    char* at = page_.Reserve(keyword.size() + 2 * name.size() + 2 * text.size() + 4);
    at = Put(keyword, at);
    at = quoted_name_ ? PutQuoted(name, at) : Put(name, at);
    *at++ = ' ';
    at = PutEscaped(text, escape_quotes, at);
    *at++ = '\n';
    page_.Commit(at);
  }

  // No sample is longer: every byte of a name or value may need an escape.
  static size_t SampleBytes(const FlatSample& sample) {
    size_t bytes = 2 * sample.name.size() + 2 * kMaxNumberBytes + 8;
    for (const model::Label& label : sample.labels) {
      bytes += 2 * label.name.size() + 2 * label.value.size() + 6;
    }
    return bytes;
  }

  char* PutSeries(const FlatSample& sample, char* at) const {
    if (!quoted_name_) {
      at = Put(sample.name, at);
      if (sample.labels.empty()) {
        return at;
      }
    }
    *at++ = '{';
    if (quoted_name_) {
      at = PutQuoted(sample.name, at);
      *at++ = ',';
    }
    for (const model::Label& label : sample.labels) {
      at = quoted_labels_ ? PutQuoted(label.name, at) : Put(label.name, at);
      *at++ = '=';
      at = PutQuoted(label.value, at);
      *at++ = ',';
    }
    at[-1] = '}';  // In place of the last comma.
    return at;
  }

  char* PutNumber(double value, char* at) {
    number_.clear();
    base::AppendDouble(value, &number_);
    return Put(number_, at);
  }

  // Milliseconds in text, seconds in OpenMetrics.
  char* PutTimestamp(int64_t timestamp_ms, char* at) const {
    if (format_ == Format::kText) {
      return std::to_chars(at, at + kMaxNumberBytes, timestamp_ms).ptr;
    }
    if (timestamp_ms < 0) {
      *at++ = '-';
    }
    const uint64_t ms = timestamp_ms < 0 ? 0 - static_cast<uint64_t>(timestamp_ms)
                                         : static_cast<uint64_t>(timestamp_ms);
    at = std::to_chars(at, at + kMaxNumberBytes, ms / 1000).ptr;
    if (const uint64_t fraction = ms % 1000; fraction != 0) {
      *at++ = '.';
      *at++ = static_cast<char>('0' + fraction / 100);
      *at++ = static_cast<char>('0' + fraction / 10 % 10);
      *at++ = static_cast<char>('0' + fraction % 10);
    }
    return at;
  }

  // Replaces the newline before `line_end`.
  void WriteExemplar(const model::Exemplar& exemplar, const char* line_end) {
    std::string text = " # {";
    std::string storage;
    size_t chars = 0;
    for (const auto& [name, value] : exemplar.labels) {
      const std::string_view readable = ReadableText(value, &storage);
      chars += CountChars(name) + CountChars(readable);
      std::string quoted(2 * readable.size() + 2, '\0');
      quoted.resize(static_cast<size_t>(PutQuoted(readable, quoted.data()) - quoted.data()));
      text += text.back() == '{' ? "" : ",";
      text += name;
      text += '=';
      text += quoted;
    }
    if (chars > kMaxExemplarLabelChars) {
      return;
    }
    text += "} ";
    base::AppendDouble(exemplar.value, &text);
    if (exemplar.timestamp_ms.has_value()) {
      char digits[kMaxNumberBytes];
      text += ' ';
      text.append(digits, PutTimestamp(*exemplar.timestamp_ms, digits));
    }
    text += '\n';
    page_.Commit(line_end - 1);
    page_.Append(text);
  }

  const Format format_;
  Page page_;
  bool quoted_name_ = false;
  bool quoted_labels_ = false;
  bool exemplars_ = false;
  std::string number_;
};

}  // namespace

void WriteText(std::span<const model::MetricFamily> families, std::string* out) {
  SampleWriter writer(Format::kText, out);
  for (const model::MetricFamily& family : families) {
    writer.WriteFamily(family);
  }
}

void WriteOpenMetrics(std::span<const model::MetricFamily> families, std::string* out) {
  SampleWriter writer(Format::kOpenMetrics, out);
  for (const model::MetricFamily& family : families) {
    writer.WriteFamily(family);
  }
  writer.WriteEnd();
}

void Write(Format format, std::span<const model::MetricFamily> families, std::string* out) {
  if (format == Format::kOpenMetrics) {
    WriteOpenMetrics(families, out);
  } else {
    WriteText(families, out);
  }
}

}  // namespace exposition
