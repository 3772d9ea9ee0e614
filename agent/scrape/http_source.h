// A metrics page over HTTP.
#pragma once

#include <memory>
#include <string>

#include "agent/scrape/job.h"
#include "agent/scrape/source.h"
#include "lib/exposition/format.h"
#include "lib/http/client.h"

namespace scrape {

// `client` is shared by the targets of a job.
std::unique_ptr<Source> MakeHttpSource(std::shared_ptr<const JobOptions> job,
                                       std::shared_ptr<http::Client> client, std::string url);

// A page in one of the text formats, parsed when it is read.
std::unique_ptr<Page> MakeTextPage(std::string body, exposition::Format format);

// The value of the Authorization header, "" for none. Reads the files that `auth` names.
base::Result<std::string> AuthorizationHeader(const Auth& auth);

}  // namespace scrape
