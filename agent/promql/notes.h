// Warnings and infos that travel with a result, and the error of a function that cannot return one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/promql/ast.h"
#include "lib/base/result.h"

namespace promql {

// Thread-compatible.
class Notes {
 public:
  // A query can raise one note per series; more than this many distinct ones help nobody.
  static constexpr size_t kMaxNotes = 100;

  // The texts get the prefix "PromQL warning: " or "PromQL info: ". Repeats are kept once.
  void Warn(Position at, std::string_view text);
  void Info(Position at, std::string_view text);
  // The query fails with this execution error; the first one counts.
  void Fail(std::string message);

  base::Result<void> Status() const;
  // With " (line:column)" of `query` appended.
  std::vector<std::string> Warnings(std::string_view query) const;
  std::vector<std::string> Infos(std::string_view query) const;

 private:
  struct Note {
    size_t position = 0;
    std::string text;
    bool operator==(const Note&) const = default;
  };
  static void Add(Note note, std::vector<Note>* notes);
  static std::vector<std::string> Render(const std::vector<Note>& notes, std::string_view query);

  std::vector<Note> warnings_;
  std::vector<Note> infos_;
  std::optional<base::Error> error_;
};

// "line:column" of a byte offset, both from 1.
std::string LineAndColumn(std::string_view text, size_t offset);

}  // namespace promql
