// An exporter in this process, without HTTP or text in between.
#pragma once

#include <memory>

#include "agent/scrape/source.h"
#include "exporters/toolkit/exporter.h"
#include "lib/base/clock.h"

namespace scrape {

// `clock` must outlive the source.
std::unique_ptr<Source> MakeLocalSource(std::shared_ptr<exporters::Exporter> exporter,
                                        const base::Clock& clock);

}  // namespace scrape
