// What people call a container, from the files that container engines leave on the disk: no daemon
// is asked and no socket opened. Most of the files are root's; without them a container is called
// by the first twelve digits of its ID, as everywhere.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "exporters/host/files.h"

namespace exporters::host {

struct ContainerIdentity {
  std::string name;
  std::string image = {};
  // In Kubernetes.
  std::string container = {}, pod = {}, pod_namespace = {};

  bool operator==(const ContainerIdentity&) const = default;
};

// Docker's config.v2.json of a container; an empty name when it does not say.
ContainerIdentity ParseDockerConfig(std::string_view json);
// Podman's containers.json: identities by container ID.
std::map<std::string, ContainerIdentity, std::less<>> ParsePodmanContainers(std::string_view json);
// The arguments, each ended by a NUL, of Podman's monitor: "conmon -c ID … -n NAME"; adds one
// identity.
void ParseConmonArguments(std::string_view arguments,
                          std::map<std::string, ContainerIdentity, std::less<>>* identities);
// "POD_NAMESPACE_CONTAINER-ID.log", a link that the kubelet makes; adds one identity.
void ParseKubernetesLogName(std::string_view file,
                            std::map<std::string, ContainerIdentity, std::less<>>* identities);

// Thread-compatible. Looks at the disk once for all containers that are new since the last time.
class ContainerNames {
 public:
  static constexpr size_t kMaxKnown = 10000;

  // Reads what can be read now; afterwards Get finds it.
  void Refresh(const Files& root, Files& proc);
  // Of the container with this ID, from what Refresh found and from Docker's file about it.
  const ContainerIdentity& Get(const Files& root, const std::string& id);

 private:
  std::map<std::string, ContainerIdentity, std::less<>> found_;
  std::map<std::string, ContainerIdentity, std::less<>> known_;
};

}  // namespace exporters::host
