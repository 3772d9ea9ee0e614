#include "lib/yaml/write.h"

#include <algorithm>

#include "lib/base/json_writer.h"
#include "lib/base/url.h"

namespace yaml {
namespace {

constexpr std::string_view kSecret = "<secret>";

// Whether the text means itself without quotes, in every version of YAML.
bool IsPlain(std::string_view text) {
  constexpr std::string_view kSafe = "-_./%+@*()<>^$~";
  if (text.empty() || text.front() == '-' || text.front() == '*' || text.front() == '%' ||
      text.front() == '@' || text.front() == '<' || text.front() == '>' || text == "~") {
    return false;
  }
  return std::all_of(text.begin(), text.end(), [kSafe](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kSafe.find(c) != std::string_view::npos;
  });
}

class Writer {
 public:
  explicit Writer(std::span<const std::string_view> secret_keys) : secret_keys_(secret_keys) {}

  std::string Take() { return std::move(out_); }

  // After "key:" or "-", on the same line if it is a scalar or empty, else on lines of its own.
  void Value(const Node& node, size_t indent) {
    switch (node.kind) {
      case Node::Kind::kNull:
        out_ += " null\n";
        return;
      case Node::Kind::kScalar:
        out_ += ' ';
        Scalar(node);
        out_ += '\n';
        return;
      case Node::Kind::kSequence:
        out_ += node.items.empty() ? " []\n" : "\n";
        return Items(node, indent);
      case Node::Kind::kMap:
        out_ += node.members.empty() ? " {}\n" : "\n";
        return Members(node, indent);
    }
  }

  void Members(const Node& node, size_t indent) {
    for (const auto& [key, value] : node.members) {
      out_.append(indent, ' ');
      Text(key, false);
      out_ += ':';
      if (IsSecret(key) && !value.is_null()) {
        out_ += ' ';
        out_ += kSecret;
        out_ += '\n';
      } else {
        Value(value, indent + 2);
      }
    }
  }

  void Items(const Node& node, size_t indent) {
    for (const Node& item : node.items) {
      out_.append(indent, ' ');
      out_ += '-';
      Value(item, indent + 2);
    }
  }

 private:
  bool IsSecret(std::string_view key) const {
    return std::find(secret_keys_.begin(), secret_keys_.end(), key) != secret_keys_.end();
  }

  void Scalar(const Node& node) { Text(base::RedactUrls(node.scalar), node.quoted); }

  void Text(const std::string& text, bool quoted) {
    if (!quoted && IsPlain(text)) {
      out_ += text;
    } else {
      base::AppendJsonString(text, &out_);
    }
  }

  const std::span<const std::string_view> secret_keys_;
  std::string out_;
};

}  // namespace

std::string Write(const Node& node, std::span<const std::string_view> secret_keys) {
  Writer writer(secret_keys);
  if (node.kind == Node::Kind::kMap) {
    writer.Members(node, 0);
  } else if (node.kind == Node::Kind::kSequence) {
    writer.Items(node, 0);
  } else if (node.kind == Node::Kind::kScalar) {
    writer.Value(node, 0);
  }
  return writer.Take();
}

}  // namespace yaml
