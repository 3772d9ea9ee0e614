#include "agent/config/http_fields.h"

#include "lib/base/strings.h"

namespace config {
namespace {

constexpr yaml::Field<scrape::Auth> kBasicAuthFields[] = {
    {"username", yaml::Into<&scrape::Auth::username>},
    {"username_file", yaml::IntoPath<&scrape::Auth::username_file>},
    {"username_ref"},
    {"password", yaml::Into<&scrape::Auth::password>},
    {"password_file", yaml::IntoPath<&scrape::Auth::password_file>},
    {"password_ref"},
};

constexpr yaml::Field<scrape::Auth> kAuthorizationFields[] = {
    {"type", yaml::Into<&scrape::Auth::authorization_type>},
    {"credentials", yaml::Into<&scrape::Auth::credentials>},
    {"credentials_file", yaml::IntoPath<&scrape::Auth::credentials_file>},
    {"credentials_ref"},
};

constexpr yaml::Field<http::ClientOptions> kTlsFields[] = {
    {"ca_file", yaml::IntoPath<&http::ClientOptions::ca_file>},
    {"cert_file", yaml::IntoPath<&http::ClientOptions::cert_file>},
    {"key_file", yaml::IntoPath<&http::ClientOptions::key_file>},
    {"server_name", yaml::Into<&http::ClientOptions::server_name>},
    {"insecure_skip_verify", yaml::Into<&http::ClientOptions::insecure_skip_verify>},
    {"ca"},
    {"ca_ref"},
    {"cert"},
    {"cert_ref"},
    {"key"},
    {"key_ref"},
    {"min_version"},
    {"max_version"},
};

// One way to authenticate only.
base::Result<void> Claim(const yaml::Reader& reader, const yaml::Node& node,
                         const scrape::Auth& auth) {
  if (auth.basic || !auth.authorization_type.empty()) {
    return reader.ErrorAt(
        node, "at most one of basic_auth, authorization, bearer_token and bearer_token_file");
  }
  return {};
}

}  // namespace

base::Result<void> ReadBasicAuth(const yaml::Reader& reader, const yaml::Node& node,
                                 scrape::Auth& auth) {
  RETURN_IF_ERROR(Claim(reader, node, auth));
  RETURN_IF_ERROR(reader.ReadMap<scrape::Auth>(node, kBasicAuthFields, &auth));
  auth.basic = true;
  if (!auth.username.empty() && !auth.username_file.empty()) {
    return reader.ErrorAt(node, "at most one of username and username_file");
  }
  if (!auth.password.empty() && !auth.password_file.empty()) {
    return reader.ErrorAt(node, "at most one of password and password_file");
  }
  return {};
}

base::Result<void> ReadAuthorization(const yaml::Reader& reader, const yaml::Node& node,
                                     scrape::Auth& auth) {
  RETURN_IF_ERROR(Claim(reader, node, auth));
  auth.authorization_type = "Bearer";
  RETURN_IF_ERROR(reader.ReadMap<scrape::Auth>(node, kAuthorizationFields, &auth));
  auth.authorization_type = std::string(base::TrimSpace(auth.authorization_type));
  if (auth.authorization_type.empty()) {
    auth.authorization_type = "Bearer";
  }
  if (base::EqualsIgnoreCase(auth.authorization_type, "basic")) {
    return reader.ErrorAt(node, "type basic is written as basic_auth");
  }
  if (!auth.credentials.empty() && !auth.credentials_file.empty()) {
    return reader.ErrorAt(node, "at most one of credentials and credentials_file");
  }
  return {};
}

base::Result<void> ReadTls(const yaml::Reader& reader, const yaml::Node& node,
                           http::ClientOptions& http) {
  RETURN_IF_ERROR(reader.ReadMap<http::ClientOptions>(node, kTlsFields, &http));
  if (http.cert_file.empty() != http.key_file.empty()) {
    return reader.ErrorAt(node, "cert_file and key_file go together");
  }
  return {};
}

base::Result<void> ReadBearerToken(const yaml::Reader& reader, const yaml::Node& node,
                                   scrape::Auth& auth) {
  RETURN_IF_ERROR(Claim(reader, node, auth));
  auth.authorization_type = "Bearer";
  return reader.Read(node, auth.credentials);
}

base::Result<void> ReadBearerTokenFile(const yaml::Reader& reader, const yaml::Node& node,
                                       scrape::Auth& auth) {
  RETURN_IF_ERROR(Claim(reader, node, auth));
  auth.authorization_type = "Bearer";
  return yaml::IntoPath<&scrape::Auth::credentials_file>(reader, node, auth);
}

}  // namespace config
