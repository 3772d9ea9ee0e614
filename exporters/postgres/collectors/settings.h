// How a row of pg_settings becomes a metric. Pure.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace exporters::postgres {

struct SettingSample {
  std::string name;  // "pg_settings_work_mem_bytes"
  std::string help;
  double value = 0;
};

// "shared_buffers", "8kB", "16384" → pg_settings_shared_buffers_bytes 134217728. -1 stands for
// "off" or "as something else" and is not scaled. Errors: a unit nobody knows, a value that is no
// number.
base::Result<SettingSample> ParseSetting(std::string_view name, std::string_view unit,
                                         std::string_view value);

}  // namespace exporters::postgres
