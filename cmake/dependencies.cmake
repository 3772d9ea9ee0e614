# Everything comes from Debian packages; scripts/install-dependencies names them.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(ZLIB REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(CURL REQUIRED)
find_package(fmt REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(gflags REQUIRED)
pkg_check_modules(re2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(hiredis REQUIRED IMPORTED_TARGET hiredis)
pkg_check_modules(libpq REQUIRED IMPORTED_TARGET libpq)
pkg_check_modules(libcrypt REQUIRED IMPORTED_TARGET libcrypt)
pkg_check_modules(sqlite3 REQUIRED IMPORTED_TARGET sqlite3)

# Debian ships neither CMake nor pkg-config files for the C library of civetweb, nor (in 12) for prometheus-cpp.
find_library(CIVETWEB_LIBRARY civetweb REQUIRED)
find_library(PROMETHEUS_CPP_CORE_LIBRARY prometheus-cpp-core REQUIRED)
add_library(tarsier_civetweb INTERFACE)
target_link_libraries(tarsier_civetweb INTERFACE ${CIVETWEB_LIBRARY})
add_library(tarsier_prometheus_cpp INTERFACE)
target_link_libraries(tarsier_prometheus_cpp INTERFACE ${PROMETHEUS_CPP_CORE_LIBRARY})

if(NOT TARGET yaml-cpp::yaml-cpp)  # 0.7 in Debian 12 exports the plain name.
  add_library(yaml-cpp::yaml-cpp ALIAS yaml-cpp)
endif()

if(TARSIER_BUILD_TESTS)
  find_package(GTest REQUIRED)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
endif()
if(TARSIER_BUILD_BENCH)
  find_package(benchmark REQUIRED)
endif()
