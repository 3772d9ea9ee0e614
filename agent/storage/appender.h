// The write side of the store.
#pragma once

#include <cstdint>
#include <memory>

#include "lib/base/result.h"
#include "lib/model/labels.h"

namespace storage {

// A handle that spares the next sample of a series its label look-up. 0 is none. Valid until the
// series is dropped by retention; then Append by ref answers kNotFound and the labels must be given
// again.
using SeriesRef = uint64_t;

// One batch: a scrape, or one evaluation of a rule. Thread-compatible. Nothing is visible before
// Commit; an appender destroyed without it leaves no trace.
class Appender {
 public:
  virtual ~Appender() = default;

  // Errors: kInvalidArgument (out of order, or another value at the same time), kResourceExhausted
  // (series limit). They concern this sample only; the batch goes on.
  virtual base::Result<SeriesRef> Append(const model::Labels& labels, int64_t timestamp_ms,
                                         double value) = 0;
  virtual base::Result<void> Append(SeriesRef ref, int64_t timestamp_ms, double value) = 0;

  virtual base::Result<void> Commit() = 0;
};

// Thread-safe.
class Appendable {
 public:
  virtual ~Appendable() = default;
  virtual std::unique_ptr<Appender> NewAppender() = 0;
};

}  // namespace storage
