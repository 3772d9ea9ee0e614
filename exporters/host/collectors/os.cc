// Which distribution this is, from os-release(5).
#include <ctime>

#include "exporters/host/context.h"
#include "exporters/host/parsers.h"
#include "exporters/host/text.h"
#include "lib/base/strings.h"

namespace exporters::host {
namespace {

constexpr model::MetricDesc kInfo{
    .name = "node_os_info",
    .help = "What os-release says about the distribution. Always 1.",
    .labels = {"build_id", "id", "id_like", "image_id", "image_version", "name", "pretty_name",
               "variant", "variant_id", "version", "version_codename", "version_id"}};
constexpr model::MetricDesc kVersion{.name = "node_os_version",
                                     .help = "The distribution's version as major.minor.",
                                     .labels = {"id", "id_like", "name"}};
constexpr model::MetricDesc kSupportEnd{
    .name = "node_os_support_end_timestamp_seconds",
    .help = "When the distribution's support ends, as seconds since 1970."};

// In the order of the labels of kInfo.
constexpr std::string_view kKeys[] = {"BUILD_ID",      "ID",      "ID_LIKE",          "IMAGE_ID",
                                      "IMAGE_VERSION", "NAME",    "PRETTY_NAME",      "VARIANT",
                                      "VARIANT_ID",    "VERSION", "VERSION_CODENAME", "VERSION_ID"};

// "2028-06-30", midnight UTC.
std::optional<double> ParseDate(std::string_view text) {
  std::tm date{};
  const std::string copy(text);
  const char* const end = strptime(copy.c_str(), "%Y-%m-%d", &date);
  if (end == nullptr || *end != '\0') {
    return std::nullopt;
  }
  return static_cast<double>(timegm(&date));
}

base::Result<OsRelease> ReadOsRelease(const Context& host) {
  auto text = base::ReadFile(host.root.Path("etc/os-release"));
  if (!text.ok()) {
    text = base::ReadFile(host.root.Path("usr/lib/os-release"));
  }
  if (!text.ok()) {
    return text.error();
  }
  return ParseOsRelease(*text);
}

base::Result<void> CollectOs(Context& host, Scrape& scrape) {
  const base::Result<OsRelease>& values = host.os_release.Get(
      host.clock.Monotonic(), kKeepHardware, [&host] { return ReadOsRelease(host); });
  if (!values.ok()) {
    return values.error();
  }
  const auto get = [&values](std::string_view key) {
    const auto found = values->find(key);
    return found == values->end() ? std::string_view() : std::string_view(found->second);
  };
  model::LabelValues labels;
  for (const std::string_view key : kKeys) {
    labels.Add(get(key));
  }
  scrape.Emit(kInfo, 1, std::move(labels));
  if (const auto version = LeadingVersion(get("VERSION_ID"))) {
    scrape.Emit(kVersion, *version, {get("ID"), get("ID_LIKE"), get("NAME")});
  }
  if (const auto end = ParseDate(get("SUPPORT_END"))) {
    scrape.Emit(kSupportEnd, *end);
  }
  return {};
}

// Shell quoting as os-release allows it: '…', or "…" with backslash escapes, or bare.
std::string Unquote(std::string_view text) {
  if (text.size() >= 2 && text.front() == '\'' && text.back() == '\'') {
    return std::string(text.substr(1, text.size() - 2));
  }
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
  }
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      ++i;
    }
    plain += text[i];
  }
  return plain;
}

}  // namespace

OsRelease ParseOsRelease(std::string_view text) {
  OsRelease values;
  while (!text.empty()) {
    const std::string_view line = base::TrimSpace(NextLine(&text));
    const size_t equals = line.find('=');
    if (!line.empty() && line.front() != '#' && equals != std::string_view::npos) {
      values.insert_or_assign(std::string(line.substr(0, equals)),
                              Unquote(line.substr(equals + 1)));
    }
  }
  return values;
}

std::optional<double> LeadingVersion(std::string_view text) {
  const size_t major = text.find_first_not_of("0123456789");
  size_t end = major == std::string_view::npos ? text.size() : major;
  if (end == 0) {
    return std::nullopt;
  }
  if (end < text.size() && text[end] == '.') {
    const size_t minor = text.find_first_not_of("0123456789", end + 1);
    end = minor == std::string_view::npos ? text.size() : minor;
  }
  return base::ParseDouble(text.substr(0, text[end - 1] == '.' ? end - 1 : end));
}

extern constexpr HostCollector kOsCollector{
    .name = "os", .help = "The distribution and its version.", .collect = CollectOs};

}  // namespace exporters::host
