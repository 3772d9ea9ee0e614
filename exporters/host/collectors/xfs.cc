// XFS: /sys/fs/xfs/DEVICE/stats/stats has lines of a name and numbers, such as "extent_alloc 1 2 3
// 4".
#include <algorithm>

#include <fmt/format.h>

#include "exporters/host/context.h"
#include "exporters/host/text.h"

namespace exporters::host {
namespace {

constexpr model::MetricDesc Counter(std::string_view name, std::string_view help) {
  return {.name = name, .help = help, .type = model::MetricType::kCounter, .labels = {"device"}};
}

struct Row {
  std::string_view line;
  size_t column;
  model::MetricDesc desc;
};
constexpr Row kRows[] = {
    {"extent_alloc", 0,
     Counter("node_xfs_extent_allocation_extents_allocated_total", "Extents allocated.")},
    {"extent_alloc", 1,
     Counter("node_xfs_extent_allocation_blocks_allocated_total", "Blocks allocated.")},
    {"extent_alloc", 2,
     Counter("node_xfs_extent_allocation_extents_freed_total", "Extents freed.")},
    {"extent_alloc", 3, Counter("node_xfs_extent_allocation_blocks_freed_total", "Blocks freed.")},
    {"abt", 0, Counter("node_xfs_allocation_btree_lookups_total", "Look-ups of free space.")},
    {"abt", 1, Counter("node_xfs_allocation_btree_compares_total", "Comparisons of free space.")},
    {"abt", 2,
     Counter("node_xfs_allocation_btree_records_inserted_total", "Records of free space added.")},
    {"abt", 3,
     Counter("node_xfs_allocation_btree_records_deleted_total", "Records of free space removed.")},
    {"blk_map", 0, Counter("node_xfs_block_mapping_reads_total", "Block maps made for reads.")},
    {"blk_map", 1, Counter("node_xfs_block_mapping_writes_total", "Block maps made for writes.")},
    {"blk_map", 2, Counter("node_xfs_block_mapping_unmaps_total", "Blocks unmapped.")},
    {"blk_map", 3,
     Counter("node_xfs_block_mapping_extent_list_insertions_total", "Extents added to files.")},
    {"blk_map", 4,
     Counter("node_xfs_block_mapping_extent_list_deletions_total", "Extents taken from files.")},
    {"blk_map", 5,
     Counter("node_xfs_block_mapping_extent_list_lookups_total", "Extents looked up.")},
    {"blk_map", 6,
     Counter("node_xfs_block_mapping_extent_list_compares_total", "Extents compared.")},
    {"bmbt", 0, Counter("node_xfs_block_map_btree_lookups_total", "Look-ups of block maps.")},
    {"bmbt", 1, Counter("node_xfs_block_map_btree_compares_total", "Comparisons of block maps.")},
    {"bmbt", 2,
     Counter("node_xfs_block_map_btree_records_inserted_total", "Records of block maps added.")},
    {"bmbt", 3,
     Counter("node_xfs_block_map_btree_records_deleted_total", "Records of block maps removed.")},
    {"dir", 0, Counter("node_xfs_directory_operation_lookup_total", "File names looked up.")},
    {"dir", 1, Counter("node_xfs_directory_operation_create_total", "Directory entries made.")},
    {"dir", 2, Counter("node_xfs_directory_operation_remove_total", "Directory entries removed.")},
    {"dir", 3, Counter("node_xfs_directory_operation_getdents_total", "Directories listed.")},
    {"ig", 0,
     Counter("node_xfs_inode_operation_attempts_total", "Inodes looked for in the cache.")},
    {"ig", 1, Counter("node_xfs_inode_operation_found_total", "Inodes found in the cache.")},
    {"ig", 2,
     Counter("node_xfs_inode_operation_recycled_total",
             "Inodes found in the cache that could not be used.")},
    {"ig", 3, Counter("node_xfs_inode_operation_missed_total", "Inodes not found in the cache.")},
    {"ig", 4,
     Counter("node_xfs_inode_operation_duplicates_total",
             "Inodes that another task had read meanwhile.")},
    {"ig", 5, Counter("node_xfs_inode_operation_reclaims_total", "Inodes taken off the cache.")},
    {"ig", 6,
     Counter("node_xfs_inode_operation_attribute_changes_total", "Changes of inodes' attributes.")},
    {"rw", 0, Counter("node_xfs_write_calls_total", "Calls of write.")},
    {"rw", 1, Counter("node_xfs_read_calls_total", "Calls of read.")},
    {"vnodes", 0, Counter("node_xfs_vnode_active_total", "Inodes that are not on free lists.")},
    {"vnodes", 1, Counter("node_xfs_vnode_allocate_total", "Inodes allocated.")},
    {"vnodes", 2, Counter("node_xfs_vnode_get_total", "Inodes got.")},
    {"vnodes", 3, Counter("node_xfs_vnode_hold_total", "Inodes held.")},
    {"vnodes", 4, Counter("node_xfs_vnode_release_total", "Inodes released.")},
    {"vnodes", 5, Counter("node_xfs_vnode_reclaim_total", "Inodes reclaimed.")},
    {"vnodes", 6, Counter("node_xfs_vnode_remove_total", "Inodes removed.")},
};

void EmitDevice(const std::string& device, std::string_view text, Scrape& scrape) {
  while (!text.empty()) {
    const auto fields = SplitFields(NextLine(&text));
    for (const Row& row : kRows) {
      const auto value = !fields.empty() && fields[0] == row.line && row.column + 1 < fields.size()
                             ? ParseNumber(fields[row.column + 1])
                             : std::nullopt;
      if (value) {
        scrape.Emit(row.desc, static_cast<double>(*value), {device});
      }
    }
  }
}

base::Result<void> CollectXfs(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::vector<std::string> devices, host.sys.List("fs/xfs"));
  for (const std::string& device : devices) {
    // "stats" beside the devices has the sums.
    const auto text = host.sys.ReadOnce(fmt::format("fs/xfs/{}/stats/stats", device));
    if (text.ok()) {
      EmitDevice(device, *text, scrape);
    }
  }
  return {};
}

}  // namespace

extern constexpr HostCollector kXfsCollector{
    .name = "xfs", .help = "XFS file systems.", .collect = CollectXfs};

}  // namespace exporters::host
