// A timeline as Chrome trace events, which Perfetto and chrome://tracing open ("Trace Event
// Format", Google, complete events "X", counters "C", metadata "M").
#pragma once

#include <string>

#include "arch/base/units.hpp"
#include "dataflow/clocked/timeline.hpp"

namespace vernier::frontends {

/// One JSON object with traceEvents; time stamps are microseconds at the machine's clock, each
/// slice also has its begin and length in cycles as arguments.
[[nodiscard]] std::string to_trace_events(const dataflow::Timeline& timeline, Hertz clock);

}  // namespace vernier::frontends
