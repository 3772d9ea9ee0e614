// Which statements are worth a series of their own, and an exact remainder for the rest: ranked by
// what they took lately, with calm: who is in stays until it was out of the top for a while.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace exporters::postgres {

// Counters of a statement: calls, milliseconds executing, rows, milliseconds reading and writing.
inline constexpr size_t kStatementCounters = 5;
inline constexpr size_t kStatementTime = 1;
using StatementTotals = std::array<double, kStatementCounters>;

struct StatementRow {
  std::string user;
  std::string database;
  std::string queryid;
  StatementTotals totals = {};
};

// Thread-compatible.
class StatementRanks {
 public:
  // Looks that a member may be out of the top before another takes its place.
  static constexpr int kPatience = 5;

  // Takes what all statements have used up to now and says which of them are members, as indices of
  // `rows`, the busiest first. At most `limit`.
  std::vector<size_t> Take(std::span<const StatementRow> rows, size_t limit);

  // By database, what statements used while they were no members. Never shrinks, so that the sum of
  // members' and remainder's rates is the rate of all. Empty until there are more than `limit`.
  const std::map<std::string, StatementTotals, std::less<>>& remainder() const {
    return remainder_;
  }
  std::vector<std::string> MemberIds() const;

 private:
  struct State {
    StatementTotals totals = {};
    double score = 0;  // Milliseconds lately; halves from look to look.
    bool member = false;
    int out_of_top = 0;  // Looks in a row; of members.
    size_t seen = 0;     // The look that saw it last.
  };
  using Key = std::array<std::string, 3>;

  struct Candidate {
    size_t row = 0;
    State* state = nullptr;
    bool was_member = false;
    StatementTotals growth = {};
  };

  std::vector<Candidate> Update(std::span<const StatementRow> rows);
  void Elect(std::vector<Candidate>* ranked, size_t limit) const;

  std::map<Key, State> states_;
  std::map<std::string, StatementTotals, std::less<>> remainder_;
  size_t looks_ = 0;
};

}  // namespace exporters::postgres
