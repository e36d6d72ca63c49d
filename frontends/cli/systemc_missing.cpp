#include "arch/base/error.hpp"
#include "frontends/cli/systemc_run.hpp"

namespace vernier::frontends {

bool has_systemc() { return false; }

Result<SystemcRun> run_systemc(const dataflow::Machine& /*machine*/,
                               const dataflow::LayerGraph& /*graph*/,
                               const dataflow::NetworkPrecision& /*precision*/,
                               bool /*strict_bits*/, const dataflow::MappingPlan* /*mappings*/,
                               const SystemcOptions& /*options*/) {
  throw ConfigError(
      "--engine systemc: SystemC is not built into this vernier; the analytical engine is");
}

}  // namespace vernier::frontends
