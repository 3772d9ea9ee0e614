// The kernel's random number generator.
#include "exporters/host/context.h"

namespace exporters::host {
namespace {

constexpr model::MetricDesc kAvailable{.name = "node_entropy_available_bits",
                                       .help = "Entropy available, in bits."};
constexpr model::MetricDesc kPool{.name = "node_entropy_pool_size_bits",
                                  .help = "Size of the entropy pool, in bits."};

base::Result<void> CollectEntropy(Context& host, Scrape& scrape) {
  const auto available = host.proc.ReadInt("sys/kernel/random/entropy_avail");
  const auto pool = host.proc.ReadInt("sys/kernel/random/poolsize");
  if (!available || !pool) {
    return base::Error("sys/kernel/random: entropy_avail and poolsize expected",
                       base::ErrorKind::kNotFound);
  }
  scrape.Emit(kAvailable, static_cast<double>(*available));
  scrape.Emit(kPool, static_cast<double>(*pool));
  return {};
}

}  // namespace

extern constexpr HostCollector kEntropyCollector{
    .name = "entropy", .help = "Entropy for random numbers.", .collect = CollectEntropy};

}  // namespace exporters::host
