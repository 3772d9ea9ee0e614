#include "agent/promql/notes.h"

#include <algorithm>

#include <fmt/format.h>

namespace promql {

void Notes::Warn(Position at, std::string_view text) {
  Add({at.start, fmt::format("PromQL warning: {}", text)}, &warnings_);
}

void Notes::Info(Position at, std::string_view text) {
  Add({at.start, fmt::format("PromQL info: {}", text)}, &infos_);
}

void Notes::Fail(std::string message) {
  if (!error_) {
    error_.emplace(std::move(message), base::ErrorKind::kInvalidArgument);
  }
}

base::Result<void> Notes::Status() const {
  if (error_) {
    return *error_;
  }
  return {};
}

std::vector<std::string> Notes::Warnings(std::string_view query) const {
  return Render(warnings_, query);
}

std::vector<std::string> Notes::Infos(std::string_view query) const {
  return Render(infos_, query);
}

void Notes::Add(Note note, std::vector<Note>* notes) {
  if (notes->size() < kMaxNotes && std::find(notes->begin(), notes->end(), note) == notes->end()) {
    notes->push_back(std::move(note));
  }
}

std::vector<std::string> Notes::Render(const std::vector<Note>& notes, std::string_view query) {
  std::vector<std::string> texts;
  texts.reserve(notes.size());
  for (const Note& note : notes) {
    texts.push_back(fmt::format("{} ({})", note.text, LineAndColumn(query, note.position)));
  }
  return texts;
}

std::string LineAndColumn(std::string_view text, size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const size_t line_start = before.rfind('\n');
  const size_t column =
      before.size() - (line_start == std::string_view::npos ? 0 : line_start + 1) + 1;
  return fmt::format("{}:{}", line, column);
}

}  // namespace promql
