// Accelergy's architecture files (version 0.4) as far as one of our machines can be described by
// them: DRAM, buffers above the array of PEs, and PEs that hold one integer MAC and at most one
// register for the operand that stays. Whatever else stands there is an error that says so; what
// the format does not say (vector unit, latencies, energy tables) is assumed and reported.
//
//   !Container   attributes go to everything below; `spatial: {meshX, meshY}` are columns and rows
//   !Component   DRAM; SRAM classes are buffers (dataspace: keep, keep_only, bypass); `intmac` is
//   the
//                MAC unit; a storage of depth 1 inside the PE names the stationary operand
//   !Parallel, !Hierarchical   lists of nodes;  !Nothing   nothing
// Attribute values may be expressions over the attributes of the containers around them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vernier::dataflow {

/// A machine file in our own format, and what it assumes.
struct ArchitectureMachine {
  std::string text;
  std::vector<std::string> assumptions;
};

/// Whether a text is such a file: a line begins with "architecture:".
[[nodiscard]] bool is_accelergy_architecture(std::string_view text);

/// Translates it. Throws ConfigError with all problems.
[[nodiscard]] ArchitectureMachine read_accelergy_architecture(std::string_view text,
                                                              const std::string& file);

}  // namespace vernier::dataflow
