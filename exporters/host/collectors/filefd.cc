// Open files of the whole machine. /proc/sys/fs/file-nr is "743	0	2466177": open,
// always 0, limit.
#include "exporters/host/context.h"
#include "exporters/host/text.h"

namespace exporters::host {
namespace {

constexpr model::MetricDesc kAllocated{.name = "node_filefd_allocated",
                                       .help = "Open files of all processes."};
constexpr model::MetricDesc kMaximum{.name = "node_filefd_maximum",
                                     .help = "How many files may be open (fs.file-max)."};

base::Result<void> CollectFilefd(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::string text, host.proc.ReadText("sys/fs/file-nr"));
  std::array<uint64_t, 3> numbers{};
  if (ParseNumbers(text, &numbers) != numbers.size()) {
    return base::Error("sys/fs/file-nr: three numbers expected", base::ErrorKind::kInvalidArgument);
  }
  scrape.Emit(kAllocated, static_cast<double>(numbers[0]));
  scrape.Emit(kMaximum, static_cast<double>(numbers[2]));
  return {};
}

}  // namespace

extern constexpr HostCollector kFilefdCollector{
    .name = "filefd", .help = "Open files and their limit.", .collect = CollectFilefd};

}  // namespace exporters::host
