// The component classes that Accelergy's Aladdin plug-in answers for, priced from operator rows by
// the plug-in's rules (aladdin_table.py, commit 053ad602):
//   intadder, counter, comparator, shifter   row * width / 32
//   intmultiplier     row * (width / 32)^2; `mult_reused` 0.85 of it, `mult_gated` the idle energy
//   intmac, fpmac     multiplier + adder; floating point up to 32 bit single, above double
//   regfile           register row * width (if data_delta > 0) + depth comparators of
//                     ceil(log2 depth) bits (if address_delta > 0)
//   SRAM              as regfile, up to 128 words of 32 bit
//   FIFO              register row * width + comparator of log2 depth bits
//   crossbar          row * n_inputs * n_outputs / 4 * width / 32
//   bitwise           row * width
//   wire              width * 0.2 * 1.627 fF/um * length * (1 V)^2
// and one of our own, `multicast`: a bus along `receivers` places at a pitch, hence a wire of
// receivers * pitch. Actions are those of both plug-in generations (see kActions).
#pragma once

#include "energy/operator_table.hpp"

namespace vernier::energy {

/// nullopt for a class or action that is not listed above; NotCovered outside a class's range.
[[nodiscard]] std::optional<Estimate> operator_primitive_energy(const OperatorTable& rows,
                                                                const Primitive& primitive,
                                                                const PrimitiveAction& action,
                                                                Hertz clock);
[[nodiscard]] std::optional<AreaEstimate> operator_primitive_area(const OperatorTable& rows,
                                                                  const Primitive& primitive,
                                                                  Hertz clock);

}  // namespace vernier::energy
