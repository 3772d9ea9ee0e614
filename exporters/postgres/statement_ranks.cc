#include "exporters/postgres/statement_ranks.h"

#include <algorithm>
#include <utility>

namespace exporters::postgres {
namespace {

// Counters that fell were reset, or the statement was forgotten and came back: what they show is
// what was used since.
StatementTotals Growth(const StatementTotals& before, const StatementTotals& now) {
  StatementTotals growth = now;
  for (size_t i = 0; i < kStatementCounters; ++i) {
    growth[i] = now[i] >= before[i] ? now[i] - before[i] : now[i];
  }
  return growth;
}

void AddTo(StatementTotals* sum, const StatementTotals& more) {
  for (size_t i = 0; i < kStatementCounters; ++i) {
    (*sum)[i] += more[i];
  }
}

}  // namespace

std::vector<StatementRanks::Candidate> StatementRanks::Update(std::span<const StatementRow> rows) {
  const bool first_look = looks_ == 0;
  ++looks_;
  std::vector<Candidate> candidates;
  candidates.reserve(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const StatementRow& row = rows[i];
    State& state = states_[{row.database, row.queryid, row.user}];
    const StatementTotals growth = Growth(state.totals, row.totals);
    state.score = state.score / 2 + growth[kStatementTime];
    state.totals = row.totals;
    state.seen = looks_;
    candidates.push_back({.row = i,
                          .state = &state,
                          .was_member = state.member,
                          .growth = first_look ? StatementTotals() : growth});
  }
  std::erase_if(states_, [&](const auto& entry) { return entry.second.seen != looks_; });
  return candidates;
}

// `ranked` by score, the highest first.
void StatementRanks::Elect(std::vector<Candidate>* ranked, size_t limit) const {
  size_t members = 0;
  for (size_t i = 0; i < ranked->size(); ++i) {
    State& state = *(*ranked)[i].state;
    state.out_of_top = i < limit ? 0 : state.out_of_top + 1;
    if (state.member && state.out_of_top >= kPatience) {
      state.member = false;
    }
    members += state.member ? 1 : 0;
  }
  for (Candidate& candidate : *ranked) {
    if (members >= limit) {
      break;
    }
    if (!candidate.state->member) {
      candidate.state->member = true;
      candidate.state->out_of_top = 0;
      ++members;
    }
  }
}

std::vector<size_t> StatementRanks::Take(std::span<const StatementRow> rows, size_t limit) {
  std::vector<Candidate> ranked = Update(rows);
  std::stable_sort(ranked.begin(), ranked.end(), [](const Candidate& a, const Candidate& b) {
    return a.state->score > b.state->score;
  });
  Elect(&ranked, limit);
  std::vector<size_t> members;
  for (const Candidate& candidate : ranked) {
    if (candidate.state->member) {
      members.push_back(candidate.row);
    }
    // Growth since the last look shows in a series only when it was there then and is there now.
    if (!candidate.state->member || !candidate.was_member) {
      const bool has_remainder = rows.size() > limit || !remainder_.empty();
      if (has_remainder) {
        AddTo(&remainder_[rows[candidate.row].database], candidate.growth);
      }
    }
  }
  return members;
}

std::vector<std::string> StatementRanks::MemberIds() const {
  std::vector<std::string> ids;
  for (const auto& [key, state] : states_) {
    if (state.member) {
      ids.push_back(key[1]);
    }
  }
  return ids;
}

}  // namespace exporters::postgres
