// One handler per endpoint of the Prometheus API v1. routes.cc has the table.
#pragma once

#include "agent/web/routes.h"
#include "lib/http/message.h"
#include "lib/http/router.h"

namespace web {

using ApiHandler = http::Response(const Views& views, const http::Request& request,
                                  const http::PathParameters& path);

// api_query.cc
ApiHandler Query;
ApiHandler QueryRange;
ApiHandler QueryExemplars;
ApiHandler FormatQuery;

// api_parse_query.cc
ApiHandler ParseQuery;

// federate.cc
ApiHandler Federate;

// api_metadata.cc
ApiHandler Metadata;
ApiHandler TargetsMetadata;

// api_series.cc
ApiHandler Series;
ApiHandler LabelNames;
ApiHandler LabelValues;

// api_state.cc
ApiHandler Targets;
ApiHandler ScrapePools;
ApiHandler Rules;
ApiHandler Alerts;
ApiHandler AlertmanagersList;

// api_status.cc
ApiHandler BuildInfo;
ApiHandler RuntimeInfo;
ApiHandler Flags;
ApiHandler ConfigYaml;
ApiHandler Tsdb;

}  // namespace web
