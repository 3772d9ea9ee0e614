// Accept as in RFC 9110 section 12.5.1, as far as it concerns what we write.
#include "lib/exposition/negotiate.h"

#include <algorithm>
#include <string>

#include "lib/base/strings.h"

namespace exposition {
namespace {

struct Offer {
  Format format;
  std::string_view type;
  std::string_view version;
  std::string_view content_type;
};

constexpr Offer kOffers[] = {
    {Format::kText, "text/plain", "0.0.4", "text/plain; version=0.0.4; charset=utf-8"},
    {Format::kOpenMetrics, "application/openmetrics-text", "1.0.0",
     "application/openmetrics-text; version=1.0.0; charset=utf-8"},
    {Format::kOpenMetrics, "application/openmetrics-text", "0.0.1",
     "application/openmetrics-text; version=0.0.1; charset=utf-8"},
};

// One element of a header list: "value;name=x;q=0.5".
struct Element {
  std::string_view value;
  std::string_view version;  // "" when absent.
  double q = 1;
};

std::string_view Unquote(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    return text.substr(1, text.size() - 2);
  }
  return text;
}

// A q that is not a number from 0 to 1 makes the element unacceptable.
double ParseQuality(std::string_view text) {
  const std::optional<double> q = base::ParseDouble(text);
  return q.has_value() && *q >= 0 && *q <= 1 ? *q : 0;
}

Element ParseElement(std::string_view text) {
  Element element;
  bool first = true;
  for (const std::string_view part : base::Split(text, ';')) {
    if (first) {
      element.value = base::TrimSpace(part);
      first = false;
      continue;
    }
    const size_t equal = part.find('=');
    if (equal == std::string_view::npos) {
      continue;
    }
    const std::string_view name = base::TrimSpace(part.substr(0, equal));
    const std::string_view value = Unquote(base::TrimSpace(part.substr(equal + 1)));
    if (base::EqualsIgnoreCase(name, "q")) {
      element.q = ParseQuality(value);
    } else if (base::EqualsIgnoreCase(name, "version")) {
      element.version = value;
    }
  }
  return element;
}

// How closely `element` names `offer`: 0 not at all, then */*, type/*, type/subtype, and that with
// its version.
int Specificity(const Element& element, const Offer& offer) {
  if (element.value == "*/*") {
    return 1;
  }
  const std::string_view main_type = offer.type.substr(0, offer.type.find('/') + 1);
  if (base::EqualsIgnoreCase(element.value, std::string(main_type) + "*")) {
    return 2;
  }
  if (!base::EqualsIgnoreCase(element.value, offer.type)) {
    return 0;
  }
  if (element.version.empty()) {
    return 3;
  }
  return element.version == offer.version ? 4 : 0;
}

struct Rank {
  double q = 0;
  int specificity = 0;
  size_t position = 0;  // In the header.
};

// The element that names the offer most closely decides.
Rank RankOf(const Offer& offer, const std::vector<Element>& elements) {
  Rank rank;
  for (size_t i = 0; i < elements.size(); ++i) {
    const int specificity = Specificity(elements[i], offer);
    if (specificity > rank.specificity) {
      rank = {.q = elements[i].q, .specificity = specificity, .position = i};
    }
  }
  return rank;
}

std::vector<Element> ParseList(std::string_view header) {
  std::vector<Element> elements;
  for (const std::string_view part : base::Split(header, ',')) {
    elements.push_back(ParseElement(part));
  }
  return elements;
}

}  // namespace

Negotiated NegotiateFormat(std::string_view accept) {
  const std::vector<Element> elements = ParseList(accept);
  const Offer* best = &kOffers[0];
  Rank best_rank;
  for (const Offer& offer : kOffers) {
    const Rank rank = RankOf(offer, elements);
    if (rank.q > best_rank.q ||
        (rank.q > 0 && rank.q == best_rank.q && rank.position < best_rank.position)) {
      best = &offer;
      best_rank = rank;
    }
  }
  return {.format = best->format, .content_type = best->content_type};
}

bool AcceptsGzip(std::string_view accept_encoding) {
  bool any = false;
  for (const Element& element : ParseList(accept_encoding)) {
    if (base::EqualsIgnoreCase(element.value, "gzip") ||
        base::EqualsIgnoreCase(element.value, "x-gzip")) {
      return element.q > 0;
    }
    any = any || (element.value == "*" && element.q > 0);
  }
  return any;
}

std::optional<Format> FormatOfContentType(std::string_view content_type) {
  const Element element = ParseElement(content_type);
  if (base::EqualsIgnoreCase(element.value, "application/openmetrics-text")) {
    return Format::kOpenMetrics;
  }
  if (base::EqualsIgnoreCase(element.value, "text/plain")) {
    return Format::kText;
  }
  return std::nullopt;
}

}  // namespace exposition
