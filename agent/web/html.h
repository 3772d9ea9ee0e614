// Small pieces of HTML: every text that goes into a page passes through base::EscapeHtml.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "lib/base/clock.h"
#include "lib/http/message.h"
#include "lib/model/labels.h"

namespace web {

// "just now", "12 s ago", "3 min ago", "2 h 5 min ago", "4 d ago"; "never" for the epoch.
std::string Ago(base::WallTime then, base::WallTime now);

// "0.5 ms", "12 ms", "1.3 s".
std::string Took(std::chrono::nanoseconds duration);

// A link for http and https, the text alone for anything else (javascript: and the like).
std::string LinkTo(std::string_view url);

// name="value" chips, without `hidden` (sorted or not).
std::string LabelChips(const model::Labels& labels, std::string_view hidden = "");

// The whole page around `body`. `path` marks its entry of the navigation.
http::Response HtmlPage(std::string_view path, std::string_view title, std::string_view body);

// /style.css
http::Response StyleSheet();

}  // namespace web
