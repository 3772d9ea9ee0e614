// Asks a session that waits for an answer to give up.
#pragma once

#include <utility>

#include "lib/base/file.h"
#include "lib/base/result.h"

namespace exporters::pq {

// Thread-safe.
class Interrupt {
 public:
  static base::Result<Interrupt> Make();

  void Raise() const;
  void Clear() const;
  bool raised() const;
  // Readable while it is raised, for poll(2).
  int fd() const { return fd_.get(); }

 private:
  explicit Interrupt(base::UniqueFd fd) : fd_(std::move(fd)) {}

  base::UniqueFd fd_;
};

}  // namespace exporters::pq
