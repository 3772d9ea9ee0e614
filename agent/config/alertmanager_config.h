// alertmanager.yml as notify::Routing. Receivers and settings that this agent does not have are
// refused by name, with file and line; nothing is skipped.
#pragma once

#include <string>
#include <string_view>

#include "agent/notify/routing.h"
#include "agent/scrape/job.h"
#include "lib/base/result.h"

namespace config {

// Pure, but for the zone files of time intervals. Errors: kInvalidArgument "FILE:LINE: why".
base::Result<notify::Routing> ParseAlertmanager(std::string_view text, const std::string& file);

base::Result<notify::Routing> LoadAlertmanager(const std::string& file);

// The settings of an Alertmanager of prometheus.yml likewise. Errors: kInvalidArgument for a kind
// of authorization that notifications do not know.
base::Result<notify::HttpConfig> MakeHttpConfig(const scrape::Auth& auth,
                                                const http::ClientOptions& client);

}  // namespace config
