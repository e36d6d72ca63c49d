#include "energy/operator_primitives.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace vernier::energy {
namespace {

// One operator inside a primitive: row name, widths, how many of them.
struct Part {
  std::string_view row;
  OperatorTable::Width width;
  double count = 1.0;
};

enum class State : std::uint8_t { kActive, kReused, kIdle };

struct ActionState {
  std::string_view name;
  State state;
};

// Both generations of plug-ins: mac_random and the like in v0.3, compute, read, leak in v0.4.
constexpr std::array kActions{
    ActionState{"add", State::kActive},         ActionState{"multiply", State::kActive},
    ActionState{"mac", State::kActive},         ActionState{"compute", State::kActive},
    ActionState{"read", State::kActive},        ActionState{"write", State::kActive},
    ActionState{"update", State::kActive},      ActionState{"access", State::kActive},
    ActionState{"transfer", State::kActive},    ActionState{"compare", State::kActive},
    ActionState{"count", State::kActive},       ActionState{"shift", State::kActive},
    ActionState{"process", State::kActive},     ActionState{"mac_random", State::kActive},
    ActionState{"mult_random", State::kActive}, ActionState{"mac_reused", State::kReused},
    ActionState{"mult_reused", State::kReused}, ActionState{"mac_gated", State::kIdle},
    ActionState{"mult_gated", State::kIdle},    ActionState{"idle", State::kIdle},
    ActionState{"leak", State::kIdle}};

constexpr double kReusedShare = 0.85;
constexpr double kWiderThanSingle = 32.0;
constexpr double kMostSramWords = 128.0;
constexpr double kMostSramWidth = 32.0;

bool is_storage(std::string_view name) {
  return name == "regfile" || name == "smartbuffer_RF" || name == "SRAM" || name == "FIFO";
}
bool is_wire(std::string_view name) { return name == "wire" || name == "multicast"; }

double address_bits(double depth) { return std::max(1.0, std::ceil(std::log2(depth))); }

OperatorTable::Width both(double bits) { return {bits, bits}; }

// Width of a class that names it `datawidth` in one generation and `width` in the other.
double width_of(const Primitive& primitive) {
  if (primitive.attributes.contains("width")) return primitive.number("width");
  if (primitive.attributes.contains("datawidth")) return primitive.number("datawidth");
  return primitive.number_or("width", 32.0);
}

std::vector<Part> multiplier_parts(const Primitive& primitive) {
  const double width = width_of(primitive);
  const double first = primitive.number_or("multiplier_width", width);
  return {{"multiplier",
           {primitive.number_or("width_a", first), primitive.number_or("width_b", first)}}};
}

std::vector<Part> floating_parts(const Primitive& primitive, bool multiplies, bool adds) {
  const bool is_double = width_of(primitive) > kWiderThanSingle;
  std::vector<Part> parts;
  if (multiplies) parts.push_back({is_double ? "fp_dp_multiplier" : "fp_sp_multiplier", both(32)});
  if (adds) parts.push_back({is_double ? "fp_dp_adder" : "fp_sp_adder", both(32)});
  return parts;
}

// Operators of a class without storage; empty for an unknown class.
std::vector<Part> logic_parts(const Primitive& primitive) {
  const std::string& name = primitive.class_name;
  if (name == "intadder" || name == "aladdin_adder") return {{"adder", both(width_of(primitive))}};
  if (name == "intmultiplier" || name == "aladdin_multiplier") return multiplier_parts(primitive);
  if (name == "intmac") {
    std::vector<Part> parts = multiplier_parts(primitive);
    parts.push_back({"adder", both(primitive.number_or("adder_width", width_of(primitive)))});
    return parts;
  }
  if (name == "fpadder") return floating_parts(primitive, false, true);
  if (name == "fpmultiplier") return floating_parts(primitive, true, false);
  if (name == "fpmac") return floating_parts(primitive, true, true);
  for (const char* plain : {"comparator", "counter", "shifter", "bitwise"}) {
    if (name == plain || name == std::string("aladdin_") + plain) {
      return {{plain, both(width_of(primitive))}};
    }
  }
  if (name == "reg" || name == "aladdin_register") {
    return {{"register", both(width_of(primitive))}};
  }
  if (name == "crossbar") {
    constexpr double kReferenceOutputs = 4.0;
    return {{"crossbar", both(width_of(primitive)),
             primitive.number("n_inputs") * primitive.number("n_outputs") / kReferenceOutputs}};
  }
  return {};
}

// Operators that an access of a storage class moves.
std::vector<Part> storage_parts(const Primitive& primitive, const PrimitiveAction& action,
                                State state) {
  const double width = width_of(primitive);
  const double depth = primitive.number("depth");
  if (depth < 1.0) throw NotCovered(to_text(primitive) + " has no words");
  const bool idle = state == State::kIdle;
  if (primitive.class_name == "FIFO") {
    return {{"register", both(width)}, {"comparator", both(address_bits(depth))}};
  }
  if (primitive.class_name == "SRAM" && (depth > kMostSramWords || width > kMostSramWidth)) {
    throw NotCovered(
        fmt::format("SRAM of {:g} words of {:g} bit; operator rows hold for at most "
                    "{:g} words of {:g} bit",
                    depth, width, kMostSramWords, kMostSramWidth));
  }
  std::vector<Part> parts;
  if (idle) {  // every register leaks
    parts.push_back({"register", both(width), depth});
  } else if (action.argument_or("data_delta", 1.0) > 0.0) {
    parts.push_back({"register", both(width)});
  }
  if (idle || action.argument_or("address_delta", 1.0) > 0.0) {
    parts.push_back({"comparator", both(address_bits(depth)), depth});
  }
  return parts;
}

std::vector<Part> storage_area_parts(const Primitive& primitive) {
  const double width = width_of(primitive);
  const double depth = primitive.number("depth");
  return {{"register", both(width), depth}, {"comparator", both(address_bits(depth)), depth}};
}

// Energy of a wire: 0.2 * capacitance * length * (1 V)^2; fF * V^2 = fJ.
PriceTerm wire_term(const Primitive& primitive) {
  constexpr double kFactor = 0.2;
  constexpr double kFemtofaradPerMicron = 1.627;
  constexpr double kFemtoPerPico = 1e3;
  const double width = width_of(primitive);
  const bool is_bus = primitive.class_name == "multicast";
  const double length = is_bus ? primitive.number("receivers") * primitive.number("pitch_um")
                               : primitive.number("length_um");
  return {primitive.class_name,
          Picojoules(width * kFactor * kFemtofaradPerMicron * length / kFemtoPerPico),
          fmt::format("{:g} bit * {:g} * {:g} fF/um * {:g} um * (1 V)^2", width, kFactor,
                      kFemtofaradPerMicron, length),
          "accelergy-aladdin-plug-in aladdin_table.py, rule of the wire"};
}

}  // namespace

std::optional<Estimate> operator_primitive_energy(const OperatorTable& rows,
                                                  const Primitive& primitive,
                                                  const PrimitiveAction& action, Hertz clock) {
  const auto* const known =
      std::find_if(kActions.begin(), kActions.end(),
                   [&](const ActionState& entry) { return entry.name == action.name; });
  if (known == kActions.end()) return std::nullopt;
  if (is_wire(primitive.class_name)) {
    PriceTerm term = wire_term(primitive);
    if (known->state == State::kIdle) {
      term.energy = Picojoules(0.0);
      term.formula = "0: a wire does not leak";
    }
    return Estimate::of({std::move(term)});
  }
  const bool stores = is_storage(primitive.class_name);
  const std::vector<Part> parts =
      stores ? storage_parts(primitive, action, known->state) : logic_parts(primitive);
  if (parts.empty() && !stores) return std::nullopt;
  std::vector<PriceTerm> terms;
  terms.reserve(parts.size());
  for (const Part& part : parts) {
    terms.push_back(known->state == State::kIdle
                        ? rows.idle(part.row, clock, part.width, part.count)
                        : rows.dynamic(part.row, clock, part.width, part.count));
  }
  if (terms.empty()) {  // neither the address nor the data changed
    terms.push_back({primitive.class_name, Picojoules(0.0), "0: nothing toggles",
                     rows.source("register", clock)});
  }
  Estimate estimate = Estimate::of(std::move(terms));
  if (known->state == State::kReused) estimate.scale(kReusedShare, "reused operand");
  return estimate;
}

std::optional<AreaEstimate> operator_primitive_area(const OperatorTable& rows,
                                                    const Primitive& primitive, Hertz clock) {
  if (is_wire(primitive.class_name)) {
    return AreaEstimate{SquareMicrons(0.0), "wires run above the logic"};
  }
  const bool stores = is_storage(primitive.class_name);
  const std::vector<Part> parts = stores ? storage_area_parts(primitive) : logic_parts(primitive);
  if (parts.empty()) return std::nullopt;
  double sum = 0.0;
  for (const Part& part : parts) sum += rows.area(part.row, clock, part.width, part.count);
  return AreaEstimate{SquareMicrons(sum), rows.source(parts.front().row, clock)};
}

}  // namespace vernier::energy
