// The project's own linter: what the compiler and clang-tidy cannot know. It reads the source tree
// as text.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <re2/re2.h>

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kThisFile = "tests/tidy/tidy_test.cc";  // Names what it forbids.

struct File {
  std::string path;  // Relative to the repository.
  std::string text;
};

std::string ReadAll(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

bool StartsWith(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

std::vector<File> LoadSources() {
  std::vector<File> files;
  for (const char* top : {"lib", "exporters", "agent", "tests"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(SOURCE_DIR) / top)) {
      const std::string path = fs::relative(entry.path(), SOURCE_DIR).string();
      if (entry.is_regular_file() && path.find("/testdata/") == std::string::npos &&
          (EndsWith(path, ".cc") || EndsWith(path, ".h"))) {
        files.push_back({path, ReadAll(entry.path())});
      }
    }
  }
  std::sort(files.begin(), files.end(),
            [](const File& a, const File& b) { return a.path < b.path; });
  return files;
}

const std::vector<File>& Sources() {
  static const std::vector<File> kFiles = LoadSources();
  return kFiles;
}

bool IsOurs(const File& file) { return !StartsWith(file.path, "tests/"); }

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line);
  }
  return lines;
}

std::string WithoutComment(const std::string& line) { return line.substr(0, line.find("//")); }

// Every match of `pattern`'s first group.
std::vector<std::string> Matches(const std::string& text, const std::string& pattern) {
  const RE2 regex(pattern);
  re2::StringPiece rest(text);
  std::vector<std::string> found;
  for (std::string match; RE2::FindAndConsume(&rest, regex, &match);) {
    found.push_back(match);
  }
  return found;
}

// Which folders the files of a folder may include, besides its own. design.md's layers: data and
// calls flow from lib to exporters to agent, never back. agent/main.cc, which wires everything, is
// exempt.
const std::set<std::string> kLib = {"lib/base", "lib/model", "lib/exposition", "lib/http",
                                    "lib/yaml"};
const std::map<std::string, std::set<std::string>> kMayInclude = {
    {"lib/base", {}},
    {"lib/yaml", {"lib/base", "lib/model"}},
    {"lib/model", {"lib/base"}},
    {"lib/exposition", {"lib/base", "lib/model"}},
    {"lib/http", {"lib/base", "lib/yaml"}},
    {"exporters/toolkit", {}},
    {"exporters/pq", {"exporters/toolkit"}},
    {"exporters/postgres", {"exporters/toolkit", "exporters/pq"}},
    {"exporters/pgbouncer", {"exporters/toolkit", "exporters/pq"}},
    {"exporters/redis", {"exporters/toolkit"}},
    {"exporters/host", {"exporters/toolkit"}},
    {"agent/relabel", {}},
    {"agent/state", {}},
    {"agent/storage", {"agent/state"}},
    {"agent/promql", {"agent/storage"}},
    {"agent/template", {}},
    // Each subsystem owns its settings; config reads them all.
    {"agent/config", {"agent/relabel", "agent/discovery", "agent/scrape", "agent/notify"}},
    {"agent/discovery", {"agent/relabel"}},
    {"agent/scrape", {"exporters/toolkit", "agent/relabel", "agent/discovery", "agent/storage"}},
    {"agent/rules",
     {"agent/state", "agent/storage", "agent/promql", "agent/notify", "agent/template"}},
    {"agent/notify", {"agent/state", "agent/template"}},
    {"agent/web", {"agent/promql", "agent/storage", "agent/scrape", "agent/rules", "agent/notify"}},
};

// "agent/promql/functions/rate.cc" → "agent/promql".
std::string Folder(const std::string& path) {
  const size_t first = path.find('/');
  return path.substr(0, path.find('/', first + 1));
}

TEST(Tidy, FoldersIncludeOnlyWhatTheirLayerAllows) {
  for (const File& file : Sources()) {
    if (!IsOurs(file) || file.path == "agent/main.cc") {
      continue;
    }
    const std::string folder = Folder(file.path);
    const auto allowed = kMayInclude.find(folder);
    if (allowed == kMayInclude.end()) {
      EXPECT_TRUE(StartsWith(file.path, "agent/") && folder == file.path)
          << file.path << ": its folder is missing from the table above";
      continue;  // agent/*.cc are parts of main.
    }
    for (const std::string& include :
         Matches(file.text, "#include \"((?:lib|exporters|agent)/[^\"]*)\"")) {
      const std::string target = Folder(include);
      const bool above_lib = !StartsWith(folder, "lib/") && kLib.count(target) == 1;
      EXPECT_TRUE(target == folder || above_lib || allowed->second.count(target) == 1)
          << file.path << " includes " << include << ", which its layer may not";
    }
  }
}

TEST(Tidy, EveryFileIsBuilt) {
  for (const File& file : Sources()) {
    const fs::path path(file.path);
    bool named = false;
    for (fs::path folder = path.parent_path(); !named && !folder.empty();
         folder = folder.parent_path()) {
      const std::string build = ReadAll(fs::path(SOURCE_DIR) / folder / "CMakeLists.txt");
      const std::string relative = fs::relative(path, folder).string();
      named = RE2::PartialMatch(build, "(^|[\\s/(])" + RE2::QuoteMeta(relative) + "([\\s)]|$)");
    }
    const bool test_header = !IsOurs(file) && EndsWith(file.path, ".h");
    EXPECT_TRUE(named || test_header || file.path == "tests/fuzz/replay.cc")
        << file.path
        << " is in no CMakeLists.txt: dead file, or a header that is never checked alone";
  }
}

// A folder of ideas, the file with the table of all of them, and what an idea is called in its own
// file.
struct Table {
  const char* folder;
  const char* table;
  const char* definition;
};

TEST(Tidy, EveryIdeaIsARowOfItsTable) {
  const Table tables[] = {
      {"exporters/host/collectors/", "exporters/host/collectors.cc",
       R"(extern const(?:expr)? \w*Collector\w* (k\w+))"},
      {"exporters/postgres/collectors/", "exporters/postgres/collectors.cc",
       R"(extern const(?:expr)? \w*Collector\w* (k\w+))"},
      {"exporters/redis/collectors/", "exporters/redis/collectors.cc",
       R"(extern const(?:expr)? \w*Collector\w* (k\w+))"},
      {"exporters/pgbouncer/collectors/", "exporters/pgbouncer/collectors.cc",
       R"(extern const(?:expr)? \w*Collector\w* (k\w+))"},
      {"agent/promql/functions/", "agent/promql/functions.cc",
       R"(std::span<const Function> (\w+Functions)\()"},
  };
  for (const Table& row : tables) {
    const std::string table = ReadAll(fs::path(SOURCE_DIR) / row.table);
    size_t files = 0;
    for (const File& file : Sources()) {
      if (!StartsWith(file.path, row.folder) || !EndsWith(file.path, ".cc")) {
        continue;
      }
      ++files;
      const std::vector<std::string> names = Matches(file.text, row.definition);
      EXPECT_FALSE(names.empty()) << file.path << " defines nothing that a table could name";
      for (const std::string& name : names) {
        EXPECT_TRUE(RE2::PartialMatch(table, "\\b" + name + "\\b"))
            << file.path << ": " << name << " is missing from " << row.table;
      }
    }
    EXPECT_GT(files, 0U) << row.folder << " is empty: the check above checked nothing";
  }
}

struct Ban {
  const char* pattern;
  const char* why;
  std::vector<std::string> allowed_in = {};
};

TEST(Tidy, NoBannedCalls) {
  const Ban bans[] = {
      {R"(\bstrtok\s*\()", "keeps hidden state"},
      {R"(\blocaltime\s*\()", "keeps hidden state; time is UTC here"},
      {R"(\bstd::regex\b)", "exponential time; RE2 instead"},
      {R"(\bsleep_for\b|\busleep\s*\()", "wait on a Clock or a condition"},
      {R"(\bstd::system\s*\(|[^\w:.]system\s*\()", "no shells"},
      {R"(\bpopen\s*\()", "no shells"},
      {R"(\.detach\s*\(\s*\))", "every thread is joined"},
      {R"(\bsprintf\s*\(|\bstrcpy\s*\(|\bstrcat\s*\(|\bgets\s*\()", "no bound"},
      {R"(\bmg_handle_form_request\b)", "overflows in civetweb 1.15 and 1.16", {"tests/lib/http/"}},
      {R"(\bdocument_root\b)",
       "serving files from civetweb has a known overflow (CVE-2025-55763)",
       {"tests/lib/http/"}},
      {R"(\bDEFINE_(bool|int32|int64|uint64|double|string)\b)", "flags are a table in main.cc"},
      {R"(\b(TODO|FIXME|XXX)\b)", "finish it or write an issue"},
      {R"(\busing namespace std;)", "names come from where they come from"},
  };
  for (const Ban& ban : bans) {
    const RE2 pattern(ban.pattern);
    for (const File& file : Sources()) {
      const bool exempt =
          file.path == kThisFile ||
          std::any_of(ban.allowed_in.begin(), ban.allowed_in.end(),
                      [&](const std::string& start) { return StartsWith(file.path, start); });
      // The whole text first: nearly every file is clean, and a line number is needed only for the
      // others.
      if (exempt || !RE2::PartialMatch(file.text, pattern)) {
        continue;
      }
      const std::vector<std::string> lines = Lines(file.text);
      for (size_t i = 0; i < lines.size(); ++i) {
        EXPECT_FALSE(RE2::PartialMatch(WithoutComment(lines[i]), pattern))
            << file.path << ':' << i + 1 << ": " << ban.why;
      }
    }
  }
}

TEST(Tidy, HeadersShowNoThirdParty) {
  for (const File& file : Sources()) {
    if (!IsOurs(file) || !EndsWith(file.path, ".h")) {
      continue;
    }
    EXPECT_NE(file.text.find("#pragma once"), std::string::npos) << file.path;
    for (const std::string& include : Matches(file.text, "#include <([^>]*)>")) {
      const bool standard =
          include.find('.') == std::string::npos && include.find('/') == std::string::npos;
      const bool system = StartsWith(include, "sys/") || include == "time.h";
      EXPECT_TRUE(standard || system)
          << file.path << " includes <" << include << ">: keep it in a .cc file";
    }
  }
}

TEST(Tidy, CivetwebStaysBehindTheServer) {
  for (const File& file : Sources()) {
    if (file.path != kThisFile && file.text.find("#include <civetweb.h>") != std::string::npos) {
      EXPECT_TRUE(StartsWith(file.path, "lib/http/")) << file.path;
    }
  }
}

TEST(Tidy, TheTreeStandsAlone) {
  for (const auto& entry : fs::recursive_directory_iterator(SOURCE_DIR)) {
    const std::string path = fs::relative(entry.path(), SOURCE_DIR).string();
    if (!entry.is_regular_file() || StartsWith(path, "build/") || StartsWith(path, ".git") ||
        StartsWith(path, ".cache/") || path.find("node_modules/") != std::string::npos ||
        path == kThisFile) {
      continue;
    }
    const std::string text = ReadAll(entry.path());
    for (const char* outside : {"../shared/", "/work/shared", "/work/tools", "/work/wt"}) {
      EXPECT_EQ(text.find(outside), std::string::npos) << path << " refers to " << outside;
    }
  }
}

}  // namespace
