#include "agent/scrape/http_source.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "lib/base/duration.h"
#include "lib/base/file.h"
#include "lib/base/strings.h"
#include "lib/base/url.h"
#include "lib/base/version.h"
#include "lib/exposition/negotiate.h"
#include "lib/exposition/parser.h"

namespace scrape {
namespace {

constexpr size_t kMaxCredentialBytes = 64 << 10;

class ParserLabels final : public LabelSource {
 public:
  explicit ParserLabels(const exposition::Parser& parser) : parser_(parser) {}
  void BuildLabels(model::LabelsBuilder* builder) const override { parser_.BuildLabels(builder); }

 private:
  const exposition::Parser& parser_;
};

void Describe(const exposition::Parser& parser, exposition::Entry entry, SampleVisitor& visitor) {
  if (entry == exposition::Entry::kType) {
    visitor.Describe({.metric = parser.name(), .type = parser.type()});
  } else if (entry == exposition::Entry::kHelp) {
    const std::string help = parser.help();
    visitor.Describe({.metric = parser.name(), .help = help});
  } else if (entry == exposition::Entry::kUnit) {
    visitor.Describe({.metric = parser.name(), .unit = parser.unit()});
  }
}

class TextPage final : public Page {
 public:
  TextPage(std::string body, exposition::Format format) : body_(std::move(body)), format_(format) {}

  base::Result<void> Read(SampleVisitor& visitor) const override {
    exposition::Parser parser(body_, format_, exposition::ParseMode::kScraping);
    const ParserLabels labels(parser);
    const bool wants_metadata = visitor.WantsMetadata();
    for (;;) {
      parser.ExpectSeries(visitor.Expected());
      ASSIGN_OR_RETURN(const exposition::Entry entry, parser.Next());
      if (entry == exposition::Entry::kEnd) {
        return {};
      }
      if (entry == exposition::Entry::kSeries) {
        RETURN_IF_ERROR(
            visitor.Visit({parser.series(), parser.value(), parser.timestamp_ms()}, labels));
      } else if (wants_metadata) {
        Describe(parser, entry, visitor);
      }
    }
  }

  size_t bytes() const override { return body_.size(); }

 private:
  const std::string body_;
  const exposition::Format format_;
};

std::string Base64(std::string_view bytes) {
  std::string encoded((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  encoded.resize(static_cast<size_t>(length));
  return encoded;
}

// The content of `file` without surrounding space; `text` when no file is named.
base::Result<std::string> TextOrFile(const std::string& text, const std::string& file) {
  if (file.empty()) {
    return text;
  }
  ASSIGN_OR_RETURN(const std::string content, base::ReadFile(file, kMaxCredentialBytes));
  return std::string(base::TrimSpace(content));
}

class HttpSource final : public Source {
 public:
  HttpSource(std::shared_ptr<const JobOptions> job, std::shared_ptr<http::Client> client,
             std::string url)
      : job_(std::move(job)), client_(std::move(client)), url_(std::move(url)) {}

  base::Result<std::unique_ptr<Page>> Fetch(std::chrono::milliseconds timeout) override {
    ASSIGN_OR_RETURN(const http::ClientRequest request, MakeRequest(timeout));
    ASSIGN_OR_RETURN(http::ClientResponse response, client_->Do(request));
    if (response.status != 200) {
      return base::Error(fmt::format("server returned HTTP status {}", response.status),
                         base::ErrorKind::kUnavailable);
    }
    ASSIGN_OR_RETURN(const exposition::Format format, FormatOf(response.content_type));
    return MakeTextPage(std::move(response.body), format);
  }

 private:
  base::Result<http::ClientRequest> MakeRequest(std::chrono::milliseconds timeout) const {
    http::ClientRequest request{.url = url_, .timeout = timeout};
    request.headers = {
        {"Accept", AcceptHeader(job_->protocols)},
        {"User-Agent", fmt::format("tarsier-agent/{}", base::Version())},
        {"X-Prometheus-Scrape-Timeout-Seconds", base::FormatDouble(base::ToSeconds(timeout))},
    };
    ASSIGN_OR_RETURN(std::string authorization, AuthorizationHeader(job_->auth));
    if (!authorization.empty()) {
      request.headers.emplace_back("Authorization", std::move(authorization));
    }
    const uint64_t limit = job_->limits.body_bytes == 0 ? kMaxBodyBytes : job_->limits.body_bytes;
    request.max_response_bytes = std::min(limit, kMaxBodyBytes);
    request.accept_gzip = job_->enable_compression;
    return request;
  }

  base::Result<exposition::Format> FormatOf(const std::string& content_type) const {
    if (const auto format = exposition::FormatOfContentType(content_type)) {
      return *format;
    }
    if (job_->fallback_format) {
      return *job_->fallback_format;
    }
    return base::Error(fmt::format("the answer's Content-Type \"{}\" is no metrics format; set "
                                   "fallback_scrape_protocol to read it all the same",
                                   content_type),
                       base::ErrorKind::kUnsupported);
  }

  const std::shared_ptr<const JobOptions> job_;
  const std::shared_ptr<http::Client> client_;
  const std::string url_;
};

}  // namespace

std::unique_ptr<Page> MakeTextPage(std::string body, exposition::Format format) {
  return std::make_unique<TextPage>(std::move(body), format);
}

base::Result<std::string> AuthorizationHeader(const Auth& auth) {
  if (auth.basic) {
    ASSIGN_OR_RETURN(const std::string user, TextOrFile(auth.username, auth.username_file));
    ASSIGN_OR_RETURN(const std::string password,
                     TextOrFile(auth.password.Reveal(), auth.password_file));
    return "Basic " + Base64(fmt::format("{}:{}", user, password));
  }
  if (auth.authorization_type.empty()) {
    return std::string();
  }
  ASSIGN_OR_RETURN(const std::string credentials,
                   TextOrFile(auth.credentials.Reveal(), auth.credentials_file));
  return credentials.empty() ? std::string()
                             : fmt::format("{} {}", auth.authorization_type, credentials);
}

std::unique_ptr<Source> MakeHttpSource(std::shared_ptr<const JobOptions> job,
                                       std::shared_ptr<http::Client> client, std::string url) {
  return std::make_unique<HttpSource>(std::move(job), std::move(client), std::move(url));
}

}  // namespace scrape
