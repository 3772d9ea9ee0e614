#include "agent/notify/time_zone.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "lib/base/file.h"
#include "lib/base/strings.h"

namespace notify {
namespace {

constexpr size_t kHeaderBytes = 44;
constexpr char kZoneFolder[] = "/usr/share/zoneinfo/";
constexpr int64_t kDay = 86'400;

base::Error Damaged(const std::string& name) {
  return base::Error(fmt::format("time zone \"{}\": its zone file is damaged", name),
                     base::ErrorKind::kInvalidArgument);
}

// Big-endian numbers; the caller has checked the length.
uint64_t Unsigned(std::string_view bytes) {
  uint64_t value = 0;
  for (const char c : bytes) {
    value = value << 8U | static_cast<unsigned char>(c);
  }
  return value;
}
int64_t Signed32(std::string_view bytes) { return static_cast<int32_t>(Unsigned(bytes)); }
int64_t Signed64(std::string_view bytes) { return static_cast<int64_t>(Unsigned(bytes)); }

struct Counts {
  size_t utc_marks, standard_marks, leaps, transitions, types, letters;

  size_t Bytes(size_t time_bytes) const {
    return transitions * (time_bytes + 1) + types * 6 + letters + leaps * (time_bytes + 4) +
           standard_marks + utc_marks;
  }
};

std::optional<Counts> ParseHeader(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes || bytes.substr(0, 4) != "TZif") {
    return std::nullopt;
  }
  const auto count = [&](size_t i) {
    return static_cast<size_t>(Unsigned(bytes.substr(20 + 4 * i, 4)));
  };
  const Counts counts{count(0), count(1), count(2), count(3), count(4), count(5)};
  for (size_t i = 0; i < 6; ++i) {
    if (count(i) > kMaxZoneBytes) {
      return std::nullopt;
    }
  }
  return counts;
}

// When daylight saving begins or ends within a year: Mm.w.d/time, Jn/time or n/time.
struct YearRule {
  char kind = 'M';
  int64_t month = 0, week = 0, day = 0;
  int64_t seconds = 2 * 3600;  // Local, into that day.

  // Seconds since the epoch, local time.
  int64_t In(int64_t year) const {
    using namespace std::chrono;  // NOLINT(google-build-using-namespace): calendar names only.
    const std::chrono::year y(static_cast<int>(year));
    const int64_t new_year = sys_days(y / January / 1).time_since_epoch().count();
    int64_t days = new_year + day;
    if (kind == 'J') {  // 29 February is never counted.
      days = new_year + day - 1 + (y.is_leap() && day >= 60 ? 1 : 0);
    } else if (kind == 'M') {
      const weekday which(static_cast<unsigned>(day));
      const auto m = std::chrono::month(static_cast<unsigned>(month));
      const sys_days at = week == 5 ? sys_days(y / m / which[last])
                                    : sys_days(y / m / which[static_cast<unsigned>(week)]);
      days = at.time_since_epoch().count();
    }
    return days * kDay + seconds;
  }
};

// What holds after the last transition: "CET-1CEST,M3.5.0,M10.5.0/3".
struct Footer {
  TimeZone::Offset standard;
  std::optional<TimeZone::Offset> daylight;
  YearRule begins, ends;

  TimeZone::Offset At(int64_t unix_seconds) const {
    if (!daylight) {
      return standard;
    }
    const auto day = std::chrono::sys_days(std::chrono::days(
        (unix_seconds + standard.seconds) / kDay - (unix_seconds + standard.seconds < 0 ? 1 : 0)));
    const int64_t year = static_cast<int>(std::chrono::year_month_day(day).year());
    const int64_t from = begins.In(year) - standard.seconds;
    const int64_t to = ends.In(year) - daylight->seconds;
    const bool in = from < to ? unix_seconds >= from && unix_seconds < to
                              : unix_seconds >= from || unix_seconds < to;
    return in ? *daylight : standard;
  }
};

class FooterParser {
 public:
  explicit FooterParser(std::string_view text) : rest_(text) {}

  std::optional<Footer> Run() {
    Footer footer;
    if (!Name(&footer.standard.abbreviation) || !Time(&footer.standard.seconds)) {
      return std::nullopt;
    }
    footer.standard.seconds = -footer.standard.seconds;
    if (rest_.empty()) {
      return footer;
    }
    TimeZone::Offset daylight{.seconds = footer.standard.seconds + 3600, .abbreviation = ""};
    if (!Name(&daylight.abbreviation)) {
      return std::nullopt;
    }
    if (!rest_.starts_with(',')) {
      if (!Time(&daylight.seconds)) {
        return std::nullopt;
      }
      daylight.seconds = -daylight.seconds;
    }
    footer.daylight = daylight;
    const bool whole = Rule(&footer.begins) && Rule(&footer.ends) && rest_.empty();
    return whole ? std::optional(footer) : std::nullopt;
  }

 private:
  bool Name(std::string* name) {
    const bool quoted = rest_.starts_with('<');
    const size_t end = quoted ? rest_.find('>') : rest_.find_first_of("+-0123456789,");
    if (end == std::string_view::npos || end == 0) {
      return false;
    }
    *name = rest_.substr(quoted ? 1 : 0, end - (quoted ? 1 : 0));
    rest_.remove_prefix(end + (quoted ? 1 : 0));
    return true;
  }

  bool Number(int64_t* value, int64_t most) {
    size_t end = 0;
    while (end < rest_.size() && end < 4 && rest_[end] >= '0' && rest_[end] <= '9') {
      ++end;
    }
    const auto number = base::ParseInt(rest_.substr(0, end));
    rest_.remove_prefix(end);
    *value = number.value_or(0);
    return number && *value <= most;
  }

  bool Take(char c) {
    const bool taken = rest_.starts_with(c);
    rest_.remove_prefix(taken ? 1 : 0);
    return taken;
  }

  // [+-]hh[:mm[:ss]]
  bool Time(int64_t* seconds) {
    const bool negative = Take('-');
    if (!negative) {
      Take('+');
    }
    int64_t hours = 0;
    int64_t minutes = 0;
    int64_t rest = 0;
    if (!Number(&hours, 167) || (Take(':') && !Number(&minutes, 59)) ||
        (Take(':') && !Number(&rest, 59))) {
      return false;
    }
    *seconds = (hours * 3600 + minutes * 60 + rest) * (negative ? -1 : 1);
    return true;
  }

  bool Rule(YearRule* rule) {
    if (!Take(',')) {
      return false;
    }
    rule->kind = Take('M') ? 'M' : Take('J') ? 'J' : 'n';
    if (rule->kind == 'M') {
      if (!Number(&rule->month, 12) || !Take('.') || !Number(&rule->week, 5) || !Take('.') ||
          !Number(&rule->day, 6) || rule->month == 0 || rule->week == 0) {
        return false;
      }
    } else if (!Number(&rule->day, 365)) {
      return false;
    }
    return !Take('/') || Time(&rule->seconds);
  }

  std::string_view rest_;
};

}  // namespace

struct TimeZone::Table {
  std::vector<int64_t> transitions;  // Ascending.
  std::vector<uint8_t> types;        // Of what begins there.
  std::vector<Offset> offsets;       // By type.
  std::optional<Footer> footer;
};

base::Result<TimeZone> TimeZone::Parse(std::string name, std::string_view bytes) {
  const auto old_counts = ParseHeader(bytes);
  if (!old_counts || bytes[4] < '2' || bytes.size() < kHeaderBytes + old_counts->Bytes(4)) {
    return Damaged(name);
  }
  bytes.remove_prefix(kHeaderBytes + old_counts->Bytes(4));  // The same again with 64 bits follows.
  const auto counts = ParseHeader(bytes);
  if (!counts || counts->types == 0 || bytes.size() < kHeaderBytes + counts->Bytes(8)) {
    return Damaged(name);
  }
  Table table;
  const std::string_view times = bytes.substr(kHeaderBytes);
  const std::string_view types = times.substr(counts->transitions * 8);
  const std::string_view infos = types.substr(counts->transitions);
  const std::string_view letters = infos.substr(counts->types * 6, counts->letters);
  for (size_t i = 0; i < counts->transitions; ++i) {
    table.transitions.push_back(Signed64(times.substr(i * 8, 8)));
    table.types.push_back(static_cast<uint8_t>(types[i]));
    if (table.types.back() >= counts->types) {
      return Damaged(name);
    }
  }
  for (size_t i = 0; i < counts->types; ++i) {
    const size_t at = static_cast<unsigned char>(infos[i * 6 + 5]);
    if (at >= letters.size()) {
      return Damaged(name);
    }
    table.offsets.push_back(
        {.seconds = Signed32(infos.substr(i * 6, 4)),
         .abbreviation = std::string(letters.substr(at, letters.find('\0', at) - at))});
  }
  if (!std::is_sorted(table.transitions.begin(), table.transitions.end())) {
    return Damaged(name);
  }
  std::string_view footer = bytes.substr(kHeaderBytes + counts->Bytes(8));
  footer = base::TrimSpace(footer);
  table.footer = FooterParser(footer).Run();
  if (!footer.empty() && !table.footer) {
    return Damaged(name);
  }
  TimeZone zone;
  zone.name_ = std::move(name);
  zone.table_ = std::make_shared<const Table>(std::move(table));
  return zone;
}

base::Result<TimeZone> TimeZone::Load(const std::string& name) {
  if (name.empty() || name == "UTC") {
    return TimeZone();
  }
  const bool plain = name.find("..") == std::string::npos && name.front() != '/';
  const auto bytes =
      plain ? base::ReadFile(name == "Local" ? "/etc/localtime" : kZoneFolder + name, kMaxZoneBytes)
            : base::Result<std::string>(base::Error("", base::ErrorKind::kNotFound));
  if (!bytes.ok()) {
    return base::Error(
        fmt::format("time zone \"{}\" is not known on this machine: is tzdata installed?", name),
        base::ErrorKind::kNotFound);
  }
  return Parse(name, *bytes);
}

TimeZone::Offset TimeZone::At(int64_t unix_seconds) const {
  if (table_ == nullptr) {
    return {};
  }
  const std::vector<int64_t>& transitions = table_->transitions;
  const auto next = std::upper_bound(transitions.begin(), transitions.end(), unix_seconds);
  if (next == transitions.end() && table_->footer) {
    return table_->footer->At(unix_seconds);
  }
  if (next == transitions.begin()) {
    return table_->offsets.front();
  }
  return table_->offsets[table_->types[static_cast<size_t>(next - transitions.begin() - 1)]];
}

}  // namespace notify
