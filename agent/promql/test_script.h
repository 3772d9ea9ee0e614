// The language of test scripts, parsed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agent/promql/engine.h"
#include "agent/promql/value.h"
#include "lib/base/result.h"
#include "lib/model/labels.h"

namespace promql {

// A float, a native histogram, or neither: a gap.
struct ScriptValue {
  std::optional<double> value;
  HistogramPtr histogram = nullptr;
  bool says_reset = false;  // The histogram's counter reset is written out.

  bool empty() const { return !value && histogram == nullptr; }
};

// `series values…`: a series and its values one step apart.
struct SeriesValues {
  model::Labels labels;
  std::vector<ScriptValue> values;

  bool has_histograms() const;
};

struct LoadCommand {
  int64_t step_ms = 0;
  std::vector<SeriesValues> series;
  // Classic histograms are to be loaded as native ones as well.
  bool with_nhcb = false;
};

struct ClearCommand {};

// What an annotation or an error must say; neither: anything.
struct TextPattern {
  std::optional<std::string> exact;
  std::optional<std::string> regex;
};

struct EvalCommand {
  size_t line = 0;
  std::string expr;
  bool instant = true;
  Range range;  // Of an instant eval only start_ms.

  bool expect_fail = false;
  TextPattern fail;
  bool ordered = false;
  // Unset: the script does not say. Empty: there must be none.
  std::optional<std::vector<TextPattern>> warnings;
  std::optional<std::vector<TextPattern>> infos;
  std::optional<std::string> text;    // expect string "…"
  std::optional<double> scalar;       // A bare number.
  std::optional<Range> range_vector;  // expect range vector from … to … step …
  std::vector<SeriesValues> series;
};

using TestCommand = std::variant<LoadCommand, ClearCommand, EvalCommand>;

// Errors: kInvalidArgument, "line N: …".
base::Result<std::vector<TestCommand>> ParseTestScript(std::string_view script);

// One line of a load block, as in promtool's unit tests.
base::Result<SeriesValues> ParseSeriesValues(std::string_view line);
// The values alone: "1+1x4 _ stale".
base::Result<std::vector<ScriptValue>> ParseValues(std::string_view text);

}  // namespace promql
