#include "agent/scrape/status.h"

namespace scrape {

std::string_view HealthName(Health health) {
  switch (health) {
    case Health::kUp:
      return "up";
    case Health::kDown:
      return "down";
    case Health::kUnknown:
      break;
  }
  return "unknown";
}

}  // namespace scrape
