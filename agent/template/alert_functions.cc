#include "agent/template/alert_functions.h"

#include <algorithm>
#include <chrono>
#include <clocale>
#include <cmath>
#include <cwctype>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <re2/re2.h>

#include "agent/template/format.h"
#include "agent/template/humanize.h"
#include "lib/base/duration.h"
#include "lib/base/strings.h"
#include "lib/base/url.h"

namespace tmpl {
namespace {

constexpr std::string_view kSampleType = "*template.sample";
constexpr size_t kMaxPatternBytes = 16 << 10;
constexpr int64_t kMaxRegexMemory = 1 << 20;

base::Error Invalid(std::string message) {
  return base::Error(std::move(message), base::ErrorKind::kInvalidArgument);
}

base::Error WrongType(std::string_view expected, const Value& got) {
  return Invalid(
      fmt::format("wrong type for value; expected {}; got {}", expected, got.TypeName()));
}

base::Result<std::string> TextArg(const Value& value) {
  const std::string* const text = value.AsText();
  return text != nullptr ? base::Result<std::string>(*text) : WrongType("string", value);
}

base::Result<const Object*> SampleArg(const Value& value) {
  const Object* const object = value.AsObject();
  return object != nullptr && object->type_name == kSampleType ? base::Result<const Object*>(object)
                                                               : WrongType(kSampleType, value);
}

base::Result<const List*> SamplesArg(const Value& value) {
  const List* const list = value.AsList();
  return list != nullptr ? base::Result<const List*>(list)
                         : WrongType("template.queryResult", value);
}

// Numbers come as floats, integers, durations or texts.
base::Result<double> NumberArg(const Value& value) {
  if (const double* number = value.AsFloat()) {
    return *number;
  }
  if (const int64_t* number = value.AsInt()) {
    return static_cast<double>(*number);
  }
  if (const Duration* duration = value.AsDuration()) {
    return base::ToSeconds(duration->value);
  }
  if (const std::string* text = value.AsText()) {
    const auto number = base::ParseDouble(*text);
    return number ? base::Result<double>(*number)
                  : Invalid(fmt::format("parsing {}: invalid syntax", Quote(*text)));
  }
  return Invalid(fmt::format("can't convert {} to float", value.TypeName()));
}

std::string LabelText(const Object& sample, const std::string& name) {
  const auto labels = sample.fields.find("Labels");
  const Object* const map = labels->second.AsObject();
  const auto label = map->fields.find(name);
  return label == map->fields.end() ? std::string() : *label->second.AsText();
}

Value MakeSample(const QuerySample& sample) {
  return Value(Object{
      .kind = Object::Kind::kStruct,
      .type_name = kSampleType,
      .fields = {{"Labels", Value::FromLabels(sample.labels)}, {"Value", Value(sample.value)}}});
}

base::Result<std::unique_ptr<RE2>> Compile(const std::string& pattern) {
  if (pattern.size() > kMaxPatternBytes) {
    return Invalid(fmt::format("regular expression is longer than {} bytes", kMaxPatternBytes));
  }
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxRegexMemory);
  auto regex = std::make_unique<RE2>(pattern, options);
  if (!regex->ok()) {
    return Invalid(fmt::format("error parsing regexp: {}", regex->error()));
  }
  return regex;
}

bool IsNameByte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// The group that "$name" at the start of `text` (after the '$') refers to, and its length. Go takes
// the longest name: "$1x" is the group named "1x".
struct Reference {
  std::string name;
  size_t length = 0;  // 0: not a reference.
};
Reference ParseReference(std::string_view text) {
  const bool braces = !text.empty() && text[0] == '{';
  size_t end = braces ? 1 : 0;
  while (end < text.size() && IsNameByte(text[end])) {
    ++end;
  }
  std::string name(text.substr(braces ? 1 : 0, end - (braces ? 1 : 0)));
  if (name.empty() || (braces && (end == text.size() || text[end] != '}'))) {
    return {};
  }
  return {.name = std::move(name), .length = end + (braces ? 1 : 0)};
}

std::optional<size_t> GroupNumber(const RE2& regex, const std::string& name) {
  if (const auto number = base::ParseUint(name)) {
    return static_cast<size_t>(*number);
  }
  const auto& names = regex.NamedCapturingGroups();
  const auto found = names.find(name);
  return found == names.end() ? std::nullopt : std::optional(static_cast<size_t>(found->second));
}

// Go's Expand: $1, ${1}, $name, $$.
void AppendExpanded(const RE2& regex, std::string_view replacement,
                    const std::vector<re2::StringPiece>& groups, std::string* out) {
  for (size_t at = 0; at < replacement.size(); ++at) {
    if (replacement[at] != '$') {
      *out += replacement[at];
      continue;
    }
    if (replacement.substr(at + 1, 1) == "$") {
      *out += '$';
      ++at;
      continue;
    }
    const Reference reference = ParseReference(replacement.substr(at + 1));
    if (reference.length == 0) {
      *out += '$';
      continue;
    }
    const auto group = GroupNumber(regex, reference.name);
    if (group && *group < groups.size() && groups[*group].data() != nullptr) {
      out->append(groups[*group].data(), groups[*group].size());
    }
    at += reference.length;
  }
}

// Go skips an empty match right after the match before it.
base::Result<std::string> ReplaceAll(const RE2& regex, std::string_view text,
                                     std::string_view replacement) {
  std::vector<re2::StringPiece> groups(static_cast<size_t>(regex.NumberOfCapturingGroups()) + 1);
  const re2::StringPiece input(text.data(), text.size());
  std::string out;
  size_t copied = 0;
  std::optional<size_t> last_end;
  for (size_t at = 0; at <= text.size();) {
    if (!regex.Match(input, at, text.size(), RE2::UNANCHORED, groups.data(),
                     static_cast<int>(groups.size()))) {
      break;
    }
    const auto begin = static_cast<size_t>(groups[0].data() - text.data());
    const size_t end = begin + groups[0].size();
    if (end > begin || last_end != begin) {
      out += text.substr(copied, begin - copied);
      AppendExpanded(regex, replacement, groups, &out);
      copied = end;
    }
    last_end = end;
    at = end > begin ? end : begin + 1;
    while (end == begin && at < text.size() &&
           (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) {
      ++at;  // An empty match advances by a whole character.
    }
    if (out.size() > kMaxOutputBytes) {
      return base::Error(fmt::format("output is longer than {} bytes", kMaxOutputBytes),
                         base::ErrorKind::kResourceExhausted);
    }
  }
  return out + std::string(text.substr(std::min(copied, text.size())));
}

// Maps every character of valid UTF-8 with `map`; other bytes stay.
template <typename Map>
std::string MapCharacters(std::string_view text, Map map) {
  static const locale_t kLocale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  const auto convert = [&](char32_t c) {
    return kLocale == nullptr ? c : static_cast<char32_t>(map(static_cast<wint_t>(c), kLocale));
  };
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const size_t length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    const std::string_view character = text.substr(at, length);
    if (character.size() < length || !base::IsValidUtf8(character)) {
      out += text[at++];
      continue;
    }
    char32_t code = length == 1 ? lead : static_cast<char32_t>(lead & (0xffU >> (length + 1)));
    for (size_t i = 1; i < length; ++i) {
      code = code << 6 | (static_cast<unsigned char>(character[i]) & 0x3fU);
    }
    const Value rune(static_cast<int64_t>(convert(code)));
    const auto encoded = Sprintf("%c", std::span(&rune, 1));
    out += encoded.ok() ? *encoded : std::string(character);
    at += length;
  }
  return out;
}

bool IsAsciiLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsLetter(char c) { return IsAsciiLetter(c) || static_cast<unsigned char>(c) >= 0x80; }

// Whether the character at `at` goes on with the word before it (Unicode word boundaries, as far as
// ASCII goes): letters, digits and '_' do, and ' . : between letters.
bool ContinuesWord(std::string_view text, size_t at) {
  const char c = text[at];
  if (IsLetter(c) || IsNameByte(c)) {
    return true;
  }
  const bool between_letters =
      at > 0 && at + 1 < text.size() && IsLetter(text[at - 1]) && IsLetter(text[at + 1]);
  return (c == '\'' || c == '.' || c == ':') && between_letters;
}

// The first letter of every word in upper case, the others as they are.
std::string Title(std::string_view text) {
  std::string out;
  bool in_word = false;  // A letter of the current word has been seen.
  for (size_t at = 0; at < text.size();) {
    size_t length = 1;
    while (at + length < text.size() && static_cast<unsigned char>(text[at]) >= 0xc0 &&
           (static_cast<unsigned char>(text[at + length]) & 0xc0) == 0x80) {
      ++length;
    }
    const std::string_view character = text.substr(at, length);
    if (!in_word && IsLetter(text[at])) {
      out += MapCharacters(character, towupper_l);
      in_word = true;
    } else {
      out += character;
      in_word = in_word && ContinuesWord(text, at);
    }
    at += length;
  }
  return out;
}

// Go's net.SplitHostPort: the port is after the last ':', an IPv6 host is in brackets.
struct SplitAddress {
  std::string host;
  std::string port;
};
std::optional<SplitAddress> SplitHostPort(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view host = text.substr(0, colon);
  if (!host.empty() && host[0] == '[') {
    if (host.back() != ']') {
      return std::nullopt;
    }
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return std::nullopt;
  }
  if (host.find_first_of("[]") != std::string_view::npos) {
    return std::nullopt;
  }
  return SplitAddress{.host = std::string(host), .port = std::string(text.substr(colon + 1))};
}

bool IsIpAddress(const std::string& host) {
  unsigned char buffer[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), buffer) == 1 ||
         inet_pton(AF_INET6, host.c_str(), buffer) == 1;
}

std::string ExpressionLink(std::string_view expression, int tab) {
  return fmt::format("/graph?g0.expr={}&g0.tab={}",
                     base::ReplaceAll(base::PercentEncode(expression), "%20", "+"), tab);
}

template <typename Format>
base::Result<Value> Humanized(std::span<const Value> args, Format format) {
  ASSIGN_OR_RETURN(const double number, NumberArg(args[0]));
  return Value(format(number));
}

}  // namespace

base::Result<Value> Query(const Environment& environment, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const std::string expression, TextArg(args[0]));
  if (!environment.query) {
    return Invalid("there is no store to query here");
  }
  ASSIGN_OR_RETURN(const std::vector<QuerySample> samples, environment.query(expression));
  List list;
  std::transform(samples.begin(), samples.end(), std::back_inserter(list), MakeSample);
  return Value(std::move(list));
}

base::Result<Value> First(const Environment&, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const List* samples, SamplesArg(args[0]));
  if (samples->empty()) {
    return Invalid("first() called on vector with no elements");
  }
  return samples->front();
}

base::Result<Value> LabelOf(const Environment&, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const std::string name, TextArg(args[0]));
  ASSIGN_OR_RETURN(const Object* sample, SampleArg(args[1]));
  return Value(LabelText(*sample, name));
}

base::Result<Value> ValueOf(const Environment&, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const Object* sample, SampleArg(args[0]));
  return sample->fields.find("Value")->second;
}

base::Result<Value> StrValue(const Environment&, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const Object* sample, SampleArg(args[0]));
  return Value(LabelText(*sample, "__value__"));
}

base::Result<Value> SortByLabel(const Environment&, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const std::string name, TextArg(args[0]));
  ASSIGN_OR_RETURN(const List* samples, SamplesArg(args[1]));
  std::vector<std::pair<std::string, Value>> keyed;
  for (const Value& value : *samples) {
    ASSIGN_OR_RETURN(const Object* sample, SampleArg(value));
    keyed.emplace_back(LabelText(*sample, name), value);
  }
  std::stable_sort(keyed.begin(), keyed.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  List sorted;
  std::transform(keyed.begin(), keyed.end(), std::back_inserter(sorted),
                 [](const auto& entry) { return entry.second; });
  return Value(std::move(sorted));
}

base::Result<Value> Args(const Environment&, std::span<const Value> args) {
  Object map{.kind = Object::Kind::kAnyMap, .type_name = "map[string]interface {}", .fields = {}};
  for (size_t i = 0; i < args.size(); ++i) {
    map.fields.emplace("arg" + std::to_string(i), args[i]);
  }
  return Value(std::move(map));
}

base::Result<Value> HumanizeValue(const Environment&, std::span<const Value> args) {
  return Humanized(args, Humanize);
}
base::Result<Value> Humanize1024Value(const Environment&, std::span<const Value> args) {
  return Humanized(args, Humanize1024);
}
base::Result<Value> HumanizeDurationValue(const Environment&, std::span<const Value> args) {
  return Humanized(args, HumanizeDuration);
}
base::Result<Value> HumanizePercentageValue(const Environment&, std::span<const Value> args) {
  return Humanized(args, HumanizePercentage);
}
base::Result<Value> HumanizeTimestampValue(const Environment&, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const double number, NumberArg(args[0]));
  ASSIGN_OR_RETURN(std::string text, HumanizeTimestamp(number));
  return Value(std::move(text));
}

base::Result<Value> ToTime(const Environment&, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const double number, NumberArg(args[0]));
  ASSIGN_OR_RETURN(const std::string checked, HumanizeTimestamp(number));
  if (!std::isfinite(number)) {
    return Invalid(fmt::format("{} is no time", checked));
  }
  return Value(Time{.unix_ms = static_cast<int64_t>(std::floor(number * 1000))});
}

base::Result<Value> ToDuration(const Environment&, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const double number, NumberArg(args[0]));
  if (!(std::fabs(number) < 9.2e9)) {
    return Invalid(
        fmt::format("{} seconds do not fit a duration", FormatFloat(number, 'g', kShortest)));
  }
  return Value(Duration{std::chrono::nanoseconds(static_cast<int64_t>(number * 1e9))});
}

base::Result<Value> Now(const Environment& environment, std::span<const Value>) {
  return Value(static_cast<double>(environment.now_ms) / 1000);
}

base::Result<Value> ParseDurationText(const Environment&, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const std::string text, TextArg(args[0]));
  const bool negative = text.starts_with('-');
  ASSIGN_OR_RETURN(const std::chrono::milliseconds duration,
                   base::ParseDuration(std::string_view(text).substr(negative ? 1 : 0)));
  const double seconds = base::ToSeconds(duration);
  return Value(negative ? -seconds : seconds);
}

base::Result<Value> TitleText(const Environment&, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const std::string text, TextArg(args[0]));
  return Value(Title(text));
}
base::Result<Value> ToUpperText(const Environment&, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const std::string text, TextArg(args[0]));
  return Value(MapCharacters(text, towupper_l));
}
base::Result<Value> ToLowerText(const Environment&, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const std::string text, TextArg(args[0]));
  return Value(MapCharacters(text, towlower_l));
}

base::Result<Value> Match(const Environment&, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const std::string pattern, TextArg(args[0]));
  ASSIGN_OR_RETURN(const std::string text, TextArg(args[1]));
  ASSIGN_OR_RETURN(const std::unique_ptr<RE2> regex, Compile(pattern));
  return Value(RE2::PartialMatch(text, *regex));
}

base::Result<Value> ReReplaceAll(const Environment&, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const std::string pattern, TextArg(args[0]));
  ASSIGN_OR_RETURN(const std::string replacement, TextArg(args[1]));
  ASSIGN_OR_RETURN(const std::string text, TextArg(args[2]));
  ASSIGN_OR_RETURN(const std::unique_ptr<RE2> regex, Compile(pattern));
  ASSIGN_OR_RETURN(std::string replaced, ReplaceAll(*regex, text, replacement));
  return Value(std::move(replaced));
}

base::Result<Value> StripPort(const Environment&, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const std::string text, TextArg(args[0]));
  const auto address = SplitHostPort(text);
  return Value(address ? address->host : text);
}

base::Result<Value> StripDomain(const Environment&, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const std::string text, TextArg(args[0]));
  const auto address = SplitHostPort(text);
  std::string host = address ? address->host : text;
  if (IsIpAddress(host)) {
    return Value(text);
  }
  host.erase(std::min(host.find('.'), host.size()));
  if (!address || address->port.empty()) {
    return Value(host);
  }
  const bool brackets = host.find(':') != std::string::npos;
  return Value(
      fmt::format("{}{}{}:{}", brackets ? "[" : "", host, brackets ? "]" : "", address->port));
}

base::Result<Value> SafeHtml(const Environment&, std::span<const Value> args) {
  ASSIGN_OR_RETURN(std::string text, TextArg(args[0]));
  return Value(std::move(text));
}

base::Result<Value> UrlQueryEscape(const Environment&, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const std::string text, TextArg(args[0]));
  return Value(base::ReplaceAll(base::PercentEncode(text), "%20", "+"));
}

base::Result<Value> GraphLink(const Environment&, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const std::string expression, TextArg(args[0]));
  return Value(ExpressionLink(expression, 0));
}
base::Result<Value> TableLink(const Environment&, std::span<const Value> args) {
  ASSIGN_OR_RETURN(const std::string expression, TextArg(args[0]));
  return Value(TableLinkOf(expression));
}

base::Result<Value> ExternalUrl(const Environment& environment, std::span<const Value>) {
  return Value(environment.external_url);
}
base::Result<Value> PathPrefix(const Environment& environment, std::span<const Value>) {
  const auto url = base::ParseUrl(environment.external_url);
  return Value(url.ok() ? url->path : std::string());
}

std::string TableLinkOf(std::string_view expression) { return ExpressionLink(expression, 1); }

}  // namespace tmpl
