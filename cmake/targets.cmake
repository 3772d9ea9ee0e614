# One target per folder. PUBLIC and PRIVATE say what the folder's headers and sources may include.

# With TARSIER_PCH the headers that nearly every file includes are read once for libraries and once for programs (PIC and
# PIE are not the same to a compiler). clang-tidy's build goes without, so that a forgotten #include is found.
set(TARSIER_PCH_HEADERS <algorithm> <array> <atomic> <chrono> <cstdint> <functional> <map> <memory> <optional> <span>
  <string> <string_view> <thread> <unordered_map> <utility> <variant> <vector> <fmt/format.h>)
if(TARSIER_PCH)
  file(WRITE ${PROJECT_BINARY_DIR}/empty.cc "")
  add_library(tarsier_library_pch STATIC ${PROJECT_BINARY_DIR}/empty.cc)
  target_link_libraries(tarsier_library_pch PRIVATE fmt::fmt Threads::Threads tarsier_compiler)
  target_precompile_headers(tarsier_library_pch PRIVATE ${TARSIER_PCH_HEADERS})
  file(WRITE ${PROJECT_BINARY_DIR}/main.cc "int main() {}\n")
  add_executable(tarsier_program_pch ${PROJECT_BINARY_DIR}/main.cc)
  target_link_libraries(tarsier_program_pch PRIVATE fmt::fmt GTest::gmock tarsier_compiler)
  target_precompile_headers(tarsier_program_pch PRIVATE ${TARSIER_PCH_HEADERS} <gmock/gmock.h> <gtest/gtest.h>)
endif()

# fmt's headers are among them, and see a macro of fmt's.
function(tarsier_precompiled name from)
  if(TARSIER_PCH)
    target_precompile_headers(${name} REUSE_FROM ${from})
    target_link_libraries(${name} PRIVATE fmt::fmt)
  endif()
endfunction()

# tarsier_library(NAME SOURCES a.cc… HEADERS a.h… [PUBLIC targets…] [PRIVATE targets…])
# makes tarsier_NAME with the alias tarsier::NAME. Every header must compile alone: most are the first that their .cc includes,
# the build checks the others.
function(tarsier_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;HEADERS;PUBLIC;PRIVATE" ${ARGN})
  add_library(tarsier_${name} STATIC ${ARG_SOURCES})
  add_library(tarsier::${name} ALIAS tarsier_${name})
  set(alone ${ARG_HEADERS})
  foreach(source ${ARG_SOURCES})
    string(REGEX REPLACE "\\.cc$" ".h" header ${source})
    list(REMOVE_ITEM alone ${header})
  endforeach()
  target_sources(tarsier_${name} PUBLIC
    FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR} FILES ${ARG_HEADERS}
    FILE_SET alone TYPE HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR} FILES ${alone})
  set_target_properties(tarsier_${name} PROPERTIES INTERFACE_HEADER_SETS_TO_VERIFY alone)
  target_link_libraries(tarsier_${name}
    PUBLIC ${ARG_PUBLIC} Threads::Threads PRIVATE ${ARG_PRIVATE} tarsier_compiler)
  tarsier_precompiled(tarsier_${name} tarsier_library_pch)
endfunction()

# tarsier_binary(NAME SOURCES main.cc… LINK targets…): an executable called NAME in build/*/bin.
function(tarsier_binary name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} tarsier_compiler)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
endfunction()

# tarsier_test(NAME SOURCES a_test.cc… LINK targets… [LABELS l…]): a GoogleTest program, one ctest
# entry a test. Tests run in the repository's root and find their files through TESTDATA_DIR, the testdata folder
# beside the source; the paths are relative, so that ccache serves every checkout and build folder.
function(tarsier_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  file(RELATIVE_PATH folder ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  file(RELATIVE_PATH build ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
  target_compile_definitions(${name} PRIVATE
    TESTDATA_DIR="${folder}/testdata" SOURCE_DIR="." BINARY_DIR="${build}")
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gmock GTest::gtest_main tarsier_compiler)
  tarsier_precompiled(${name} tarsier_program_pch)
  include(GoogleTest)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} PROPERTIES
    LABELS "unit;${ARG_LABELS}" TIMEOUT 120)
endfunction()

# tarsier_fuzz(NAME SOURCES x_fuzz.cc LINK targets…): libFuzzer with -DTARSIER_FUZZ=ON; otherwise a
# test that replays tests/fuzz/corpus/NAME and a fixed number of seeded mutations of it.
function(tarsier_fuzz name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  if(TARSIER_FUZZ)
    add_executable(${name} ${ARG_SOURCES})
    target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(${name} ${ARG_SOURCES} ${PROJECT_SOURCE_DIR}/tests/fuzz/replay.cc)
    add_test(NAME fuzz.${name} COMMAND ${name} ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name})
    set_tests_properties(fuzz.${name} PROPERTIES LABELS "unit;fuzz" TIMEOUT 120)
  endif()
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} tarsier_compiler)
  # libFuzzer declares its entry point nowhere.
  set_source_files_properties(${ARG_SOURCES} PROPERTIES COMPILE_OPTIONS -Wno-missing-declarations)
endfunction()

# tarsier_e2e(NAME file.py [SERIAL]): a Python script that starts real servers on free ports. SERIAL: no other test may run
# beside it.
function(tarsier_e2e name script)
  cmake_parse_arguments(ARG "SERIAL" "" "" ${ARGN})
  add_test(NAME e2e.${name}
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/${script}
            --bin-dir ${PROJECT_BINARY_DIR}/bin --source-dir ${PROJECT_SOURCE_DIR})
  set_tests_properties(e2e.${name} PROPERTIES
    LABELS e2e TIMEOUT 600 SKIP_RETURN_CODE 77 RUN_SERIAL ${ARG_SERIAL})
endfunction()

# tarsier_bench(NAME SOURCES x_bench.cc LINK targets…): a Google Benchmark program.
function(tarsier_bench name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} benchmark::benchmark_main tarsier_compiler)
endfunction()
