// Loaded modules: INFO's Modules section
//   module:name=search,ver=21005,api=1,filters=0,usedby=[],using=[],options=[handle-io-errors]
// and the fields that modules themselves add to INFO, whose names start with theirs.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "exporters/redis/context.h"
#include "lib/base/strings.h"

namespace exporters::redis {
namespace {

// Fields beyond are not shown.
constexpr size_t kMaxModuleFields = 500;

constexpr model::MetricDesc kModule{.name = "redis_module_info",
                                    .help = "A loaded module; always 1.",
                                    .labels = {"name", "ver", "api", "filters", "usedby", "using"}};

constexpr std::string_view kFieldPrefixes[] = {"search_", "bf_", "json_"};

// "[search,bf]" holds commas, so the pairs are found by name, up to the comma behind the bracket.
std::string_view Find(std::string_view pairs, std::string_view name) {
  for (size_t at = pairs.find(name); at != std::string_view::npos; at = pairs.find(name, at + 1)) {
    const size_t value = at + name.size();
    if ((at > 0 && pairs[at - 1] != ',') || value >= pairs.size() || pairs[value] != '=') {
      continue;
    }
    const std::string_view rest = pairs.substr(value + 1);
    const size_t end = rest.substr(0, 1) == "[" ? rest.find(']') : rest.find(',');
    return rest.substr(0, end == std::string_view::npos || rest[end] == ',' ? end : end + 1);
  }
  return "";
}

bool IsModuleField(std::string_view name) {
  for (const std::string_view prefix : kFieldPrefixes) {
    if (name.substr(0, prefix.size()) == prefix) {
      return true;
    }
  }
  return false;
}

// Fields are named by the modules, so that new ones are there without a new exporter.
void EmitField(const InfoField& field, Scrape& scrape) {
  const auto value = ParseInfoValue(field.value);
  if (!value.has_value()) {
    return;
  }
  const bool counter =
      field.name.size() > 6 && field.name.substr(field.name.size() - 6) == "_total";
  scrape.Emit(model::DynamicDesc::Make(
                  {.name = "redis_" + std::string(field.name),
                   .help = "A figure that a module adds to INFO.",
                   .type = counter ? model::MetricType::kCounter : model::MetricType::kGauge}),
              *value);
}

base::Result<void> CollectModules(const Snapshot& snapshot, Scrape& scrape) {
  if (!snapshot.options->include_modules) {
    return {};
  }
  size_t fields = 0;
  for (const InfoField& field : snapshot.info.fields()) {
    if (field.name == "module") {
      scrape.Emit(
          kModule, 1,
          {Find(field.value, "name"), Find(field.value, "ver"), Find(field.value, "api"),
           Find(field.value, "filters"), Find(field.value, "usedby"), Find(field.value, "using")});
    } else if (IsModuleField(field.name) && fields < kMaxModuleFields) {
      ++fields;
      EmitField(field, scrape);
    }
  }
  return {};
}

}  // namespace

extern constexpr RedisCollector kModules{
    .name = "modules",
    .help = "Loaded modules and what they add to INFO (with --include-modules-metrics).",
    .collect = CollectModules};

}  // namespace exporters::redis
