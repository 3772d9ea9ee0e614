#include "exporters/host/filter.h"

#include <fmt/format.h>
#include <re2/re2.h>

namespace exporters::host {
namespace {

base::Result<std::shared_ptr<const re2::RE2>> Compile(std::string_view flag,
                                                      const std::string& pattern) {
  if (pattern.empty()) {
    return std::shared_ptr<const re2::RE2>();
  }
  auto regex = std::make_shared<const re2::RE2>(pattern, re2::RE2::Quiet);
  if (!regex->ok()) {
    return base::Error(
        fmt::format("--{}: regular expression \"{}\": {}", flag, pattern, regex->error()),
        base::ErrorKind::kInvalidArgument);
  }
  return regex;
}

}  // namespace

base::Result<Filter> Filter::Make(std::string_view flag, const NameFilter& names) {
  if (!names.include.empty() && !names.exclude.empty()) {
    return base::Error(fmt::format("--{0}-include and --{0}-exclude exclude each other", flag),
                       base::ErrorKind::kInvalidArgument);
  }
  Filter filter;
  ASSIGN_OR_RETURN(filter.include_, Compile(flag, names.include));
  ASSIGN_OR_RETURN(filter.exclude_, Compile(flag, names.exclude));
  return filter;
}

bool Filter::Accepts(std::string_view name) const {
  if (exclude_ && re2::RE2::PartialMatch(name, *exclude_)) {
    return false;
  }
  return !include_ || re2::RE2::PartialMatch(name, *include_);
}

}  // namespace exporters::host
