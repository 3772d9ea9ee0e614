#include "lib/yaml/yaml.h"

#include <sstream>
#include <unordered_set>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

namespace yaml {
namespace {

// Converts yaml-cpp's graph, in which aliases are shared and may form cycles, into a tree.
class Converter {
 public:
  explicit Converter(std::string_view file) : file_(file) {}

  base::Result<Node> Convert(const YAML::Node& source, int depth) {
    Node node;
    node.line = source.Mark().line + 1;
    if (depth > kMaxDepth) {
      return Fail(node.line, fmt::format("nested deeper than {} levels", kMaxDepth));
    }
    if (++nodes_ > kMaxNodes) {
      return Fail(node.line, fmt::format("more than {} values", kMaxNodes));
    }
    switch (source.Type()) {
      case YAML::NodeType::Undefined:
      case YAML::NodeType::Null:
        return node;
      case YAML::NodeType::Scalar:
        node.kind = Node::Kind::kScalar;
        node.quoted = source.Tag() == "!";
        node.scalar = source.Scalar();
        return node;
      case YAML::NodeType::Sequence:
        return Sequence(source, std::move(node), depth);
      case YAML::NodeType::Map:
        return Map(source, std::move(node), depth);
    }
    return node;
  }

 private:
  base::Error Fail(int line, std::string_view why) const {
    return base::Error(fmt::format("{}:{}: {}", file_, line, why),
                       base::ErrorKind::kInvalidArgument);
  }

  base::Result<Node> Sequence(const YAML::Node& source, Node node, int depth) {
    node.kind = Node::Kind::kSequence;
    for (const YAML::Node& item : source) {
      ASSIGN_OR_RETURN(Node converted, Convert(item, depth + 1));
      node.items.push_back(std::move(converted));
    }
    return node;
  }

  base::Result<Node> Map(const YAML::Node& source, Node node, int depth) {
    node.kind = Node::Kind::kMap;
    std::unordered_set<std::string> seen;
    std::vector<Node> merged;
    for (const auto& member : source) {
      const int line = member.first.Mark().line + 1;
      if (!member.first.IsScalar()) {
        return Fail(line, "a key must be a plain text");
      }
      ASSIGN_OR_RETURN(Node value, Convert(member.second, depth + 1));
      if (value.is_null()) {
        value.line = line;
      }
      const std::string& key = member.first.Scalar();
      if (key == "<<" && member.first.Tag() != "!") {
        RETURN_IF_ERROR(CollectMerged(std::move(value), line, &merged));
        continue;
      }
      if (!seen.insert(key).second) {
        return Fail(line, fmt::format("\"{}\" is given twice", key));
      }
      node.members.emplace_back(key, std::move(value));
    }
    Merge(merged, &seen, &node);
    return node;
  }

  base::Result<void> CollectMerged(Node value, int line, std::vector<Node>* merged) const {
    if (value.kind == Node::Kind::kMap) {
      merged->push_back(std::move(value));
      return {};
    }
    for (Node& item : value.items) {
      if (item.kind != Node::Kind::kMap) {
        return Fail(line, "\"<<\" merges maps only");
      }
      merged->push_back(std::move(item));
    }
    if (value.kind != Node::Kind::kSequence) {
      return Fail(line, "\"<<\" merges maps only");
    }
    return {};
  }

  // What the map says itself wins over what it merges, an earlier merged map over a later one.
  static void Merge(const std::vector<Node>& merged, std::unordered_set<std::string>* seen,
                    Node* node) {
    for (const Node& map : merged) {
      for (const auto& [key, value] : map.members) {
        if (seen->insert(key).second) {
          node->members.emplace_back(key, value);
        }
      }
    }
  }

  const std::string_view file_;
  size_t nodes_ = 0;
};

// Sees whether a document says anything, and where.
class DocumentWatcher final : public YAML::EventHandler {
 public:
  using Mark = YAML::Mark;
  using Anchor = YAML::anchor_t;
  using Style = YAML::EmitterStyle::value;

  bool empty = true;
  int line = 0;

  void OnDocumentStart(const Mark& mark) override {
    empty = true;
    line = mark.line;
  }
  void OnAlias(const Mark& mark, Anchor /*anchor*/) override { Note(mark); }
  void OnScalar(const Mark& mark, const std::string& /*tag*/, Anchor /*anchor*/,
                const std::string& /*value*/) override {
    Note(mark);
  }
  void OnSequenceStart(const Mark& mark, const std::string& /*tag*/, Anchor /*anchor*/,
                       Style /*style*/) override {
    Note(mark);
  }
  void OnMapStart(const Mark& mark, const std::string& /*tag*/, Anchor /*anchor*/,
                  Style /*style*/) override {
    Note(mark);
  }
  void OnNull(const Mark& /*mark*/, Anchor /*anchor*/) override {}
  void OnSequenceEnd() override {}
  void OnMapEnd() override {}
  void OnDocumentEnd() override {}

 private:
  void Note(const Mark& mark) {
    if (empty) {
      line = mark.line;
    }
    empty = false;
  }
};

// Only the first document of a file may say anything. yaml-cpp 0.7 finds documents without end in
// some malformed texts (its LoadAll then never returns), so they are counted here.
base::Result<void> CheckDocuments(const std::string& text, std::string_view file) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  DocumentWatcher watcher;
  for (size_t i = 0; parser.HandleNextDocument(watcher); ++i) {
    if (i > 0 && (!watcher.empty || i == kMaxDocuments)) {
      return base::Error(fmt::format("{}:{}: a second document begins before this line (\"---\"): "
                                     "put everything into one",
                                     file, watcher.line + 1),
                         base::ErrorKind::kInvalidArgument);
    }
  }
  return {};
}

}  // namespace

Node::Node() = default;
Node::~Node() = default;
Node::Node(const Node&) = default;
Node::Node(Node&&) noexcept = default;
Node& Node::operator=(const Node&) = default;
Node& Node::operator=(Node&&) noexcept = default;

std::string_view KindName(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::kScalar:
      return "a scalar";
    case Node::Kind::kSequence:
      return "a sequence";
    case Node::Kind::kMap:
      return "a map";
    case Node::Kind::kNull:
      break;
  }
  return "nothing";
}

base::Result<Node> Parse(std::string_view text, std::string_view file) {
  if (text.size() > kMaxBytes) {
    return base::Error(fmt::format("{}: longer than {} bytes", file, kMaxBytes),
                       base::ErrorKind::kResourceExhausted);
  }
  const std::string owned(text);
  try {
    RETURN_IF_ERROR(CheckDocuments(owned, file));
    return Converter(file).Convert(YAML::Load(owned), 0);
  } catch (const YAML::Exception& failure) {
    return base::Error(fmt::format("{}:{}: {}", file, failure.mark.line + 1, failure.msg),
                       base::ErrorKind::kInvalidArgument);
  }
}

}  // namespace yaml
