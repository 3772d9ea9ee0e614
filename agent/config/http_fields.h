// The HTTP client keys that scrape_configs and alertmanagers share.
#pragma once

#include <array>

#include "agent/config/fields.h"
#include "agent/scrape/job.h"
#include "lib/http/client.h"

namespace config {

base::Result<void> ReadBasicAuth(const yaml::Reader& reader, const yaml::Node& node,
                                 scrape::Auth& auth);
base::Result<void> ReadAuthorization(const yaml::Reader& reader, const yaml::Node& node,
                                     scrape::Auth& auth);
base::Result<void> ReadTls(const yaml::Reader& reader, const yaml::Node& node,
                           http::ClientOptions& http);
base::Result<void> ReadBearerToken(const yaml::Reader& reader, const yaml::Node& node,
                                   scrape::Auth& auth);
base::Result<void> ReadBearerTokenFile(const yaml::Reader& reader, const yaml::Node& node,
                                       scrape::Auth& auth);

// For a T with `AuthOf(T&)` and `HttpOf(T&)`.
template <typename T>
constexpr std::array kHttpFields = std::to_array<yaml::Field<T>>({
    {"basic_auth", [](const yaml::Reader& reader, const yaml::Node& node,
                      T& target) { return ReadBasicAuth(reader, node, AuthOf(target)); }},
    {"authorization", [](const yaml::Reader& reader, const yaml::Node& node,
                         T& target) { return ReadAuthorization(reader, node, AuthOf(target)); }},
    {"bearer_token", [](const yaml::Reader& reader, const yaml::Node& node,
                        T& target) { return ReadBearerToken(reader, node, AuthOf(target)); }},
    {"bearer_token_file",
     [](const yaml::Reader& reader, const yaml::Node& node,
        T& target) { return ReadBearerTokenFile(reader, node, AuthOf(target)); }},
    {"tls_config", [](const yaml::Reader& reader, const yaml::Node& node,
                      T& target) { return ReadTls(reader, node, HttpOf(target)); }},
    {"proxy_url", [](const yaml::Reader& reader, const yaml::Node& node,
                     T& target) { return reader.Read(node, HttpOf(target).proxy_url); }},
    {"follow_redirects",
     [](const yaml::Reader& reader, const yaml::Node& node,
        T& target) { return reader.Read(node, HttpOf(target).follow_redirects); }},
    {"enable_http2", EitherWay<T>},
    {"oauth2"},
    {"no_proxy"},
    {"proxy_from_environment"},
    {"proxy_connect_header"},
    {"http_headers"},
});

}  // namespace config
