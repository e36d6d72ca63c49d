#include "dataflow/clocked/clocked_machine.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <systemc>
#include <tlm_utils/simple_initiator_socket.h>

#include "arch/systemc/scoped_kernel.hpp"
#include "dataflow/clocked/memory_image.hpp"
#include "dataflow/clocked/task_program.hpp"
#include "dataflow/clocked/tile_walker.hpp"
#include "dataflow/clocked/timeline_recorder.hpp"
#include "dataflow/result/activity_counter.hpp"
#include "memory/systemc/accelerator_module.hpp"
#include "memory/systemc/dram_module.hpp"
#include "memory/systemc/dram_timing_module.hpp"

namespace vernier::dataflow {
namespace {

using memory::BlockStream;
using memory::HostRegister;

constexpr auto kWeight = static_cast<std::size_t>(BlockStream::kWeight);
constexpr auto kOutput = static_cast<std::size_t>(BlockStream::kOutput);

// The processor beside the accelerator: writes and reads its registers.
class Host : public sc_core::sc_module {
 public:
  explicit Host(const sc_core::sc_module_name& name) : sc_module(name), socket("socket") {}
  tlm_utils::simple_initiator_socket<Host> socket;

  void write(HostRegister target, std::uint64_t value) {
    access(tlm::TLM_WRITE_COMMAND, target, value);
  }
  std::uint64_t read(HostRegister source) {
    std::uint64_t value = 0;
    access(tlm::TLM_READ_COMMAND, source, value);
    return value;
  }

 private:
  void access(tlm::tlm_command command, HostRegister address, std::uint64_t& value) {
    tlm::tlm_generic_payload payload;
    payload.set_command(command);
    payload.set_address(static_cast<std::uint64_t>(address));
    payload.set_data_ptr(reinterpret_cast<unsigned char*>(&value));  // NOLINT(*-reinterpret-cast)
    payload.set_data_length(sizeof(value));
    payload.set_streaming_width(sizeof(value));
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    socket->b_transport(payload, delay);
    VERNIER_ASSERT(payload.is_response_ok(), "the register exists");
  }
};

// Whole picoseconds, so that every instant is an exact multiple of a cycle.
std::int64_t picoseconds_of(Hertz clock) {
  constexpr std::int64_t kPicosecondsPerSecond = 1'000'000'000'000;
  return std::max<std::int64_t>(1, kPicosecondsPerSecond / clock.count());
}

}  // namespace

class ClockedMachine::Platform {
 public:
  explicit Platform(const Accelerator& accelerator)
      : accelerator_(accelerator),
        period_ps_(picoseconds_of(accelerator.spec().clock)),
        period_(static_cast<double>(period_ps_), sc_core::SC_PS),
        module_("accelerator", period_),
        host_("host") {
    host_.socket.bind(module_.host);
    const memory::DramSpec& dram = accelerator.spec().dram;
    if (dram.timing) {
      banks_.emplace("dram", period_, *dram.timing, accelerator.spec().clock);
      module_.memory.bind(banks_->socket);
    } else {
      channel_.emplace("dram", period_, dram);
      module_.memory.bind(channel_->socket);
    }
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }

  ClockedRun run(const ClockedTask& task, const WaveformRequest& waveform) {
    const LayerTask& layer = task.schedule->task();
    const std::vector<std::int64_t> bias = drain_bias(layer, *task.operands);
    TileWalker walker(*task.schedule, accelerator_, bias);
    const OperandSizes sizes = operand_sizes(layer);
    ClockedRun result;
    result.exact.resize(static_cast<std::size_t>(sizes.outputs));

    memory::TaskProgram program;
    MemoryImage image(banks_ ? banks_->bytes() : channel_->bytes());
    lay_out(task, walker, sizes, image, program);
    program.exact = result.exact.data();
    host_.write(HostRegister::kProgram, reinterpret_cast<std::uint64_t>(&program));  // NOLINT
    sc_core::sc_trace_file* trace = begin_trace(waveform);
    const sc_core::sc_time dram_busy = busy();
    const memory::DramCounts commands = banks_ ? banks_->counts() : memory::DramCounts{};
    host_.write(HostRegister::kStart, 1);
    sc_core::sc_start();
    if (trace != nullptr) sc_core::sc_close_vcd_trace_file(trace);
    VERNIER_ASSERT(
        host_.read(HostRegister::kStatus) == static_cast<std::uint64_t>(memory::HostStatus::kDone),
        "the machine comes to rest only when its program is done");
    VERNIER_ASSERT(banks_ || busy() - dram_busy == module_.dma_counts().busy,
                   "DMA engine and channel agree how long the channel was busy");
    result.channel_busy_cycles = cycles(busy() - dram_busy);
    collect(layer, commands, result);
    result.codes = program.resident[kOutput] != nullptr ? codes_on_chip(*program.resident[kOutput])
                                                        : image.read(program.output, sizes.outputs);
    return result;
  }

  void leave_on_chip(const memory::ResidentPlaces& places, const std::vector<std::int32_t>& values,
                     Bitwidth bits) {
    VERNIER_ASSERT(places.size() == values.size(), "a place for each value");
    std::vector<std::uint32_t>& part = module_.buffers().resident();
    const std::uint64_t mask = (1ULL << static_cast<unsigned>(bits.bits())) - 1;
    for (std::size_t at = 0; at < places.size(); ++at) {
      const auto place = static_cast<std::size_t>(places[at]);
      if (place >= part.size()) part.resize(place + 1);
      part[place] = static_cast<std::uint32_t>(static_cast<std::uint64_t>(values[at]) & mask);
    }
  }

  void plant(const memory::MachineFaults& faults) {
    module_.plant(faults);
    if (!faults.double_latency) return;
    VERNIER_ASSERT(channel_.has_value(), "a doubled latency is a mistake of the bandwidth model");
    channel_->double_latency();
  }
  void record(Timeline* timeline) {
    if (timeline == recorded_) return;
    recorded_ = timeline;
    recorder_.reset();
    if (timeline != nullptr) recorder_.emplace(*timeline, period_);
    module_.observe(recorder_ ? &*recorder_ : nullptr);
  }
  [[nodiscard]] std::int64_t now() const { return cycles(sc_core::sc_time_stamp()); }

 private:
  [[nodiscard]] sc_core::sc_time busy() const { return banks_ ? banks_->busy() : channel_->busy(); }

  void lay_out(const ClockedTask& task, TileWalker& walker, const OperandSizes& sizes,
               MemoryImage& image, memory::TaskProgram& program) const {
    const LayerTask& layer = task.schedule->task();
    const TaskOperands& operands = *task.operands;
    if (layer.unit == TaskUnit::kArray) {
      program.compute = array_program(layer, accelerator_, operands);
    } else {
      program.compute = vector_program(layer, accelerator_, operands);
    }
    program.steps = &walker;
    place(task, sizes, program);
    const auto packed = [&walker](BlockStream stream, std::int64_t bits) {
      return walker.packed_element(stream, bits);
    };
    for (std::size_t slot = 0; slot < operands.inputs.size(); ++slot) {
      if (layer.input_resident[slot]) continue;
      const Bitwidth bits = layer.input_storage[slot];
      program.inputs[slot] =
          image.add(operands.inputs[slot], bits, packed(BlockStream::kInput, bits.bits()));
    }
    program.inputs[kWeight] = image.add(operands.weights, layer.weight_storage,
                                        packed(BlockStream::kWeight, layer.weight_storage.bits()));
    if (!layer.output_resident) {
      program.output =
          image.add_room(sizes.outputs, MemoryImage::element_bytes(layer.output_storage),
                         packed(BlockStream::kOutput, layer.output_storage.bits()));
    }
    constexpr std::int64_t kSumBytes = 8;
    program.sums =
        image.add_room(sizes.outputs, kSumBytes,
                       packed(BlockStream::kOutput, accelerator_.spec().mac.accumulator_bits));
    program.largest_block = walker.largest_blocks();
    for (std::size_t stream = 0; stream < memory::kBlockStreams; ++stream) {
      const memory::BufferSpec& buffer =
          accelerator_.buffer(role_of(static_cast<BlockStream>(stream)));
      program.word_bits[stream] = buffer.word.count();
      program.blocks_held[stream] = buffer.blocks_held();
    }
    if (layer.asymmetric_weight) {
      program.zero_point_sums = checked_mul(layer.pixels(), layer.groups);
    }
    program.weight_is_loaded = task.border.weight_is_loaded;
    if (task.border.next_weight.count() > 0) prefetch(task, image, program);
    require_capacity(image);
  }

  void require_capacity(const MemoryImage& image) const {
    const auto& timing = accelerator_.spec().dram.timing;
    if (!timing || image.packed_bytes() <= timing->capacity_bytes()) return;
    throw ModelError(fmt::format(
        "the tensors of a layer take {} bytes of DRAM; {} with {} channel(s) of {} rank(s) has {}",
        image.packed_bytes(), timing->preset.name, timing->channels, timing->ranks,
        timing->capacity_bytes()));
  }

  // What stays on chip has a place for each of its elements, and no region in memory.
  static void place(const ClockedTask& task, const OperandSizes& sizes,
                    memory::TaskProgram& program) {
    const LayerTask& layer = task.schedule->task();
    const auto set = [&](std::size_t stream, bool stays, const memory::ResidentPlaces* places,
                         std::int64_t elements) {
      if (!stays) return;
      VERNIER_ASSERT(
          places != nullptr && places->size() == static_cast<std::size_t>(elements) &&
              std::all_of(places->begin(), places->end(),
                          [&](std::int64_t at) { return at >= 0 && at < task.places.elements; }),
          "a place on chip for each element");
      program.resident[stream] = places;
    };
    for (std::size_t slot = 0; slot < task.places.inputs.size(); ++slot) {
      set(slot, layer.input_resident[slot], task.places.inputs[slot], sizes.inputs[slot]);
    }
    set(kOutput, layer.output_resident, task.places.output, sizes.outputs);
    program.resident_elements = task.places.elements;
  }

  [[nodiscard]] std::vector<std::int64_t> codes_on_chip(const memory::ResidentPlaces& places) {
    const std::vector<std::uint32_t>& part = module_.buffers().resident();
    std::vector<std::int64_t> codes;
    codes.reserve(places.size());
    for (const std::int64_t place : places) codes.push_back(part[static_cast<std::size_t>(place)]);
    return codes;
  }

  // The first weight block of the next task; without one, as many zeros as the block has bits.
  void prefetch(const ClockedTask& task, MemoryImage& image, memory::TaskProgram& program) const {
    if (task.next_schedule != nullptr) {
      const std::vector<std::int64_t> no_bias;
      const TileWalker walker(*task.next_schedule, accelerator_, no_bias);
      const Bitwidth bits = task.next_schedule->task().weight_storage;
      program.next_weight = walker.first_weight();
      program.next_weight_region =
          image.add(task.next_operands->weights, bits,
                    walker.packed_element(BlockStream::kWeight, bits.bits()));
      return;
    }
    program.next_weight.bits = task.border.next_weight.count();
    program.next_weight.pattern.run = 1;
    program.next_weight_region = image.add_room(1, 1, program.next_weight.bits);
  }

  sc_core::sc_trace_file* begin_trace(const WaveformRequest& waveform) {
    if (waveform.file.empty()) return nullptr;
    std::string stem = waveform.file;
    if (stem.ends_with(".vcd")) stem.resize(stem.size() - 4);
    sc_core::sc_trace_file* file = sc_core::sc_create_vcd_trace_file(stem.c_str());
    file->set_time_unit(1, sc_core::SC_PS);
    module_.trace(file);
    if (banks_) banks_->trace(file, "dram.");
    if (channel_) channel_->trace(file, "dram.");
    return file;
  }

  [[nodiscard]] std::int64_t cycles(const sc_core::sc_time& time) const {
    const std::uint64_t period = period_.value();
    VERNIER_ASSERT(time.value() % period == 0, "everything happens at an edge of the clock");
    return static_cast<std::int64_t>(time.value() / period);
  }

  void collect(const LayerTask& layer, const memory::DramCounts& before, ClockedRun& result) {
    const memory::SequencerTimes& times = module_.times();
    const memory::DmaCounts& dma = module_.dma_counts();
    result.tiles = times.tiles;
    CycleBreakdown& breakdown = result.cycles;
    using memory::Requirement;
    const auto waited = [&](Requirement requirement) {
      return cycles(times.wait[static_cast<std::size_t>(requirement)]);
    };
    breakdown[CycleCause::kFill] = cycles(times.fill);
    breakdown[CycleCause::kInput] = waited(Requirement::kInput) + waited(Requirement::kSecondInput);
    breakdown[CycleCause::kWeight] = waited(Requirement::kWeight);
    breakdown[CycleCause::kPsum] = waited(Requirement::kSums);
    breakdown[CycleCause::kOutput] = waited(Requirement::kSpace);
    breakdown[CycleCause::kDrain] = cycles(times.drain);
    ActivityCounter counter(accelerator_);
    if (layer.unit == TaskUnit::kArray) {
      collect_array(layer, counter, result);
    } else {
      collect_vector(layer, counter, result);
    }
    breakdown[CycleCause::kCompute] = cycles(times.running) - breakdown[CycleCause::kPort];
    VERNIER_ASSERT(breakdown[CycleCause::kCompute] == result.busy_lines,
                   "a tile runs for its lines and its port waits");
    VERNIER_ASSERT(breakdown.total().count() == cycles(times.end - times.begin),
                   "the causes sum to the task's time");
    result.dram.input_read = Bits(dma.load_bits[0] + dma.load_bits[1]);
    result.dram.weight_read = Bits(dma.load_bits[kWeight] + dma.prefetch_bits);
    result.dram.output_read = Bits(dma.reload_bits);
    result.dram.output_write = Bits(dma.spill_bits + dma.store_bits);
    for (const TensorRole role : {TensorRole::kInput, TensorRole::kWeight, TensorRole::kOutput}) {
      counter.buffer(role, Action::kWrite, dma.words_written[static_cast<std::size_t>(role)]);
      counter.buffer(role, Action::kRead, dma.words_read[static_cast<std::size_t>(role)]);
    }
    for (const TensorRole role : {TensorRole::kInput, TensorRole::kWeight, TensorRole::kOutput}) {
      counter.dram(role, Action::kRead, dma.bits_read[static_cast<std::size_t>(role)]);
      counter.dram(role, Action::kWrite, dma.bits_written[static_cast<std::size_t>(role)]);
    }
    if (banks_) {
      const memory::DramCounts after = banks_->counts();
      counter.dram(TensorRole::kNone, Action::kActivateRow, after.activates - before.activates);
      counter.dram(TensorRole::kNone, Action::kRefresh, after.refreshes - before.refreshes);
    }
    counter.leak(breakdown.total().count());
    result.activity = counter.take();
  }

  void collect_array(const LayerTask& layer, ActivityCounter& counter, ClockedRun& result) const {
    const arch::ArrayCounts& counts = *module_.compute().array_counts();
    result.busy_lines = counts.lines;
    result.cycles[CycleCause::kPort] = counts.port_cycles;
    result.port_waits = counts.port_waits;
    result.accumulator_overflows = counts.overflows;
    counter.mac(Action::kMac, layer, counts.real_products);
    counter.mac(Action::kMacIdle, layer, counts.product_slots - counts.real_products);
    counter.mac(Action::kZeroPointAdd, layer, counts.zero_point_adds);
    counter.buffer(TensorRole::kInput, Action::kRead, counts.input_reads);
    counter.buffer(TensorRole::kWeight, Action::kRead, counts.weight_reads);
    counter.buffer(TensorRole::kOutput, Action::kRead, counts.output_reads);
    counter.buffer(TensorRole::kOutput, Action::kWrite, counts.output_writes);
    counter.requantize(counts.finished_outputs);
    if (layer.activation_in_drain) counter.vector(Action::kActivation, counts.finished_outputs);
  }

  void collect_vector(const LayerTask& layer, ActivityCounter& counter, ClockedRun& result) const {
    const arch::VectorCounts& counts = *module_.compute().vector_counts();
    result.busy_lines = counts.busy_cycles;
    counter.buffer(TensorRole::kInput, Action::kRead, counts.input_reads);
    counter.buffer(TensorRole::kOutput, Action::kWrite, counts.output_writes);
    for (std::size_t at = 0; at < layer.actions.size(); ++at) {
      counter.vector(layer.actions[at], counts.operations[at]);
    }
    counter.requantize(counts.requantized);
  }

  arch::ScopedKernel kernel_;  // first to come, last to go
  const Accelerator& accelerator_;
  std::int64_t period_ps_;
  sc_core::sc_time period_;
  memory::AcceleratorModule module_;
  std::optional<memory::DramModule> channel_;      // model: bandwidth
  std::optional<memory::DramTimingModule> banks_;  // model: timing
  Host host_;
  Timeline* recorded_ = nullptr;
  std::optional<TimelineRecorder> recorder_;
};

ClockedMachine::ClockedMachine(const Accelerator& accelerator)
    : platform_(std::make_unique<Platform>(accelerator)) {}

ClockedMachine::~ClockedMachine() = default;

ClockedRun ClockedMachine::run(const ClockedTask& task, const WaveformRequest& waveform) {
  return platform_->run(task, waveform);
}

void ClockedMachine::leave_on_chip(const std::vector<std::int64_t>& places,
                                   const std::vector<std::int32_t>& values, Bitwidth bits) {
  platform_->leave_on_chip(places, values, bits);
}

void ClockedMachine::plant(const memory::MachineFaults& faults) { platform_->plant(faults); }

void ClockedMachine::record(Timeline* timeline) { platform_->record(timeline); }

std::int64_t ClockedMachine::now() const { return platform_->now(); }

}  // namespace vernier::dataflow
