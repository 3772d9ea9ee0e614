// Attributes of network devices under the names of /sys/class/net/*. In this machine's own network
// namespace rtnetlink has nearly all of them in one answer, and sysfs is read for the rest when a
// device changes; below another --path.sysfs everything is read from the files there.
#include <array>

#include <fmt/format.h>
#include <linux/if.h>
#include <linux/if_link.h>

#include "exporters/host/context.h"
#include "exporters/host/text.h"
#include "lib/base/strings.h"

namespace exporters::host {
namespace {

using model::MetricDesc;
using model::MetricType;

constexpr MetricDesc kUp{.name = "node_network_up",
                         .help = "Whether the device's operational state is up.",
                         .labels = {"device"}};
constexpr MetricDesc kInfo{
    .name = "node_network_info",
    .help = "Addresses and states of the network device. Always 1.",
    .labels = {"address", "adminstate", "broadcast", "device", "duplex", "ifalias", "operstate"}};

// One row per number; a device has those that are set.
struct Attributes {
  std::string name, address, broadcast, alias, duplex, operational_state;
  uint32_t flags = 0;
  std::optional<int64_t> address_assign_type, carrier, carrier_changes, carrier_downs, carrier_ups,
      device_id, dormant, shown_flags, index, parent_index, link_mode, mtu, name_assign_type, group,
      type, speed_megabits, queue_length;
};

struct NumberRow {
  MetricDesc desc;
  std::optional<int64_t> Attributes::*value;
  std::string_view file;  // In /sys/class/net/DEVICE.
};

constexpr MetricDesc Gauge(std::string_view name, std::string_view help) {
  return {.name = name, .help = help, .labels = {"device"}};
}
constexpr MetricDesc Counter(std::string_view name, std::string_view help) {
  return {.name = name, .help = help, .type = MetricType::kCounter, .labels = {"device"}};
}

constexpr NumberRow kNumbers[] = {
    {Gauge("node_network_address_assign_type",
           "Where the device's address came from: 0 the "
           "hardware, 1 chance, 2 another device, 3 a user."),
     &Attributes::address_assign_type, "addr_assign_type"},
    {Gauge("node_network_carrier", "Whether the device has a carrier."), &Attributes::carrier,
     "carrier"},
    {Counter("node_network_carrier_changes_total", "How often the carrier came or went."),
     &Attributes::carrier_changes, "carrier_changes"},
    {Counter("node_network_carrier_down_changes_total", "How often the carrier went."),
     &Attributes::carrier_downs, "carrier_down_count"},
    {Counter("node_network_carrier_up_changes_total", "How often the carrier came."),
     &Attributes::carrier_ups, "carrier_up_count"},
    {Gauge("node_network_device_id", "Tells apart ports of one card that share an address."),
     &Attributes::device_id, "dev_id"},
    {Gauge("node_network_dormant", "Whether the device waits for something, such as 802.1X."),
     &Attributes::dormant, "dormant"},
    {Gauge("node_network_flags", "The device's flags (IFF_*), as a number."),
     &Attributes::shown_flags, "flags"},
    {Gauge("node_network_iface_id", "The device's index."), &Attributes::index, "ifindex"},
    {Gauge("node_network_iface_link", "The index of the device below; its own when none is."),
     &Attributes::parent_index, "iflink"},
    {Gauge("node_network_iface_link_mode", "0 default, 1 dormant."), &Attributes::link_mode,
     "link_mode"},
    {Gauge("node_network_mtu_bytes", "The largest packet the device sends."), &Attributes::mtu,
     "mtu"},
    {Gauge("node_network_name_assign_type",
           "Who named the device: 1 the kernel, 2 the kernel "
           "predictably, 3 a user, 4 a user renamed it."),
     &Attributes::name_assign_type, "name_assign_type"},
    {Gauge("node_network_net_dev_group", "The group the device is in."), &Attributes::group,
     "netdev_group"},
    {Gauge("node_network_protocol_type", "The hardware type (ARPHRD_*)."), &Attributes::type,
     "type"},
    {Gauge("node_network_transmit_queue_length", "How many packets may wait to be sent."),
     &Attributes::queue_length, "tx_queue_len"},
};
// Unknown is -1, and shown as -125000 unless --collector.netclass.ignore-invalid-speed: alerts
// exist that rely on either.
constexpr MetricDesc kSpeed =
    Gauge("node_network_speed_bytes", "Speed of the link, bytes a second.");
constexpr double kBytesPerMegabit = 1e6 / 8;

constexpr std::string_view kOperationalStates[] = {
    "unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up"};

// Numbers of sysfs may be hexadecimal: "0x1003".
std::optional<int64_t> ParseAttribute(std::string_view text) {
  if (text.substr(0, 2) == "0x") {
    const auto value = ParseNumber(text.substr(2), 16);
    return value ? std::optional(static_cast<int64_t>(*value)) : std::nullopt;
  }
  return base::ParseInt(text);
}

std::optional<int64_t> ReadNumber(Context& host, std::string_view device, std::string_view file) {
  const auto text = host.sys.ReadText(fmt::format("class/net/{}/{}", device, file));
  return text.ok() ? ParseAttribute(*text) : std::nullopt;
}

std::string ReadWord(Context& host, std::string_view device, std::string_view file) {
  return host.sys.ReadText(fmt::format("class/net/{}/{}", device, file)).value_or("");
}

LinkExtras ReadExtras(Context& host, std::string_view device, uint64_t changes) {
  return {.seen_changes = changes,
          .address_assign_type = ReadNumber(host, device, "addr_assign_type"),
          .device_id = ReadNumber(host, device, "dev_id"),
          .name_assign_type = ReadNumber(host, device, "name_assign_type"),
          .speed_megabits = ReadNumber(host, device, "speed"),
          .duplex = ReadWord(host, device, "duplex")};
}

// What /sys/class/net/*/flags shows: without the states that the kernel derives.
uint32_t SysfsFlags(const Link& link) {
  uint32_t flags = link.flags & ~static_cast<uint32_t>(IFF_RUNNING | IFF_LOWER_UP | IFF_DORMANT);
  flags |= link.promiscuity > 0 ? static_cast<uint32_t>(IFF_PROMISC) : 0;
  flags |= link.all_multicast > 0 ? static_cast<uint32_t>(IFF_ALLMULTI) : 0;
  return flags;
}

Attributes FromLink(const Link& link, const LinkExtras& extras) {
  const bool up = (link.flags & IFF_UP) != 0;
  const size_t state = link.operational_state;
  Attributes a{.name = link.name,
               .address = link.address,
               .broadcast = link.broadcast,
               .alias = link.alias,
               .duplex = extras.duplex,
               .operational_state = std::string(
                   state < std::size(kOperationalStates) ? kOperationalStates[state] : "unknown"),
               .flags = link.flags,
               .address_assign_type = extras.address_assign_type,
               .carrier_changes = link.carrier_changes,
               .carrier_downs = link.carrier_downs,
               .carrier_ups = link.carrier_ups,
               .device_id = extras.device_id,
               .shown_flags = SysfsFlags(link),
               .index = link.index,
               .parent_index = link.parent_index ? static_cast<int64_t>(*link.parent_index)
                                                 : int64_t{link.index},
               .link_mode = link.link_mode,
               .mtu = link.mtu,
               .name_assign_type = extras.name_assign_type,
               .group = link.group,
               .type = link.type,
               .speed_megabits = extras.speed_megabits,
               .queue_length = link.queue_length};
  if (up) {  // sysfs refuses both for a device that is down.
    a.carrier = link.carrier;
    a.dormant = (link.flags & IFF_DORMANT) != 0 ? 1 : 0;
  }
  return a;
}

Attributes FromSysfs(Context& host, const std::string& device) {
  Attributes a{.name = device,
               .address = ReadWord(host, device, "address"),
               .broadcast = ReadWord(host, device, "broadcast"),
               .alias = ReadWord(host, device, "ifalias"),
               .duplex = ReadWord(host, device, "duplex"),
               .operational_state = ReadWord(host, device, "operstate"),
               .speed_megabits = ReadNumber(host, device, "speed")};
  for (const NumberRow& row : kNumbers) {
    a.*row.value = ReadNumber(host, device, row.file);
  }
  a.flags = static_cast<uint32_t>(a.shown_flags.value_or(0));
  return a;
}

void EmitDevice(const Context& host, const Attributes& a, Scrape& scrape) {
  scrape.Emit(kUp, a.operational_state == "up" ? 1 : 0, {a.name});
  scrape.Emit(kInfo, 1,
              {a.address, (a.flags & IFF_UP) != 0 ? "up" : "down", a.broadcast, a.name, a.duplex,
               a.alias, a.operational_state});
  for (const NumberRow& row : kNumbers) {
    if (const auto& value = a.*row.value) {
      scrape.Emit(row.desc, static_cast<double>(*value), {a.name});
    }
  }
  if (a.speed_megabits && (*a.speed_megabits >= 0 || !host.options.netclass_ignore_invalid_speed)) {
    scrape.Emit(kSpeed, static_cast<double>(*a.speed_megabits) * kBytesPerMegabit, {a.name});
  }
}

base::Result<void> CollectFromNetlink(Context& host, Scrape& scrape) {
  const base::Result<std::vector<Link>>& links = host.Links();
  if (!links.ok()) {
    return links.error();
  }
  const base::MonotonicTime now = host.clock.Monotonic();
  for (const Link& link : *links) {
    if (!host.filters.netclass_devices.Accepts(link.name)) {
      continue;
    }
    // Speed and duplex are settled when the carrier comes.
    const uint64_t changes = uint64_t{link.carrier_changes.value_or(0)} << 32 | link.flags;
    Remembered<LinkExtras>& extras = host.link_extras[link.name];
    if (extras.value && extras.value->seen_changes != changes) {
      extras.value.reset();
    }
    EmitDevice(host,
               FromLink(link, extras.Get(now, kKeepHardware,
                                         [&] { return ReadExtras(host, link.name, changes); })),
               scrape);
  }
  std::erase_if(host.link_extras, [now](const auto& entry) { return entry.second.expires < now; });
  return {};
}

base::Result<void> CollectFromSysfs(Context& host, Scrape& scrape) {
  ASSIGN_OR_RETURN(const std::vector<std::string> devices, host.sys.List("class/net"));
  for (const std::string& device : devices) {
    // bonding_masters is a file among the devices.
    if (host.filters.netclass_devices.Accepts(device) &&
        host.sys.ReadText(fmt::format("class/net/{}/ifindex", device)).ok()) {
      EmitDevice(host, FromSysfs(host, device), scrape);
    }
  }
  return {};
}

base::Result<void> CollectNetclass(Context& host, Scrape& scrape) {
  return host.options.sysfs == HostOptions().sysfs ? CollectFromNetlink(host, scrape)
                                                   : CollectFromSysfs(host, scrape);
}

}  // namespace

extern constexpr HostCollector kNetclassCollector{
    .name = "netclass",
    .help = "Network devices: state, speed, MTU, carrier changes.",
    .collect = CollectNetclass};

}  // namespace exporters::host
