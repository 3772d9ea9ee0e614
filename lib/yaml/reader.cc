#include "lib/yaml/reader.h"

#include <filesystem>
#include <optional>

#include <fmt/format.h>

#include "lib/base/duration.h"
#include "lib/base/strings.h"

namespace yaml {

std::string Reader::Resolve(const std::string& path) const {
  if (path.empty() || path.front() == '/') {
    return path;
  }
  return (std::filesystem::path(file_).parent_path() / path).string();
}

base::Error Reader::ErrorAt(const Node& node, std::string_view why) const {
  return base::Error(fmt::format("{}:{}: {}", file_, node.line, why),
                     base::ErrorKind::kInvalidArgument);
}

base::Result<void> Reader::Expect(const Node& node, Node::Kind kind) const {
  if (node.kind == kind || node.is_null()) {
    return {};
  }
  return ErrorAt(node,
                 fmt::format("{} is expected here, not {}", KindName(kind), KindName(node.kind)));
}

base::Error Reader::Unsupported(const Node& node, std::string_view key) const {
  return ErrorAt(node, fmt::format("\"{}\" is not supported yet: remove it to run without", key));
}

base::Error Reader::UnknownKey(const Node& node, std::string_view key,
                               std::span<const std::string> known) const {
  const auto nearest = base::NearestName(key, known);
  return ErrorAt(node, fmt::format("unknown key \"{}\"{}", key,
                                   nearest ? fmt::format("; did you mean \"{}\"?", *nearest) : ""));
}

base::Result<void> Reader::Read(const Node& node, std::string& target) const {
  RETURN_IF_ERROR(Expect(node, Node::Kind::kScalar));
  if (!base::IsValidUtf8(node.scalar)) {
    return ErrorAt(node, "the text is not UTF-8");
  }
  target = node.scalar;
  return {};
}

base::Result<void> Reader::Read(const Node& node, bool& target) const {
  RETURN_IF_ERROR(Expect(node, Node::Kind::kScalar));
  const std::string word = node.quoted ? "" : base::ToLower(node.scalar);
  const bool yes = word == "true" || word == "yes" || word == "on" || word == "y";
  const bool no = word == "false" || word == "no" || word == "off" || word == "n";
  if (!yes && !no) {
    return ErrorAt(node, fmt::format("true or false is expected, not \"{}\"", node.scalar));
  }
  target = yes;
  return {};
}

base::Result<void> Reader::Read(const Node& node, uint64_t& target) const {
  RETURN_IF_ERROR(Expect(node, Node::Kind::kScalar));
  const auto number = base::ParseUint(node.scalar);
  if (!number) {
    return ErrorAt(node, fmt::format("a whole number is expected, not \"{}\"", node.scalar));
  }
  target = *number;
  return {};
}

base::Result<void> Reader::Read(const Node& node, std::chrono::milliseconds& target) const {
  RETURN_IF_ERROR(Expect(node, Node::Kind::kScalar));
  const auto duration = base::ParseDuration(node.scalar);
  if (!duration.ok()) {
    return ErrorAt(node, duration.error());
  }
  target = *duration;
  return {};
}

base::Result<void> Reader::Read(const Node& node, base::Secret& target) const {
  RETURN_IF_ERROR(Expect(node, Node::Kind::kScalar));
  target = base::Secret(node.scalar);
  return {};
}

base::Result<void> Reader::Read(const Node& node, std::vector<std::string>& target) const {
  target.clear();
  return ReadList(node, &target, [](const Reader& reader, const Node& item, std::string& element) {
    return reader.Read(item, element);
  });
}

base::Result<void> Reader::Read(const Node& node, model::Labels& target) const {
  RETURN_IF_ERROR(Expect(node, Node::Kind::kMap));
  model::LabelsBuilder builder;
  for (const auto& [name, value] : node.members) {
    if (name.empty() || !base::IsValidUtf8(name) || name == model::kMetricNameLabel) {
      return ErrorAt(value,
                     fmt::format("\"{}\" is no label name", base::IsValidUtf8(name) ? name : "?"));
    }
    std::string text;
    RETURN_IF_ERROR(Read(value, text));
    builder.Set(name, text);
  }
  target = builder.Build();
  return {};
}

}  // namespace yaml
