// The memory of the timing model behind its TLM-2.0 socket: how blocks become bursts, when requests
// are over, when answers come, all at edges of a 500 MHz core. DDR4-2400: 0.833 ns, so 2000 core
// cycles are 4802 (4801.9) cycles of the DRAM clock.
#include "memory/systemc/dram_timing_module.hpp"

#include <cstring>
#include <memory>
#include <vector>

#include <catch2/catch.hpp>
#include <tlm_utils/simple_initiator_socket.h>

#include "arch/systemc/scoped_kernel.hpp"
#include "tests/support/dram_presets.hpp"

namespace vernier::tests {
namespace {

using memory::AddressDecoder;
using memory::AddressMapping;
using memory::BlockAccess;
using memory::BurstCursor;
using memory::DramPlace;
using memory::DramTimingModule;
using memory::DramTimingSpec;

constexpr Hertz kCore{500'000'000};
const sc_core::sc_time kPeriod(2, sc_core::SC_NS);

/// Asks for blocks one after the other, as the DMA engine does: the next when END_REQ has come.
class Asker : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(Asker);
  explicit Asker(const sc_core::sc_module_name& name) : sc_module(name), socket("socket") {
    socket.register_nb_transport_bw(this, &Asker::answer);
    SC_METHOD(ask);
    dont_initialize();
    sensitive << next_;
  }
  tlm_utils::simple_initiator_socket<Asker> socket;

  struct Block {
    std::int64_t cycle = 0;  ///< not before
    bool writes = false;
    std::uint64_t address = 0;
    std::uint64_t packed_address = 0;
    std::int64_t bytes = 64;
    std::int64_t begin = -1;  ///< core cycles of the phases
    std::int64_t end_request = -1;
    std::int64_t response = -1;
    std::int64_t moved_bits = 0;
    bool failed = false;
    std::vector<unsigned char> data{};
    std::unique_ptr<tlm::tlm_generic_payload> payload{};
  };
  std::vector<Block> blocks;

  void add(std::int64_t cycle, std::uint64_t address, std::int64_t bytes, bool writes = false) {
    Block block;
    block.cycle = cycle;
    block.writes = writes;
    block.address = block.packed_address = address;
    block.bytes = bytes;
    blocks.push_back(std::move(block));
  }
  void run() {
    next_.notify(sc_core::SC_ZERO_TIME);
    sc_core::sc_start();
  }

 private:
  static std::int64_t now() {
    return static_cast<std::int64_t>(sc_core::sc_time_stamp().value() / kPeriod.value());
  }
  void ask() {
    if (at_ == blocks.size()) return;
    Block& block = blocks[at_];
    if (now() < block.cycle) {
      next_.notify(kPeriod * static_cast<double>(block.cycle - now()));
      return;
    }
    ++at_;
    block.begin = now();
    block.data.assign(static_cast<std::size_t>(block.bytes), 0x5a);
    block.payload = std::make_unique<tlm::tlm_generic_payload>();
    auto* access = new BlockAccess;  // the payload deletes it
    access->pattern.run = block.bytes;
    access->packed_bits = block.bytes * 8;
    access->packed_address = block.packed_address;
    block.payload->set_extension(access);
    block.payload->set_command(block.writes ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
    block.payload->set_address(block.address);
    block.payload->set_data_ptr(block.data.data());
    block.payload->set_data_length(static_cast<unsigned>(block.bytes));
    tlm::tlm_phase phase = tlm::BEGIN_REQ;
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    CHECK(socket->nb_transport_fw(*block.payload, phase, delay) == tlm::TLM_ACCEPTED);
  }
  tlm::tlm_sync_enum answer(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                            sc_core::sc_time&) {
    for (Block& block : blocks) {
      if (block.payload.get() != &payload) continue;
      if (phase == tlm::END_REQ) block.end_request = now();
      if (phase == tlm::BEGIN_RESP) {
        block.response = now();
        block.moved_bits = payload.get_extension<BlockAccess>()->moved_bits;
        block.failed = payload.is_response_error();
      }
    }
    const Block& last = blocks[at_ - 1];
    if (phase == tlm::END_REQ || (last.payload.get() == &payload && last.end_request < 0))
      next_.notify(sc_core::SC_ZERO_TIME);
    return phase == tlm::BEGIN_RESP ? tlm::TLM_COMPLETED : tlm::TLM_ACCEPTED;
  }

  sc_core::sc_event next_;
  std::size_t at_ = 0;
};

struct Bench {
  explicit Bench(const DramTimingSpec& spec, Hertz core = kCore)
      : memory("memory", kPeriod, spec, core), asker("asker") {
    asker.socket.bind(memory.socket);
    memory.bytes().assign(1 << 20, 0);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }
  arch::ScopedKernel kernel;
  DramTimingModule memory;
  Asker asker;
};

BlockAccess access_of(const memory::RowPattern& pattern, std::int64_t bits) {
  BlockAccess access;
  access.pattern = pattern;
  access.packed_bits = bits;
  return access;
}

std::vector<std::int64_t> bursts_of(const BlockAccess& access, std::int64_t burst_bits) {
  std::vector<std::int64_t> bursts;
  for (BurstCursor cursor(access, burst_bits); !cursor.is_done(); cursor.advance()) {
    bursts.push_back(cursor.burst());
  }
  return bursts;
}

}  // namespace

TEST_CASE("A read is answered at the first core edge after its data", "[memory][dram]") {
  Bench bench(dram_spec("DDR4-2400"));
  bench.asker.add(0, 0, 64);
  bench.asker.add(100, 64, 64);
  bench.asker.run();
  // tRCD + CL + BL/2 = 36 cycles = 29.988 ns: edge 15 (30 ns). One request takes one cycle.
  CHECK(bench.asker.blocks[0].end_request == 1);
  CHECK(bench.asker.blocks[0].response == 15);
  CHECK(bench.asker.blocks[0].moved_bits == 512);
  // Edge 100 is 200 ns, DRAM edge 241 (200.75 ns). The next burst lies in the next bank group and
  // its row is closed: 241 + 36 = 277 = 230.74 ns, edge 116 (232 ns).
  CHECK(bench.asker.blocks[1].response == 116);
  // Both times together: 15 + 16 cycles.
  CHECK(bench.memory.busy() == 31 * kPeriod);
}

TEST_CASE("A slow core sees an answer at its next edge", "[memory][dram]") {
  Bench bench(dram_spec("DDR4-2400"), Hertz(1'000'000));  // 1 us: 1200 DRAM cycles
  bench.asker.add(3, 0, 64);
  bench.asker.run();
  CHECK(bench.asker.blocks[0].end_request == 4);
  CHECK(bench.asker.blocks[0].response == 4);
}

TEST_CASE("Answers come in the order of the requests", "[memory][dram]") {
  DramTimingSpec spec = dram_spec("DDR4-2400");
  spec.mapping = AddressMapping::parse("ro-ba-bg-ra-co-ch");  // 8 KiB of a row side by side
  Bench bench(spec);
  bench.asker.add(0, 0, 64);          // opens row 0 of bank 0
  bench.asker.add(5, 16 * 8192, 64);  // row 1 of bank 0: a miss
  bench.asker.add(6, 128, 64);        // row 0 again: a hit that goes first
  bench.asker.run();
  const auto& blocks = bench.asker.blocks;
  // Reads of row 0 in DRAM cycles 16 and 22. It is closed when tRAS is over, at 39; activate 55,
  // read 71, data until 91 = 75.8 ns: edge 38. The hit's data came at 42 and wait for their turn.
  CHECK(bench.memory.counts().activates == 2);
  CHECK(blocks[0].response == 15);
  CHECK(blocks[1].response == 38);
  CHECK(blocks[2].response == 38);
}

TEST_CASE("Bursts of the next block line up behind those of this one", "[memory][dram]") {
  Bench bench(dram_spec("DDR4-2400"));
  constexpr std::int64_t kBytes = 4096;  // 64 bursts each, 256 cycles of the bus
  for (int block = 0; block < 8; ++block) {
    bench.asker.add(0, static_cast<std::uint64_t>(block) * kBytes, kBytes);
  }
  bench.asker.run();
  const auto& blocks = bench.asker.blocks;
  // 512 bursts at 4 cycles and one start of 32: 2080 cycles = 1732.6 ns, 867 core cycles.
  CHECK(blocks.back().response == 867);
  CHECK(blocks[0].end_request > 1);  // 64 bursts do not fit into a queue of 32
  CHECK(blocks[1].begin == blocks[0].end_request);
  CHECK(blocks[1].begin < blocks[0].response);
  CHECK(bench.memory.counts().reads == 512);
  CHECK(bench.memory.counts().activates == 4);  // one row in each bank group
}

TEST_CASE("Two channels move a block in half the time", "[memory][dram]") {
  DramTimingSpec spec = dram_spec("DDR4-2400");
  spec.channels = 2;
  Bench bench(spec);
  bench.asker.add(0, 0, 64 * 1024);
  bench.asker.run();
  // 512 bursts a channel, as before.
  CHECK(bench.asker.blocks[0].response == 867);
  CHECK(bench.memory.counts().activates == 8);
}

TEST_CASE("Data go through the memory unchanged", "[memory][dram]") {
  Bench bench(dram_spec("LPDDR4-3200"));
  bench.asker.add(0, 256, 100, true);
  bench.asker.add(200, 256, 100);
  bench.asker.run();
  CHECK(bench.memory.bytes()[255] == 0);
  CHECK(bench.memory.bytes()[256] == 0x5a);
  CHECK(bench.memory.bytes()[355] == 0x5a);
  CHECK(bench.memory.bytes()[356] == 0);
  CHECK(bench.memory.counts().writes == 2);  // 100 bytes from 256 on touch two bursts of 64
  CHECK(bench.asker.blocks[1].moved_bits == 1024);
}

TEST_CASE("Refreshes of an idle memory are made up for", "[memory][dram]") {
  Bench bench(dram_spec("DDR4-2400"));
  bench.asker.add(0, 0, 64);
  bench.asker.add(100'000, 64, 64);  // 200 us: 25.6 intervals of 7.8 us
  bench.asker.run();
  CHECK(bench.memory.counts().refreshes == 25);
}

TEST_CASE("A block outside of memory is an error", "[memory][dram]") {
  Bench bench(dram_spec("DDR4-2400"));
  bench.asker.add(0, 0, 64);
  bench.asker.blocks[0].packed_address = 8ULL << 30U;  // 8 GiB are 0 to 2^33 - 1
  bench.asker.add(10, 2 << 20, 64);                    // behind the bytes of the platform
  bench.asker.run();
  CHECK(bench.asker.blocks[0].failed);
  CHECK(bench.asker.blocks[1].failed);
}

TEST_CASE("Addresses are cut as the mapping says", "[memory][dram]") {
  DramTimingSpec spec = dram_spec("DDR4-2400");  // 4 groups, 4 banks, 128 bursts a row
  spec.channels = 2;
  spec.ranks = 2;
  // ro-ra-ba-co-bg-ch: 2 channels, 4 groups, 128 columns, 4 banks, 2 ranks.
  const AddressDecoder fine(spec);
  CHECK(fine.place_of(1) == DramPlace{1, 0, 0, 0});
  CHECK(fine.place_of(2) == DramPlace{0, 4, 0, 0});
  CHECK(fine.place_of(8) == DramPlace{0, 0, 0, 1});
  CHECK(fine.place_of(8 * 128) == DramPlace{0, 1, 0, 0});
  CHECK(fine.place_of(8 * 128 * 4) == DramPlace{0, 16, 0, 0});
  CHECK(fine.place_of(8 * 128 * 8 + 3) == DramPlace{1, 4, 1, 0});
  spec.mapping = AddressMapping::parse("ch-ro-ba-bg-ra-co");
  const AddressDecoder coarse(spec);
  CHECK(coarse.place_of(127) == DramPlace{0, 0, 0, 127});
  CHECK(coarse.place_of(128) == DramPlace{0, 16, 0, 0});
  CHECK(coarse.place_of(256) == DramPlace{0, 4, 0, 0});
  CHECK(coarse.place_of(spec.capacity_bytes() / 64 / 2) == DramPlace{1, 0, 0, 0});
}

TEST_CASE("Runs touch the bursts between their first and last bit", "[memory][dram]") {
  constexpr std::int64_t kBurst = 512;
  using Bursts = std::vector<std::int64_t>;
  // 128 elements of 8 bits from element 60: bits 480 to 1503.
  CHECK(bursts_of(access_of({60, 128, {1, 1}, {0, 0}}, 1024), kBurst) == Bursts{0, 1, 2});
  // Two rows of 16 elements (128 bits) 64 elements apart: one burst each.
  CHECK(bursts_of(access_of({0, 16, {1, 2}, {0, 64}}, 256), kBurst) == Bursts{0, 1});
  // Four such rows 16 elements apart lie in one burst, which is fetched once.
  CHECK(bursts_of(access_of({0, 16, {2, 2}, {32, 16}}, 512), kBurst) == Bursts{0});
  // 3 channels of 8 bits in words of 32: element e begins 32 e / 3 bits behind the first.
  CHECK(bursts_of(access_of({3 * 15, 3, {1, 2}, {0, 3}}, 64), kBurst) == Bursts{0, 1});
  CHECK(bursts_of(access_of({3 * 16, 3, {1, 2}, {0, 3}}, 64), kBurst) == Bursts{1});
  // 4 bits an element: half the bursts.
  CHECK(bursts_of(access_of({0, 256, {1, 1}, {0, 0}}, 1024), kBurst) == Bursts{0, 1});
}

}  // namespace vernier::tests
