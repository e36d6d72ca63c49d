// Costs a network on a shipped machine through the installed libraries.
#include <cstdio>
#include <string>

#include "dataflow/evaluate/evaluator.hpp"
#include "dataflow/graph/model_yaml.hpp"
#include "dataflow/machine/machine.hpp"

int main() {
  using namespace vernier;
  const std::string configs = std::string(VERNIER_DATA) + "/configs/";
  const dataflow::Machine machine =
      dataflow::load_machine(configs + "accelerators/bitfusion_16x32.yaml");
  const dataflow::LayerGraph graph = dataflow::load_model(configs + "models/mobilenetv2.yaml");
  const auto cost =
      dataflow::evaluate(machine, graph, dataflow::PrecisionMap::uniform(Bitwidth(4), Bitwidth(8)));
  if (!cost) return 1;
  std::printf("macs %lld energy_uj %.3f\n", static_cast<long long>(cost->total.macs.count()),
              cost->total.energy.total().count() / 1e6);
  return cost->total.macs.count() == 300774272 ? 0 : 1;
}
