#include "energy/hardware.hpp"

#include <fmt/format.h>

namespace vernier::energy {
namespace {

struct Namer {
  std::string operator()(const MacUnit& unit) const {
    return fmt::format("MAC unit of style {}, up to {}x{} bits", unit.style,
                       unit.widest_weight.bits(), unit.widest_activation.bits());
  }
  std::string operator()(const SramBank& bank) const {
    return fmt::format("SRAM bank of {}, word {} bit, {} port(s)", vernier::to_text(bank.capacity),
                       bank.word.count(), bank.ports);
  }
  std::string operator()(const DramInterface& dram) const {
    return fmt::format("DRAM of type {}", dram.type);
  }
  std::string operator()(const VectorLane&) const { return "vector lane"; }
  std::string operator()(const Requantizer&) const { return "requantizer"; }
};

}  // namespace

std::string to_text(const Hardware& hardware) { return std::visit(Namer{}, hardware); }

}  // namespace vernier::energy
