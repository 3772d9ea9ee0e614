// Building blocks of the tables in this folder.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "lib/base/result.h"
#include "lib/yaml/reader.h"

namespace config {

template <typename T, size_t kFirst, size_t kSecond>
constexpr std::array<yaml::Field<T>, kFirst + kSecond> Concat(
    const std::array<yaml::Field<T>, kFirst>& first,
    const std::array<yaml::Field<T>, kSecond>& second) {
  std::array<yaml::Field<T>, kFirst + kSecond> all{};
  for (size_t i = 0; i < kFirst; ++i) {
    all[i] = first[i];
  }
  for (size_t i = 0; i < kSecond; ++i) {
    all[kFirst + i] = second[i];
  }
  return all;
}

// A feature that this agent does not have: switching it off is fine, switching it on is refused.
template <typename T>
base::Result<void> OffOnly(const yaml::Reader& reader, const yaml::Node& node, T& /*target*/) {
  bool on = false;
  RETURN_IF_ERROR(reader.Read(node, on));
  return on ? base::Result<void>(reader.ErrorAt(node, "true is not supported yet"))
            : base::Result<void>();
}

// A permission that makes no difference here, whichever way it is set.
template <typename T>
base::Result<void> EitherWay(const yaml::Reader& reader, const yaml::Node& node, T& /*target*/) {
  bool allowed = false;
  return reader.Read(node, allowed);
}

// "512", "10MB", "1.5GiB": both spellings of a unit are powers of 1024, as in Prometheus.
base::Result<void> ReadBytes(const yaml::Reader& reader, const yaml::Node& node, uint64_t& target);

}  // namespace config
