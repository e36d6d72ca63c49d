// The accelerator as a module in somebody else's platform: their own memory with its own timing,
// their own host.
#include <cstdint>
#include <cstring>
#include <vector>

#include <catch2/catch.hpp>
#include <systemc>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include "arch/systemc/scoped_kernel.hpp"
#include "dataflow/clocked/memory_image.hpp"
#include "dataflow/clocked/task_program.hpp"
#include "dataflow/clocked/tile_walker.hpp"
#include "memory/systemc/accelerator_module.hpp"
#include "tests/support/clocked_run.hpp"
#include "tests/support/example_machine.hpp"

namespace vernier::tests {
namespace {

using memory::HostRegister;
using memory::HostStatus;

/// A loosely timed memory: every block takes 100 ns, whatever its size.
class SlowMemory : public sc_core::sc_module {
 public:
  explicit SlowMemory(const sc_core::sc_module_name& name) : sc_module(name), socket("socket") {
    socket.register_nb_transport_fw(this, &SlowMemory::transport);
  }
  tlm_utils::simple_target_socket<SlowMemory> socket;
  std::vector<unsigned char> bytes;
  int requests = 0;

 private:
  tlm::tlm_sync_enum transport(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                               sc_core::sc_time& delay) {
    REQUIRE(phase == tlm::BEGIN_REQ);
    memory::serve_block(payload, 0, bytes.data(), bytes.size());
    ++requests;
    delay += sc_core::sc_time(100, sc_core::SC_NS);
    return tlm::TLM_COMPLETED;  // all phases at once, with a time to come
  }
};

/// A host that starts the accelerator and waits for it.
class Driver : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(Driver);
  Driver(const sc_core::sc_module_name& name, memory::AcceleratorModule& accelerator)
      : sc_module(name), socket("socket") {
    socket.bind(accelerator.host);
    SC_METHOD(on_done);
    dont_initialize();
    sensitive << accelerator.done();
  }
  tlm_utils::simple_initiator_socket<Driver> socket;
  bool is_done = false;

  tlm::tlm_response_status access(tlm::tlm_command command, std::uint64_t address,
                                  std::uint64_t& value, unsigned length = sizeof(std::uint64_t)) {
    tlm::tlm_generic_payload payload;
    payload.set_command(command);
    payload.set_address(address);
    payload.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
    payload.set_data_length(length);
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    socket->b_transport(payload, delay);
    return payload.get_response_status();
  }
  void write(HostRegister target, std::uint64_t value) {
    REQUIRE(access(tlm::TLM_WRITE_COMMAND, static_cast<std::uint64_t>(target), value) ==
            tlm::TLM_OK_RESPONSE);
  }
  std::uint64_t read(HostRegister source) {
    std::uint64_t value = 0;
    REQUIRE(access(tlm::TLM_READ_COMMAND, static_cast<std::uint64_t>(source), value) ==
            tlm::TLM_OK_RESPONSE);
    return value;
  }

 private:
  void on_done() { is_done = true; }
};

}  // namespace

TEST_CASE("The accelerator works in a platform with a memory of its own", "[clocked]") {
  dataflow::TileSize size;
  size.rows = 4;
  size.in_channels = 6;
  size.out_channels = 4;
  const ClockedCase given =
      clocked_case(example_machine(arch::Dataflow::kOutputStationary), gemm_task(8, 6, 8), size);
  const dataflow::LayerTask& task = given.prepared.schedule.task();
  const dataflow::Accelerator& machine = given.machine.accelerator;
  const auto bias = drain_bias(task, given.operands);
  dataflow::TileWalker walker(given.prepared.schedule, machine, bias);

  const arch::ScopedKernel kernel;
  memory::AcceleratorModule accelerator("accelerator", sc_core::sc_time(10, sc_core::SC_NS));
  SlowMemory memory("memory");
  accelerator.memory.bind(memory.socket);
  Driver driver("driver", accelerator);

  memory::TaskProgram program;
  program.compute = array_program(task, machine, given.operands);
  program.steps = &walker;
  dataflow::MemoryImage image(memory.bytes);
  const Bitwidth byte(8);
  program.inputs[0] = image.add(given.operands.inputs[0], byte);
  program.inputs[2] = image.add(given.operands.weights, byte);
  program.output = image.add_room(64, 1);
  program.sums = image.add_room(64, 8);
  program.largest_block = walker.largest_blocks();
  program.word_bits = {32, 32, 32, 32};

  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  CHECK(driver.read(HostRegister::kStatus) == static_cast<std::uint64_t>(HostStatus::kIdle));
  driver.write(HostRegister::kProgram, reinterpret_cast<std::uint64_t>(&program));
  driver.write(HostRegister::kStart, 1);
  CHECK(driver.read(HostRegister::kStatus) == static_cast<std::uint64_t>(HostStatus::kRunning));
  sc_core::sc_start();
  CHECK(driver.is_done);
  CHECK(driver.read(HostRegister::kStatus) == static_cast<std::uint64_t>(HostStatus::kDone));

  // Blocks of 10 cycles each: I0 0, W0 10, W1 20; tile 0 at 20 to 32, tile 1 at 32 to 44; S0 is
  // granted at 32, I1 42 (tile 1 still works on I0, but its half is the other one), W2 52, S1 62,
  // W3 72; tile 2 at 62 to 74, tile 3 at 82 to 94; S2 at 82, S3 at 94, done at 104.
  CHECK(memory.requests == 10);
  CHECK(driver.read(HostRegister::kCycles) == 104);
  std::uint64_t again = 1;
  CHECK(driver.access(tlm::TLM_WRITE_COMMAND, static_cast<std::uint64_t>(HostRegister::kStart),
                      again) == tlm::TLM_GENERIC_ERROR_RESPONSE);
  const auto expected = reference_outputs(task, machine, given.operands);
  const auto codes = image.read(program.output, 64);
  for (std::size_t at = 0; at < expected.size(); ++at) {
    CHECK(codes[at] == arch::requantize(expected[at], given.operands.requant_shift, 8));
  }
}

TEST_CASE("The host socket answers wrong accesses with an error", "[clocked]") {
  const arch::ScopedKernel kernel;
  memory::AcceleratorModule accelerator("accelerator", sc_core::sc_time(1, sc_core::SC_NS));
  SlowMemory memory("memory");
  accelerator.memory.bind(memory.socket);
  Driver driver("driver", accelerator);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  std::uint64_t value = 0;
  CHECK(driver.access(tlm::TLM_READ_COMMAND, 0x20, value) == tlm::TLM_ADDRESS_ERROR_RESPONSE);
  CHECK(driver.access(tlm::TLM_READ_COMMAND, 0x04, value) == tlm::TLM_ADDRESS_ERROR_RESPONSE);
  CHECK(driver.access(tlm::TLM_READ_COMMAND, 0x10, value, 4) == tlm::TLM_ADDRESS_ERROR_RESPONSE);
  CHECK(driver.access(tlm::TLM_READ_COMMAND, 0x10, value) == tlm::TLM_OK_RESPONSE);
  // A start without a program, and a register that is read only.
  CHECK(driver.access(tlm::TLM_WRITE_COMMAND, 0x08, value) == tlm::TLM_GENERIC_ERROR_RESPONSE);
  CHECK(driver.access(tlm::TLM_WRITE_COMMAND, 0x10, value) == tlm::TLM_GENERIC_ERROR_RESPONSE);
}

TEST_CASE("A block outside of memory or without its extension is an error", "[clocked]") {
  std::vector<unsigned char> bytes(16);
  std::vector<unsigned char> data(8);
  tlm::tlm_generic_payload payload;
  payload.set_command(tlm::TLM_READ_COMMAND);
  payload.set_data_ptr(data.data());
  payload.set_data_length(8);
  memory::serve_block(payload, 0, bytes.data(), bytes.size());
  CHECK(payload.get_response_status() == tlm::TLM_COMMAND_ERROR_RESPONSE);
  auto* access = new memory::BlockAccess;
  access->pattern.run = 4;
  access->pattern.count = {1, 2};
  access->pattern.stride = {0, 12};
  payload.set_extension(access);
  payload.set_address(0);
  memory::serve_block(payload, 0, bytes.data(), bytes.size());
  CHECK(payload.get_response_status() == tlm::TLM_OK_RESPONSE);
  payload.set_address(1);
  memory::serve_block(payload, 0, bytes.data(), bytes.size());
  CHECK(payload.get_response_status() == tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

}  // namespace vernier::tests
