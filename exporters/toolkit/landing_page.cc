#include "exporters/toolkit/landing_page.h"

#include <fmt/format.h>

#include "lib/base/html.h"
#include "lib/base/version.h"

namespace exporters {
namespace {

constexpr std::string_view kHead = R"(<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{0}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 40em; margin: 3em auto; padding: 0 1em }}
dt {{ font-family: ui-monospace, monospace; margin-top: .7em }}
dd, footer {{ color: #666; margin: 0 }}
footer {{ margin-top: 2em; font-size: 14px }}
</style>
<h1>{0}</h1>
<p>{1}</p>
<dl>
)";

}  // namespace

http::Response LandingPage(std::string_view name, std::string_view description,
                           std::span<const LandingLink> links) {
  std::string page = fmt::format(kHead, base::EscapeHtml(name), base::EscapeHtml(description));
  for (const LandingLink& link : links) {
    const std::string path = base::EscapeHtml(link.path);
    page += fmt::format("<dt><a href=\"{0}\">{0}</a></dt><dd>{1}</dd>\n", path,
                        base::EscapeHtml(link.description));
  }
  page += fmt::format("</dl>\n<footer>Version {}, revision {}</footer>\n",
                      base::EscapeHtml(base::Version()), base::EscapeHtml(base::Revision()));
  return {.content_type = "text/html; charset=utf-8",
          .headers = {{"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"}},
          .body = std::move(page)};
}

}  // namespace exporters
