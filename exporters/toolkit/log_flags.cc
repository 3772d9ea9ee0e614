#include "exporters/toolkit/log_flags.h"

namespace exporters {

std::vector<Flag> LogFlags(const std::string& group) {
  return {
      {.name = "log.level",
       .default_value = "info",
       .group = group,
       .help = "The least that is logged: debug, info, warn or error.",
       .value_name = "LEVEL"},
      {.name = "log.format",
       .default_value = "logfmt",
       .group = group,
       .help = "logfmt or json.",
       .value_name = "FORMAT"},
  };
}

base::Result<base::Logger> MakeLogger(const ParsedFlags& flags) {
  ASSIGN_OR_RETURN(const base::LogLevel level, base::ParseLogLevel(flags.String("log.level")));
  ASSIGN_OR_RETURN(const base::LogFormat format, base::ParseLogFormat(flags.String("log.format")));
  return base::Logger(level, format);
}

}  // namespace exporters
