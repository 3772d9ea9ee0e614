// The sub-commands of tarsier-agent that do their work and end.
#pragma once

#include <span>
#include <string>

#include "exporters/toolkit/flags.h"

namespace agent {

inline constexpr int kExitFine = 0;
inline constexpr int kExitFailure = 1;
inline constexpr int kExitBadUsage = 2;

// Each prints to standard output and returns the exit code.
int CheckConfig(const exporters::ParsedFlags& flags);
int CheckRules(const exporters::ParsedFlags& flags);
int TestRules(const exporters::ParsedFlags& flags);
int CheckWebConfig(std::span<const std::string> files);
int QueryInstant(const exporters::ParsedFlags& flags);
int QueryRange(const exporters::ParsedFlags& flags);
int Healthcheck(const exporters::ParsedFlags& flags);

}  // namespace agent
