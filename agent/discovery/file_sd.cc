#include "agent/discovery/file_sd.h"

#include <utility>

#include <fmt/format.h>

#include "lib/base/file.h"
#include "lib/base/strings.h"
#include "lib/yaml/reader.h"

namespace discovery {
namespace {

constexpr yaml::Field<TargetGroup> kGroupFields[] = {
    {"targets", yaml::Into<&TargetGroup::targets>},
    {"labels", yaml::Into<&TargetGroup::labels>},
};

base::Result<void> ReadGroup(const yaml::Reader& reader, const yaml::Node& node,
                             TargetGroup& group) {
  RETURN_IF_ERROR(reader.ReadMap<TargetGroup>(node, kGroupFields, &group));
  model::LabelsBuilder labels(group.labels);
  labels.Set("__meta_filepath", reader.file());
  group.labels = labels.Build();
  return {};
}

}  // namespace

base::Result<void> CheckFileSdPattern(std::string_view pattern) {
  const size_t dot = pattern.rfind('.');
  const std::string suffix =
      dot == std::string_view::npos ? "" : base::ToLower(pattern.substr(dot));
  const size_t star = pattern.find('*');
  const bool star_in_folder =
      star != std::string_view::npos && pattern.find('/', star) != std::string_view::npos;
  if ((suffix != ".json" && suffix != ".yml" && suffix != ".yaml") || star_in_folder) {
    return base::Error(
        fmt::format("\"{}\" must end in .json, .yml or .yaml, with '*' in the file name only",
                    pattern),
        base::ErrorKind::kInvalidArgument);
  }
  return {};
}

base::Result<std::vector<TargetGroup>> ParseTargetFile(std::string_view text,
                                                       const std::string& file) {
  ASSIGN_OR_RETURN(const yaml::Node root, yaml::Parse(text, file));
  std::vector<TargetGroup> groups;
  RETURN_IF_ERROR(yaml::Reader(file).ReadList(root, &groups, ReadGroup));
  return groups;
}

const FileSd::File* FileSd::Known(std::string_view path) const {
  for (const File& file : files_) {
    if (file.path == path) {
      return &file;
    }
  }
  return nullptr;
}

FileSd::Findings FileSd::Read() {
  Findings findings;
  std::vector<File> files;
  for (const std::string& pattern : options_.patterns) {
    for (const std::string& path : base::Glob(pattern)) {
      File file{.path = path};
      const auto parse = [&path]() -> base::Result<std::vector<TargetGroup>> {
        ASSIGN_OR_RETURN(const std::string text, base::ReadFile(path));
        return ParseTargetFile(text, path);
      };
      if (auto parsed = parse(); parsed.ok()) {
        file.groups = *std::move(parsed);
      } else {
        findings.errors.push_back(parsed.error());
        if (const File* known = Known(path)) {
          file.groups = known->groups;
        }
      }
      files.push_back(std::move(file));
    }
  }
  files_ = std::move(files);
  for (const File& file : files_) {
    findings.groups.insert(findings.groups.end(), file.groups.begin(), file.groups.end());
  }
  return findings;
}

}  // namespace discovery
