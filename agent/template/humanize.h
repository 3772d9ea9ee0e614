// Numbers for people, as Prometheus' template functions write them.
#pragma once

#include <string>

#include "lib/base/result.h"

namespace tmpl {

std::string Humanize(double value);            // 1048576 → "1.049M"
std::string Humanize1024(double value);        // 1048576 → "1Mi"
std::string HumanizeDuration(double seconds);  // 135.4 → "2m 15s"
std::string HumanizePercentage(double ratio);  // 0.959 → "95.9%"
// 1643114203 → "2022-01-25 12:36:43 +0000 UTC". Errors: kInvalidArgument for a time that int64
// nanoseconds cannot hold.
base::Result<std::string> HumanizeTimestamp(double unix_seconds);

}  // namespace tmpl
