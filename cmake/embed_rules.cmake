# cmake -DOUTPUT=x.cc -DFILES=a.yml,b.yml -P embed_rules.cmake: the table of agent/bundled_rules.h.
string(REPLACE "," ";" files "${FILES}")
set(rows "")
set(count 0)
foreach(file IN LISTS files)
  get_filename_component(name ${file} NAME)
  file(READ ${file} text)
  string(APPEND rows "    {\"${name}\", R\"embedded(${text})embedded\"},\n")
  math(EXPR count "${count} + 1")
endforeach()
file(WRITE ${OUTPUT} "// Made by cmake/embed_rules.cmake from alerts/*.yml.
#include \"agent/bundled_rules.h\"

#include <array>

namespace agent {
namespace {

constexpr std::array<BundledRuleFile, ${count}> kFiles{{
${rows}}};

}  // namespace

std::span<const BundledRuleFile> BundledRuleFiles() { return kFiles; }

}  // namespace agent
")
