// Fills structs from YAML by tables: one row per key, so that a key is read, refused by name or
// reported as unknown with the nearest name, always with file and line.
//
//   constexpr yaml::Field<Options> kFields[] = {
//       {"interval", yaml::Into<&Options::interval>},
//       {"tracing"},  // Known, not supported: refused by name.
//   };
//   RETURN_IF_ERROR(reader.ReadMap(node, kFields, &options));
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/secret.h"
#include "lib/model/labels.h"
#include "lib/yaml/yaml.h"

namespace yaml {

class Reader;

template <typename T>
struct Field {
  std::string_view name;
  base::Result<void> (*read)(const Reader& reader, const Node& node, T& target) = nullptr;
};

enum class UnknownKeys { kRefused, kIgnored };

// Immutable.
class Reader {
 public:
  // `file` as errors name it.
  explicit Reader(std::string file, UnknownKeys unknown_keys = UnknownKeys::kRefused)
      : file_(std::move(file)), unknown_keys_(unknown_keys) {}

  const std::string& file() const { return file_; }
  // `path` as seen from the folder of the file; an absolute or empty one stays.
  std::string Resolve(const std::string& path) const;

  // kInvalidArgument "FILE:LINE: why".
  base::Error ErrorAt(const Node& node, std::string_view why) const;
  // The same with the message of `cause`.
  base::Error ErrorAt(const Node& node, const base::Error& cause) const {
    return ErrorAt(node, cause.message());
  }

  // Nothing reads as nothing and leaves the target alone; every other kind is an error.
  template <typename T>
  base::Result<void> ReadMap(const Node& node, std::span<const Field<T>> fields, T* target) const {
    RETURN_IF_ERROR(Expect(node, Node::Kind::kMap));
    for (const auto& [key, value] : node.members) {
      const Field<T>* field = nullptr;
      for (const Field<T>& candidate : fields) {
        if (candidate.name == key) {
          field = &candidate;
        }
      }
      if (field == nullptr && unknown_keys_ == UnknownKeys::kIgnored) {
        continue;
      }
      if (field == nullptr) {
        std::vector<std::string> names;
        for (const Field<T>& candidate : fields) {
          names.emplace_back(candidate.name);
        }
        return UnknownKey(value, key, names);
      }
      if (field->read == nullptr) {
        return Unsupported(value, key);
      }
      if (!value.is_null()) {
        RETURN_IF_ERROR(field->read(*this, value, *target));
      }
    }
    return {};
  }

  // `read(reader, item, element)` for each item.
  template <typename T, typename ReadItem>
  base::Result<void> ReadList(const Node& node, std::vector<T>* target, ReadItem read) const {
    RETURN_IF_ERROR(Expect(node, Node::Kind::kSequence));
    for (const Node& item : node.items) {
      T element{};
      RETURN_IF_ERROR(read(*this, item, element));
      target->push_back(std::move(element));
    }
    return {};
  }

  base::Result<void> Read(const Node& node, std::string& target) const;
  base::Result<void> Read(const Node& node, bool& target) const;
  base::Result<void> Read(const Node& node, uint64_t& target) const;
  base::Result<void> Read(const Node& node, std::chrono::milliseconds& target) const;
  base::Result<void> Read(const Node& node, base::Secret& target) const;
  base::Result<void> Read(const Node& node, std::vector<std::string>& target) const;
  base::Result<void> Read(const Node& node, model::Labels& target) const;

  // kInvalidArgument unless the node is of that kind or null.
  base::Result<void> Expect(const Node& node, Node::Kind kind) const;
  base::Error Unsupported(const Node& node, std::string_view key) const;

 private:
  base::Error UnknownKey(const Node& node, std::string_view key,
                         std::span<const std::string> known) const;

  std::string file_;
  UnknownKeys unknown_keys_;
};

// Reads into a member, or a member of a member.
template <auto... kPath, typename T>
base::Result<void> Into(const Reader& reader, const Node& node, T& target) {
  return reader.Read(node, (target.*....*kPath));
}

// The same for a path to a file, resolved against the folder of the configuration.
template <auto... kPath, typename T>
base::Result<void> IntoPath(const Reader& reader, const Node& node, T& target) {
  std::string path;
  RETURN_IF_ERROR(reader.Read(node, path));
  (target.*....*kPath) = reader.Resolve(path);
  return {};
}

}  // namespace yaml
