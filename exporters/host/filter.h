// Which device, mount point or field names are wanted.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "exporters/host/options.h"
#include "lib/base/result.h"

namespace re2 {
class RE2;
}

namespace exporters::host {

// Immutable, cheap to copy, thread-safe.
class Filter {
 public:
  Filter() = default;  // Accepts everything.

  // `flag` names the flag in errors. Errors: kInvalidArgument for a bad regular expression, and for
  // include together with exclude.
  static base::Result<Filter> Make(std::string_view flag, const NameFilter& names);

  bool Accepts(std::string_view name) const;

 private:
  std::shared_ptr<const re2::RE2> include_;
  std::shared_ptr<const re2::RE2> exclude_;
};

}  // namespace exporters::host
