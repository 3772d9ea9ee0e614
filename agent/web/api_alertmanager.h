// Alertmanager's API, version 2, as far as amtool and Grafana use it, and the notifications that
// wait or were given up. routes.cc has the table.
#pragma once

#include "agent/web/api_handlers.h"

namespace web {

ApiHandler AmStatus;
ApiHandler AmReceivers;
ApiHandler AmAlerts;
ApiHandler AmPostAlerts;
ApiHandler AmGroups;
ApiHandler AmSilences;
ApiHandler AmPostSilence;
ApiHandler AmSilence;
ApiHandler AmDeleteSilence;

ApiHandler Notifications;
ApiHandler RetryNotification;
ApiHandler DiscardNotification;

}  // namespace web
