// Parses and expands alert templates. The whole input is one template.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "agent/template/template.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = tmpl::ParseAlertTemplate("fuzz", text);
  if (!parsed.ok()) {
    return 0;
  }
  const tmpl::AlertData alert{.labels = model::Labels{{"instance", "db1:5432"}, {"job", "pg"}},
                              .value = 0.5,
                              .external_labels = {},
                              .external_url = "http://agent"};
  const tmpl::Environment environment{
      .query =
          [](std::string_view) {
            return base::Result<std::vector<tmpl::QuerySample>>(
                std::vector<tmpl::QuerySample>{{model::Labels{{"a", "1"}}, 1}});
          },
      .external_url = "http://agent",
      .now_ms = 1};
  // An error is quoted in the text, so it may be a little longer than the limit.
  if (tmpl::ExpandAlertTemplate(*parsed, alert, environment).size() >
      tmpl::kMaxOutputBytes + (128 << 10)) {
    std::abort();
  }
  return 0;
}
