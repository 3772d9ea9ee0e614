#include "exporters/host/container_names.h"

#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "lib/base/file.h"
#include "lib/base/strings.h"

namespace exporters::host {
namespace {

using Identities = std::map<std::string, ContainerIdentity, std::less<>>;
using nlohmann::json;

constexpr size_t kShortId = 12;
constexpr size_t kIdDigits = 64;
constexpr size_t kMaxJsonBytes = 16 << 20;

// The string at `path`, "" when there is none or it is something else.
std::string StringAt(const json& value, std::initializer_list<const char*> path) {
  const json* at = &value;
  for (const char* const key : path) {
    if (!at->is_object()) {
      return {};
    }
    const auto found = at->find(key);
    if (found == at->end()) {
      return {};
    }
    at = &*found;
  }
  return at->is_string() ? at->get<std::string>() : std::string();
}

json Parse(std::string_view text) { return json::parse(text, nullptr, false); }

void ReadPodman(const Files& root, Identities* found) {
  const std::string pattern = root.Path("var/lib/containers/storage/*-containers/containers.json");
  for (const std::string& file : base::Glob(pattern)) {
    if (const auto text = base::ReadFile(file, kMaxJsonBytes); text.ok()) {
      found->merge(ParsePodmanContainers(*text));
    }
  }
}

void ReadConmons(Files& proc, Identities* found) {
  for (const std::string& process : proc.List("").value_or({})) {
    if (process.find_first_not_of("0123456789") != std::string::npos) {
      continue;
    }
    const auto name = proc.ReadRarely(process + "/comm");
    if (name.ok() && base::TrimSpace(*name) == "conmon") {
      ParseConmonArguments(proc.ReadRarely(process + "/cmdline").value_or(""), found);
    }
  }
}

}  // namespace

ContainerIdentity ParseDockerConfig(std::string_view text) {
  const json config = Parse(text);
  std::string name = StringAt(config, {"Name"});
  name.erase(0, name.substr(0, 1) == "/" ? 1 : 0);
  return {.name = std::move(name), .image = StringAt(config, {"Config", "Image"})};
}

Identities ParsePodmanContainers(std::string_view text) {
  Identities identities;
  const json containers = Parse(text);
  if (!containers.is_array()) {
    return identities;
  }
  for (const json& container : containers) {
    const std::string id = StringAt(container, {"id"});
    const std::string image = StringAt(Parse(StringAt(container, {"metadata"})), {"image-name"});
    const auto names = container.is_object() ? container.find("names") : container.end();
    if (id.empty() || names == container.end() || !names->is_array() || names->empty() ||
        !names->front().is_string()) {
      continue;
    }
    identities.insert_or_assign(
        id, ContainerIdentity{.name = names->front().get<std::string>(), .image = image});
  }
  return identities;
}

void ParseConmonArguments(std::string_view arguments, Identities* identities) {
  std::string_view id;
  std::string_view name;
  const std::vector<std::string_view> words = base::Split(arguments, '\0');
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] == "-c" && id.empty()) {
      id = words[i + 1];
    } else if (words[i] == "-n" && name.empty()) {
      name = words[i + 1];
    }
  }
  if (id.size() == kIdDigits && !name.empty()) {
    identities->try_emplace(std::string(id), ContainerIdentity{.name = std::string(name)});
  }
}

void ParseKubernetesLogName(std::string_view file, Identities* identities) {
  constexpr std::string_view kEnd = ".log";
  if (file.size() < kIdDigits + kEnd.size() + 1 || file.substr(file.size() - kEnd.size()) != kEnd) {
    return;
  }
  file.remove_suffix(kEnd.size());
  const std::string_view id = file.substr(file.size() - kIdDigits);
  const std::string_view names = file.substr(0, file.size() - kIdDigits - 1);
  const std::vector<std::string_view> parts = base::Split(names, '_');
  if (parts.size() != 3 || file[names.size()] != '-') {
    return;
  }
  identities->insert_or_assign(std::string(id),
                               ContainerIdentity{.name = std::string(id),
                                                 .container = std::string(parts[2]),
                                                 .pod = std::string(parts[0]),
                                                 .pod_namespace = std::string(parts[1])});
}

void ContainerNames::Refresh(const Files& root, Files& proc) {
  found_.clear();
  for (const std::string& path : base::Glob(root.Path("var/log/containers/*.log"))) {
    ParseKubernetesLogName(std::string_view(path).substr(path.rfind('/') + 1), &found_);
  }
  ReadPodman(root, &found_);
  ReadConmons(proc, &found_);
}

const ContainerIdentity& ContainerNames::Get(const Files& root, const std::string& id) {
  if (const auto known = known_.find(id); known != known_.end()) {
    return known->second;
  }
  if (known_.size() >= kMaxKnown) {
    known_.clear();
  }
  ContainerIdentity identity;
  if (const auto found = found_.find(id); found != found_.end()) {
    identity = found->second;
  } else {
    const std::string text =
        base::ReadFile(root.Path(fmt::format("var/lib/docker/containers/{}/config.v2.json", id)),
                       kMaxJsonBytes)
            .value_or("");
    identity = ParseDockerConfig(text);
  }
  if (identity.name.empty()) {
    identity.name = id.substr(0, kShortId);
  }
  return known_.emplace(id, std::move(identity)).first->second;
}

}  // namespace exporters::host
