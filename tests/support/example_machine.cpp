#include "tests/support/example_machine.hpp"

namespace vernier::tests {

dataflow::AcceleratorSpec example_spec(arch::Dataflow dataflow) {
  dataflow::AcceleratorSpec spec;
  spec.name = "example_4x4";
  spec.technology = Nanometers(45);
  spec.clock = Hertz(200'000'000);
  spec.array.rows = 4;
  spec.array.columns = 4;
  spec.array.dataflow = dataflow;
  const auto buffer = [](std::string name, TensorRole role, std::int64_t banks) {
    memory::BufferSpec result;
    result.name = std::move(name);
    result.serves = {role};
    result.capacity = Bytes(2048 * banks);
    result.banks = banks;
    result.word = Bits(32);
    return result;
  };
  spec.buffers = {buffer("input", TensorRole::kInput, 2), buffer("weight", TensorRole::kWeight, 2),
                  buffer("output", TensorRole::kOutput, 4)};
  spec.dram.bandwidth = Bandwidth::per_cycles(32, 1);
  spec.dram.latency = Cycles(10);
  spec.vector.lanes = 4;
  for (const Action action : arch::vector_actions()) {
    spec.vector.cycles_per_op[static_cast<std::size_t>(action)] = 1;
  }
  spec.energy.tables = {"aladdin_45nm", "cacti_45nm", "dram_interface"};
  spec.energy.dram = "LPDDR4";
  return spec;
}

dataflow::Machine with_prices(dataflow::AcceleratorSpec spec) {
  dataflow::Accelerator accelerator(std::move(spec));
  energy::PriceList prices =
      load_prices(accelerator, {{std::string(VERNIER_SOURCE_DIR) + "/configs/energy"}, {}});
  return {std::move(accelerator), std::move(prices)};
}

dataflow::Machine example_machine(arch::Dataflow dataflow) {
  return with_prices(example_spec(dataflow));
}

dataflow::LayerTask gemm_task(std::int64_t pixels, std::int64_t reduction,
                              std::int64_t out_channels) {
  dataflow::LayerTask task;
  task.in_height = task.out_height = pixels;
  task.channels = reduction;
  task.out_channels = out_channels;
  return task;
}

}  // namespace vernier::tests
