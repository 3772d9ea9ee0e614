#include "agent/storage/label_index.h"

#include <algorithm>
#include <iterator>

namespace storage {
namespace {

// What a red-black tree node of the standard library adds to its value.
constexpr size_t kTreeNodeBytes = 32;

void Release(LabelPair* pair) {
  if (pair->users.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    delete pair;  // NOLINT(cppcoreguidelines-owning-memory): intrusive count.
  }
}

void KeepOnly(const std::vector<SeriesId>& wanted, std::vector<SeriesId>* ids) {
  std::vector<SeriesId> both;
  std::set_intersection(ids->begin(), ids->end(), wanted.begin(), wanted.end(),
                        std::back_inserter(both));
  *ids = std::move(both);
}

// The ids of an equality, or null when no series has the pair.
const std::vector<SeriesId>* PostingsOf(const LabelIndex::Values& values, std::string_view value) {
  const auto found = values.find(value);
  return found == values.end() ? nullptr : &found->second->postings;
}

std::vector<SeriesId> Union(const model::Matcher& matcher, const LabelIndex::Values& values) {
  std::vector<SeriesId> ids;
  const auto add = [&ids](const std::vector<SeriesId>& postings) {
    ids.insert(ids.end(), postings.begin(), postings.end());
  };
  if (matcher.type() == model::MatchType::kRegex && matcher.literals()) {
    for (const std::string& literal : *matcher.literals()) {
      if (const auto* postings = PostingsOf(values, literal)) {
        add(*postings);
      }
    }
  } else {
    for (const auto& [value, pair] : values) {
      if (matcher.Matches(value)) {
        add(pair->postings);
      }
    }
  }
  // A series has one value per name, so the lists are disjoint.
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace

LabelSet::LabelSet(std::span<LabelPair* const> pairs)
    : pairs_(std::make_unique<LabelPair*[]>(pairs.size())), size_(pairs.size()) {
  std::copy(pairs.begin(), pairs.end(), pairs_.get());
  for (LabelPair* pair : pairs) {
    pair->users.fetch_add(1, std::memory_order_relaxed);
  }
}

LabelSet::~LabelSet() {
  for (LabelPair* pair : pairs()) {
    Release(pair);
  }
}

bool LabelSet::Equals(const model::Labels& labels) const {
  const auto mine = pairs();
  auto at = labels.begin();
  for (const LabelPair* pair : mine) {
    if (at == labels.end() || (*at).name != *pair->name || (*at).value != pair->value) {
      return false;
    }
    ++at;
  }
  return at == labels.end();
}

std::string_view LabelSet::Get(std::string_view name) const {
  for (const LabelPair* pair : pairs()) {
    if (*pair->name == name) {
      return pair->value;
    }
  }
  return {};
}

model::Labels LabelSet::Build() const {
  model::LabelsBuilder builder;
  for (const LabelPair* pair : pairs()) {
    builder.Set(*pair->name, pair->value);
  }
  return builder.Build();
}

LabelIndex::~LabelIndex() {
  for (const auto& [key, name] : names_) {
    for (const auto& [value, pair] : name.values) {
      Release(pair);
    }
  }
}

LabelPair* LabelIndex::Intern(const model::Label& label) {
  auto name = names_.find(label.name);
  if (name == names_.end()) {
    auto text = std::make_shared<const std::string>(label.name);
    const std::string_view key = *text;
    name = names_.emplace(key, Name{std::move(text), {}}).first;
  }
  Values& values = name->second.values;
  const auto value = values.find(label.value);
  if (value != values.end()) {
    return value->second;
  }
  auto* pair = new LabelPair{.name = name->second.text, .value = std::string(label.value)};
  values.emplace(pair->value, pair);
  return pair;
}

LabelSet LabelIndex::Add(SeriesId id, const model::Labels& labels) {
  std::vector<LabelPair*> pairs;
  for (const model::Label label : labels) {
    LabelPair* pair = Intern(label);
    std::vector<SeriesId>& postings = pair->postings;
    if (postings.empty() || postings.back() < id) {
      postings.push_back(id);
    } else {
      postings.insert(std::lower_bound(postings.begin(), postings.end(), id), id);
    }
    pairs.push_back(pair);
  }
  return LabelSet(pairs);
}

void LabelIndex::Remove(std::vector<Member> members) {
  std::sort(members.begin(), members.end(),
            [](const Member& a, const Member& b) { return a.id < b.id; });
  std::vector<LabelPair*> touched;
  for (const Member& member : members) {
    const auto pairs = member.labels->pairs();
    touched.insert(touched.end(), pairs.begin(), pairs.end());
  }
  std::sort(touched.begin(), touched.end());
  touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
  const auto dead = [&members](SeriesId id) {
    const auto at =
        std::lower_bound(members.begin(), members.end(), id,
                         [](const Member& m, SeriesId wanted) { return m.id < wanted; });
    return at != members.end() && at->id == id;
  };
  for (LabelPair* pair : touched) {
    std::erase_if(pair->postings, dead);
    if (pair->postings.empty()) {
      Erase(pair);
    }
  }
}

void LabelIndex::Erase(LabelPair* pair) {
  const auto name = names_.find(*pair->name);
  name->second.values.erase(pair->value);
  if (name->second.values.empty()) {
    names_.erase(name);
  }
  Release(pair);
}

LabelIndex::Selection LabelIndex::Select(std::span<const model::Matcher> matchers) const {
  Selection selection;
  selection.all = true;
  const auto narrow = [&selection](const std::vector<SeriesId>& wanted) {
    if (selection.all) {
      selection.ids = wanted;
      selection.all = false;
    } else {
      KeepOnly(wanted, &selection.ids);
    }
  };

  std::vector<const model::Matcher*> scans;
  for (const model::Matcher& matcher : matchers) {
    if (matcher.Matches(std::string_view())) {
      selection.rest.push_back(&matcher);  // Also matches series without the label.
      continue;
    }
    const auto name = names_.find(matcher.name());
    if (name == names_.end()) {
      return {};
    }
    if (matcher.type() != model::MatchType::kEqual) {
      scans.push_back(&matcher);
      continue;
    }
    const auto* postings = PostingsOf(name->second.values, matcher.value());
    if (postings == nullptr) {
      return {};
    }
    narrow(*postings);
  }
  for (const model::Matcher* matcher : scans) {
    const Values& values = names_.find(matcher->name())->second.values;
    if (!selection.all && selection.ids.size() < values.size()) {
      selection.rest.push_back(matcher);  // Cheaper to test the few candidates.
    } else {
      narrow(Union(*matcher, values));
    }
  }
  return selection;
}

size_t LabelIndex::MemoryBytes() const {
  size_t bytes = 0;
  for (const auto& [key, name] : names_) {
    bytes += kTreeNodeBytes + sizeof(Names::value_type) + sizeof(std::string) + key.size();
    for (const auto& [value, pair] : name.values) {
      bytes += kTreeNodeBytes + sizeof(Values::value_type) + sizeof(LabelPair) + value.size() +
               pair->postings.capacity() * sizeof(SeriesId);
    }
  }
  return bytes;
}

}  // namespace storage
