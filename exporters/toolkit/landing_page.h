// The page at "/": what this is and where its pages are. Plain HTML, nothing loaded.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "lib/http/message.h"

namespace exporters {

struct LandingLink {
  std::string path;
  std::string description;
};

http::Response LandingPage(std::string_view name, std::string_view description,
                           std::span<const LandingLink> links);

}  // namespace exporters
