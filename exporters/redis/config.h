// The answers to CONFIG GET as a map. A setting that the server does not know has an empty answer.
#pragma once

#include <map>
#include <string>

#include "exporters/redis/requests.h"
#include "lib/base/result.h"

namespace exporters::redis {

std::map<std::string, std::string> ReadSettings(const Answers& answers);

// The first error among those answers.
base::Result<void> SettingsError(const Answers& answers);

}  // namespace exporters::redis
