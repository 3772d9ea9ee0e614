// Kernel, architecture and host name.
#include <sys/utsname.h>

#include "exporters/host/context.h"

namespace exporters::host {
namespace {

constexpr model::MetricDesc kInfo{
    .name = "node_uname_info",
    .help = "What uname(2) says. Always 1.",
    .labels = {"domainname", "machine", "nodename", "release", "sysname", "version"}};

base::Result<void> CollectUname(Context&, Scrape& scrape) {
  utsname names{};
  if (uname(&names) != 0) {
    return base::ErrnoError("uname");
  }
  scrape.Emit(kInfo, 1,
              {names.domainname, names.machine, names.nodename, names.release, names.sysname,
               names.version});
  return {};
}

}  // namespace

extern constexpr HostCollector kUnameCollector{
    .name = "uname", .help = "Kernel, architecture and host name.", .collect = CollectUname};

}  // namespace exporters::host
