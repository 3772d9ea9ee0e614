# Language, warnings, hardening and sanitizers: the flags every target is built with.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_VERIFY_INTERFACE_HEADER_SETS ON)

# Links in a third of the time of GNU ld.
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  # Without the first, ccache keeps nothing that reads a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
endif()

add_library(tarsier_compiler INTERFACE)
target_compile_options(tarsier_compiler INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Wold-style-cast -Wimplicit-fallthrough -Wmissing-declarations -Wundef
  # GCC takes a precompiled header only where the same macros are defined; some packages' flags define these.
  $<$<BOOL:${TARSIER_PCH}>:-pthread$<SEMICOLON>-D_FILE_OFFSET_BITS=64>
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wlogical-op>
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety -Wno-missing-designated-field-initializers -Wno-unknown-warning-option>
  # Designated initialisers leave the rest at its default on purpose.
  -Wno-missing-field-initializers
  $<$<BOOL:${TARSIER_WERROR}>:-Werror>)

if(TARSIER_SANITIZE)
  target_compile_options(tarsier_compiler INTERFACE
    # Line numbers and no optimisation: with -O1 -g, gcc takes two and a half times as long under address,undefined.
    -fsanitize=${TARSIER_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -O0 -g1
    # gcc's own instrumentation raises this one falsely in std::optional and std::variant.
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(tarsier_compiler INTERFACE -fsanitize=${TARSIER_SANITIZE})
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(tarsier_compiler INTERFACE
    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection
    -ffunction-sections -fdata-sections)
  target_link_options(tarsier_compiler INTERFACE
    -pie -Wl,-z,relro,-z,now -Wl,--gc-sections -Wl,--as-needed)
endif()
