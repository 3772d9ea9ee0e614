// A YAML document as plain values that remember their line. yaml-cpp parses; nothing of it shows
// here. Aliases and merge keys ("<<") are expanded, repeated keys are errors, as in Go's yaml.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/result.h"

namespace yaml {

inline constexpr size_t kMaxBytes = 16 << 20;
inline constexpr size_t kMaxDocuments = 16;   // Empty ones after the first.
inline constexpr size_t kMaxNodes = 300'000;  // After expansion of aliases.
inline constexpr int kMaxDepth = 64;

struct Node {
  enum class Kind { kNull, kScalar, kSequence, kMap };

  // In the .cc file, where a vector of pairs with Node is a complete type.
  Node();
  ~Node();
  Node(const Node&);
  Node(Node&&) noexcept;
  Node& operator=(const Node&);
  Node& operator=(Node&&) noexcept;

  Kind kind = Kind::kNull;
  int line = 0;         // 1 is the first.
  bool quoted = false;  // A quoted or block scalar is a string whatever it looks like.
  std::string scalar;
  std::vector<Node> items;                            // Of a sequence.
  std::vector<std::pair<std::string, Node>> members;  // Of a map, in file order.

  bool is_null() const { return kind == Kind::kNull; }
};

// "a sequence", "a map", "a scalar", "nothing".
std::string_view KindName(Node::Kind kind);

// An empty text is null. A second document is an error, unless it is empty: Go's yaml reads over
// it, so that half a file would have no effect. Errors: kInvalidArgument "FILE:LINE: why".
base::Result<Node> Parse(std::string_view text, std::string_view file);

}  // namespace yaml
