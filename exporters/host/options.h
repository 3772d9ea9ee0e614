// What a HostExporter is told. The defaults are those of the official node_exporter.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "exporters/host/processes.h"
#include "exporters/toolkit/collector_set.h"

namespace exporters::host {

// Unanchored regular expressions; "" is no opinion. At most one of the two may be given.
struct NameFilter {
  std::string include = {};
  std::string exclude = {};
};

struct HostOptions {
  std::string procfs = "/proc";
  std::string sysfs = "/sys";
  std::string rootfs = "/";  // Prefix of every mount point and of /etc.
  std::string udev_data = "/run/udev/data";
  Selection collectors = {};

  NameFilter arp_devices = {};
  bool cpu_guest = true;
  bool cpu_info = false;
  std::string cpu_flags_include = {};
  std::string cpu_bugs_include = {};
  bool container_services = false;  // systemd services among the containers.
  size_t max_containers = 1000;
  ProcessGrouping process_grouping = ProcessGrouping::kName;
  size_t max_process_groups = 100;  // The rest is summed up as "other".
  NameFilter disks = {.exclude = R"(^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$)"};
  NameFilter mount_points = {.exclude =
                                 "^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+"
                                 "|var/lib/containers/storage/.+)($|/)"};
  NameFilter filesystem_types = {
      .exclude =
          "^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl"
          "|hugetlbfs|iso9660|mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs|securityfs"
          "|selinuxfs|squashfs|erofs|sysfs|tracefs)$"};
  // How long a network mount may take to answer; a slower one is reported as stuck.
  std::chrono::milliseconds mount_timeout{5000};
  NameFilter hwmon_chips = {};
  NameFilter hwmon_sensors = {};
  NameFilter netclass_devices = {.exclude = "^$"};
  bool netclass_ignore_invalid_speed = false;
  NameFilter netdev_devices = {};
  bool netdev_netlink = true;  // Else /proc/net/dev.
  std::string netstat_fields =
      "^(.*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)"
      "|Icmp6?_(InMsgs|OutMsgs)"
      "|TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts|TCPOFOQueue|TCPRcvQDrop)"
      "|Tcp_(ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab)"
      "|Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors))$";
  NameFilter power_supplies = {.exclude = "^$"};
  bool stat_softirq = false;
  std::vector<std::string> textfile_directories = {};  // Globs.
  std::string vmstat_fields = "^(oom_kill|pgpg|pswp|pg.*fault).*";
};

}  // namespace exporters::host
