#include "exporters/redis/config.h"

namespace exporters::redis {
namespace {

bool IsConfig(const RequestRow& row) { return row.words[0] == "CONFIG"; }

}  // namespace

std::map<std::string, std::string> ReadSettings(const Answers& answers) {
  std::map<std::string, std::string> settings;
  for (const RequestRow& row : AllRequests()) {
    const std::vector<Reply>& list = answers.at(row.id).elements;
    for (size_t i = 0; IsConfig(row) && i + 1 < list.size(); i += 2) {
      settings.insert_or_assign(list[i].text, list[i + 1].text);
    }
  }
  return settings;
}

base::Result<void> SettingsError(const Answers& answers) {
  for (const RequestRow& row : AllRequests()) {
    if (IsConfig(row)) {
      RETURN_IF_ERROR(answers.Get(row.id));
    }
  }
  return {};
}

}  // namespace exporters::redis
