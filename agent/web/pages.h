// Status pages in plain HTML, for a person with a phone at night: what is wrong comes first.
#pragma once

#include "agent/web/api_handlers.h"

namespace web {

// How many entries of one kind a page lists; of the rest it says how many there are.
inline constexpr size_t kMaxListed = 500;

ApiHandler OverviewPage;
ApiHandler TargetsPage;
ApiHandler AlertsPage;
ApiHandler RulesPage;
ApiHandler StylePage;

}  // namespace web
