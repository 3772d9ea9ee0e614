#include "lib/model/labels.h"

#include <algorithm>
#include <cstring>

namespace model {
namespace {

constexpr size_t kHeaderBytes = 2 * sizeof(uint32_t);

void AppendLength(size_t length, std::string* out) {
  const auto length32 = static_cast<uint32_t>(length);
  char bytes[sizeof(length32)];
  std::memcpy(bytes, &length32, sizeof(length32));
  out->append(bytes, sizeof(bytes));
}

uint32_t ReadLength(const char* at) {
  uint32_t length = 0;
  std::memcpy(&length, at, sizeof(length));
  return length;
}

constexpr uint64_t kFnvOffset = 14695981039346656037ULL;
constexpr uint64_t kFnvPrime = 1099511628211ULL;

uint64_t FnvAdd(uint64_t hash, std::string_view bytes) {
  for (const char c : bytes) {
    hash = (hash ^ static_cast<unsigned char>(c)) * kFnvPrime;
  }
  return hash;
}

void AppendQuoted(std::string_view value, std::string* out) {
  *out += '"';
  for (const char c : value) {
    switch (c) {
      case '\\':
        *out += "\\\\";
        break;
      case '"':
        *out += "\\\"";
        break;
      case '\n':
        *out += "\\n";
        break;
      default:
        *out += c;
    }
  }
  *out += '"';
}

bool IsNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsNameChar(char c) { return IsNameStart(c) || (c >= '0' && c <= '9'); }

}  // namespace

Label Labels::Iterator::operator*() const {
  const uint32_t name_length = ReadLength(at_);
  const uint32_t value_length = ReadLength(at_ + sizeof(uint32_t));
  const char* name = at_ + kHeaderBytes;
  return {std::string_view(name, name_length), std::string_view(name + name_length, value_length)};
}

Labels::Iterator& Labels::Iterator::operator++() {
  at_ += kHeaderBytes + ReadLength(at_) + ReadLength(at_ + sizeof(uint32_t));
  return *this;
}

Labels::Labels(std::initializer_list<std::pair<std::string_view, std::string_view>> labels) {
  LabelsBuilder builder;
  for (const auto& [name, value] : labels) {
    builder.Set(name, value);
  }
  *this = builder.Build();
}

size_t Labels::size() const { return static_cast<size_t>(std::distance(begin(), end())); }

std::string_view Labels::Get(std::string_view name) const {
  for (const Label label : *this) {
    if (label.name == name) {
      return label.value;
    }
    if (label.name > name) {
      break;
    }
  }
  return {};
}

uint64_t Labels::Fingerprint() const {
  uint64_t hash = kFnvOffset;
  for (const Label label : *this) {
    hash = FnvAdd(FnvAdd(hash, label.name), "\xff");
    hash = FnvAdd(FnvAdd(hash, label.value), "\xff");
  }
  return hash;
}

std::string Labels::ToString() const {
  const std::string_view metric_name = MetricName();
  const bool bare_name = IsLegacyMetricName(metric_name);
  std::string out(bare_name ? metric_name : std::string_view());
  std::string inside;
  if (!bare_name && !metric_name.empty()) {
    AppendQuoted(metric_name, &inside);
  }
  for (const Label label : *this) {
    if (label.name == kMetricNameLabel) {
      continue;
    }
    if (!inside.empty()) {
      inside += ", ";
    }
    if (IsLegacyLabelName(label.name)) {
      inside += label.name;
    } else {
      AppendQuoted(label.name, &inside);
    }
    inside += '=';
    AppendQuoted(label.value, &inside);
  }
  if (!inside.empty() || out.empty()) {
    out += '{';
    out += inside;
    out += '}';
  }
  return out;
}

std::strong_ordering Labels::operator<=>(const Labels& other) const {
  Iterator a = begin();
  Iterator b = other.begin();
  for (; a != end() && b != other.end(); ++a, ++b) {
    const Label x = *a;
    const Label y = *b;
    if (const auto names = x.name <=> y.name; std::is_neq(names)) {
      return names;
    }
    if (const auto values = x.value <=> y.value; std::is_neq(values)) {
      return values;
    }
  }
  return (a != end()) <=> (b != other.end());
}

LabelsBuilder::LabelsBuilder(const Labels& base) {
  for (const Label label : base) {
    labels_.emplace_back(label.name, label.value);
  }
}

void LabelsBuilder::Set(std::string_view name, std::string_view value) {
  if (value.empty()) {
    Remove(name);
    return;
  }
  for (auto& [have, have_value] : labels_) {
    if (have == name) {
      have_value = value;
      return;
    }
  }
  labels_.emplace_back(name, value);
}

void LabelsBuilder::Remove(std::string_view name) {
  std::erase_if(labels_, [name](const auto& label) { return label.first == name; });
}

std::string_view LabelsBuilder::Get(std::string_view name) const {
  for (const auto& [have, value] : labels_) {
    if (have == name) {
      return value;
    }
  }
  return {};
}

Labels LabelsBuilder::Build() const {
  std::vector<const std::pair<std::string, std::string>*> sorted;
  sorted.reserve(labels_.size());
  size_t bytes = 0;
  for (const auto& label : labels_) {
    sorted.push_back(&label);
    bytes += kHeaderBytes + label.first.size() + label.second.size();
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const auto* a, const auto* b) { return a->first < b->first; });
  Labels built;
  built.encoded_.reserve(bytes);
  for (const auto* label : sorted) {
    AppendLength(label->first.size(), &built.encoded_);
    AppendLength(label->second.size(), &built.encoded_);
    built.encoded_ += label->first;
    built.encoded_ += label->second;
  }
  built.hash_ = built.encoded_.empty() ? 0 : std::hash<std::string>{}(built.encoded_);
  return built;
}

bool IsLegacyLabelName(std::string_view name) {
  return !name.empty() && IsNameStart(name.front()) &&
         std::all_of(name.begin(), name.end(), IsNameChar);
}

bool IsLegacyMetricName(std::string_view name) {
  const auto is_char = [](char c) { return IsNameChar(c) || c == ':'; };
  return !name.empty() && (IsNameStart(name.front()) || name.front() == ':') &&
         std::all_of(name.begin(), name.end(), is_char);
}

}  // namespace model
