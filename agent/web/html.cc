#include "agent/web/html.h"

#include <fmt/format.h>

#include "lib/base/html.h"
#include "lib/base/version.h"

namespace web {
namespace {

// No script, and nothing from anywhere else.
constexpr char kContentSecurityPolicy[] =
    "default-src 'none'; style-src 'self'; form-action 'none'; frame-ancestors 'none'; "
    "base-uri 'none'";

struct NavigationEntry {
  std::string_view path;
  std::string_view title;
};

constexpr NavigationEntry kNavigation[] = {
    {"/", "Overview"}, {"/alerts", "Alerts"}, {"/targets", "Targets"}, {"/rules", "Rules"}};

constexpr std::string_view kStyle = R"(:root {
  color-scheme: light dark;
  --text: #1c1e21; --dim: #5f6672; --page: #ffffff; --card: #f4f5f7; --line: #d9dce1;
  --bad: #b3261e; --bad-back: #fbe9e7; --warn: #8a5a00; --warn-back: #fff4dc;
  --good: #1b6e3c; --good-back: #e3f4e8; --link: #0b57d0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #e4e6ea; --dim: #9aa1ad; --page: #15171a; --card: #1f2226; --line: #33373d;
    --bad: #ff8a80; --bad-back: #3b1d1b; --warn: #ffc766; --warn-back: #382c14;
    --good: #7fd69a; --good-back: #17301f; --link: #8ab4f8;
  }
}
* { box-sizing: border-box }
body {
  margin: 0 auto; max-width: 60rem; padding: 0 1rem 3rem;
  font: 1rem/1.5 system-ui, sans-serif; color: var(--text); background: var(--page);
  overflow-wrap: anywhere;
}
a { color: var(--link) }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding: .75rem 0;
  border-bottom: 1px solid var(--line) }
nav a { padding: .4rem 0; text-decoration: none }
nav a[aria-current] { color: var(--text); font-weight: 600; box-shadow: 0 2px var(--text) }
h1 { font-size: 1.4rem; margin: 1.2rem 0 .6rem }
h2 { font-size: 1.1rem; margin: 1.6rem 0 .5rem }
h3 { font-size: 1rem; margin: 0 }
p { margin: .3rem 0 }
.card { background: var(--card); border-left: .3rem solid var(--line); border-radius: .3rem;
  padding: .6rem .8rem; margin: .5rem 0 }
.card.bad { border-color: var(--bad) } .card.warn { border-color: var(--warn) }
.card.good { border-color: var(--good) }
.badge { display: inline-block; border-radius: .3rem; padding: 0 .45rem; font-weight: 600;
  font-size: .85rem }
.bad > .badge, .badge.bad { color: var(--bad); background: var(--bad-back) }
.warn > .badge, .badge.warn { color: var(--warn); background: var(--warn-back) }
.good > .badge, .badge.good { color: var(--good); background: var(--good-back) }
.error { color: var(--bad) }
.dim, footer { color: var(--dim); font-size: .9rem }
.chip { display: inline-block; border: 1px solid var(--line); border-radius: .3rem;
  padding: 0 .35rem; margin: .1rem .2rem .1rem 0;
  font: .8rem/1.5 ui-monospace, monospace }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .5rem }
.tile { background: var(--card); border-radius: .3rem; padding: .6rem .8rem; color: inherit;
  text-decoration: none }
.tile b { display: block; font-size: 1.6rem; line-height: 1.2 }
.tile.bad b { color: var(--bad) } .tile.warn b { color: var(--warn) }
.tile.good b { color: var(--good) }
pre { white-space: pre-wrap; margin: .3rem 0; font: .85rem/1.4 ui-monospace, monospace }
summary { cursor: pointer; padding: .3rem 0 }
footer { margin-top: 2.5rem }
)";

std::string Navigation(std::string_view path) {
  std::string html = "<nav>";
  for (const NavigationEntry& entry : kNavigation) {
    html += fmt::format("<a href=\"{}\"{}>{}</a>", entry.path,
                        entry.path == path ? " aria-current=\"page\"" : "", entry.title);
  }
  return html + "</nav>\n";
}

}  // namespace

std::string Ago(base::WallTime then, base::WallTime now) {
  if (then == base::WallTime{}) {
    return "never";
  }
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - then).count();
  if (seconds < 1) {
    return "just now";
  }
  if (seconds < 60) {
    return fmt::format("{} s ago", seconds);
  }
  if (seconds < 3600) {
    return fmt::format("{} min ago", seconds / 60);
  }
  if (seconds < 86400) {
    return fmt::format("{} h {} min ago", seconds / 3600, seconds % 3600 / 60);
  }
  return fmt::format("{} d ago", seconds / 86400);
}

std::string Took(std::chrono::nanoseconds duration) {
  const double ms = std::chrono::duration<double, std::milli>(duration).count();
  if (ms < 10) {
    return fmt::format("{:.1f} ms", ms);
  }
  return ms < 1000 ? fmt::format("{:.0f} ms", ms) : fmt::format("{:.1f} s", ms / 1000);
}

std::string LinkTo(std::string_view url) {
  std::string text = base::EscapeHtml(url);
  if (url.substr(0, 7) != "http://" && url.substr(0, 8) != "https://") {
    return text;
  }
  return fmt::format("<a href=\"{0}\" rel=\"noreferrer\">{0}</a>", text);
}

std::string LabelChips(const model::Labels& labels, std::string_view hidden) {
  std::string html;
  for (const model::Label label : labels) {
    if (label.name != hidden) {
      html += fmt::format("<span class=\"chip\">{}=&quot;{}&quot;</span>",
                          base::EscapeHtml(label.name), base::EscapeHtml(label.value));
    }
  }
  return html;
}

http::Response HtmlPage(std::string_view path, std::string_view title, std::string_view body) {
  http::Response response{.content_type = "text/html; charset=utf-8"};
  response.headers = {{"Content-Security-Policy", kContentSecurityPolicy},
                      {"Cache-Control", "no-store"}};
  response.body = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{0}</title>\n<link rel=\"stylesheet\" href=\"/style.css\">\n{1}<h1>{0}</h1>\n{2}"
      "<footer>tarsier-agent {3}</footer>\n</html>\n",
      base::EscapeHtml(title), Navigation(path), body, base::EscapeHtml(base::Version()));
  return response;
}

http::Response StyleSheet() {
  return {.content_type = "text/css; charset=utf-8",
          .headers = {{"Cache-Control", "max-age=300"}},
          .body = std::string(kStyle)};
}

}  // namespace web
