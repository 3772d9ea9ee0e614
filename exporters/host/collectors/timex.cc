// How well the clock is kept, from adjtimex(2).
#include <sys/timex.h>

#include "exporters/host/context.h"

namespace exporters::host {
namespace {

using model::MetricDesc;
using model::MetricType;

constexpr double kMicroseconds = 1e6;
constexpr double kNanoseconds = 1e9;
constexpr double kFrequencyUnits = 65536.0 * 1e6;  // Frequencies are ppm with 16 binary places.

// Offset and jitter are in ns when the kernel says so, else in µs.
double Fraction(const timex& clock) {
  return (clock.status & STA_NANO) != 0 ? kNanoseconds : kMicroseconds;
}

struct Row {
  MetricDesc desc;
  double (*value)(const timex& clock);
};

constexpr MetricDesc Counter(std::string_view name, std::string_view help) {
  return {.name = name, .help = help, .type = MetricType::kCounter};
}

constexpr Row kRows[] = {
    {{.name = "node_timex_offset_seconds", .help = "How far the clock is off its reference."},
     [](const timex& t) { return static_cast<double>(t.offset) / Fraction(t); }},
    {{.name = "node_timex_frequency_adjustment_ratio",
      .help = "How the clock's rate is adjusted; 1 is not at all."},
     [](const timex& t) { return 1 + static_cast<double>(t.freq) / kFrequencyUnits; }},
    {{.name = "node_timex_maxerror_seconds", .help = "The largest possible error."},
     [](const timex& t) { return static_cast<double>(t.maxerror) / kMicroseconds; }},
    {{.name = "node_timex_estimated_error_seconds", .help = "The estimated error."},
     [](const timex& t) { return static_cast<double>(t.esterror) / kMicroseconds; }},
    {{.name = "node_timex_status", .help = "The status bits (STA_*), as a number."},
     [](const timex& t) { return static_cast<double>(t.status); }},
    {{.name = "node_timex_loop_time_constant", .help = "Time constant of the phase-locked loop."},
     [](const timex& t) { return static_cast<double>(t.constant); }},
    {{.name = "node_timex_tick_seconds", .help = "Time between clock ticks."},
     [](const timex& t) { return static_cast<double>(t.tick) / kMicroseconds; }},
    {{.name = "node_timex_pps_frequency_hertz", .help = "Frequency of the pulse per second."},
     [](const timex& t) { return static_cast<double>(t.ppsfreq) / kFrequencyUnits; }},
    {{.name = "node_timex_pps_jitter_seconds", .help = "Jitter of the pulse per second."},
     [](const timex& t) { return static_cast<double>(t.jitter) / Fraction(t); }},
    {{.name = "node_timex_pps_shift_seconds",
      .help = "How long the pulse per second is averaged over."},
     [](const timex& t) { return static_cast<double>(t.shift); }},
    {{.name = "node_timex_pps_stability_hertz",
      .help = "How much the frequency of the pulse per second changed lately."},
     [](const timex& t) { return static_cast<double>(t.stabil) / kFrequencyUnits; }},
    {Counter("node_timex_pps_jitter_total", "Pulses that came beyond the limit of jitter."),
     [](const timex& t) { return static_cast<double>(t.jitcnt); }},
    {Counter("node_timex_pps_calibration_total", "Calibrations by the pulse per second."),
     [](const timex& t) { return static_cast<double>(t.calcnt); }},
    {Counter("node_timex_pps_error_total", "Calibrations that failed."),
     [](const timex& t) { return static_cast<double>(t.errcnt); }},
    {Counter("node_timex_pps_stability_exceeded_total",
             "Calibrations beyond the limit of stability."),
     [](const timex& t) { return static_cast<double>(t.stbcnt); }},
    {{.name = "node_timex_tai_offset_seconds", .help = "Atomic time (TAI) minus UTC."},
     [](const timex& t) { return static_cast<double>(t.tai); }},
};
constexpr MetricDesc kSynchronised{
    .name = "node_timex_sync_status",
    .help = "Whether the clock is synchronised to a reliable server."};

base::Result<void> CollectTimex(Context&, Scrape& scrape) {
  timex clock{};  // modes is 0: nothing is changed, no privilege is needed.
  const int state = adjtimex(&clock);
  if (state < 0) {
    return base::ErrnoError("adjtimex");
  }
  for (const Row& row : kRows) {
    scrape.Emit(row.desc, row.value(clock));
  }
  scrape.Emit(kSynchronised, state == TIME_ERROR ? 0 : 1);
  return {};
}

}  // namespace

extern constexpr HostCollector kTimexCollector{
    .name = "timex", .help = "How well the clock is kept.", .collect = CollectTimex};

}  // namespace exporters::host
