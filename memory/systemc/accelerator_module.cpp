#include "memory/systemc/accelerator_module.hpp"

#include <algorithm>
#include <cstring>

namespace vernier::memory {
namespace {

constexpr auto kInput = static_cast<std::size_t>(BlockStream::kInput);
constexpr auto kSecondInput = static_cast<std::size_t>(BlockStream::kSecondInput);
constexpr auto kWeight = static_cast<std::size_t>(BlockStream::kWeight);
constexpr auto kOutput = static_cast<std::size_t>(BlockStream::kOutput);
constexpr auto kSpace = static_cast<std::size_t>(Requirement::kSpace);

}  // namespace

AcceleratorModule::AcceleratorModule(const sc_core::sc_module_name& name,
                                     const sc_core::sc_time& clock_period)
    : sc_module(name),
      memory("memory"),
      host("host"),
      period_(clock_period),
      compute_("compute", clock_period),
      dma_("dma", buffers_, queue_),
      begin_("begin"),
      done_("done") {
  dma_.socket.bind(memory);
  host.register_b_transport(this, &AcceleratorModule::serve_host);
  SC_METHOD(sequence);
  dont_initialize();
  sensitive << begin_ << compute_.tile_ended() << dma_.progress();
}

void AcceleratorModule::serve_host(tlm::tlm_generic_payload& payload, sc_core::sc_time& /*delay*/) {
  if (payload.get_data_length() != sizeof(std::uint64_t) ||
      payload.get_address() > static_cast<std::uint64_t>(HostRegister::kCycles) ||
      payload.get_address() % sizeof(std::uint64_t) != 0) {
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  std::uint64_t value = 0;
  if (payload.is_write()) {
    std::memcpy(&value, payload.get_data_ptr(), sizeof(value));
    if (!write_register(payload.get_address(), value)) {
      payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
      return;
    }
  } else {
    value = read_register(payload.get_address());
    std::memcpy(payload.get_data_ptr(), &value, sizeof(value));
  }
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

bool AcceleratorModule::write_register(std::uint64_t address, std::uint64_t value) {
  if (status_ == HostStatus::kRunning) return false;
  if (address == static_cast<std::uint64_t>(HostRegister::kProgram)) {
    // The simulator's own memory, as usual for programs that a driver hands over in a virtual
    // platform.
    configure(
        *reinterpret_cast<const TaskProgram*>(value));  // NOLINT(*-reinterpret-cast,*-int-to-ptr)
  } else if (address == static_cast<std::uint64_t>(HostRegister::kStart)) {
    if (program_ == nullptr) return false;
    start_program();
  } else {
    return false;
  }
  return true;
}

std::uint64_t AcceleratorModule::read_register(std::uint64_t address) const {
  if (address == static_cast<std::uint64_t>(HostRegister::kStatus)) {
    return static_cast<std::uint64_t>(status_);
  }
  if (address != static_cast<std::uint64_t>(HostRegister::kCycles)) return 0;
  return last_cycles_;
}

void AcceleratorModule::configure(const TaskProgram& program) {
  program_ = &program;
  buffers_.reserve(program);
  zero_point_sums_.assign(static_cast<std::size_t>(program.zero_point_sums), 0);
  compute_.configure(program.compute, faults_.array);
}

void AcceleratorModule::start_program() {
  status_ = HostStatus::kRunning;
  queue_.begin(*program_->steps, program_->weight_is_loaded);
  times_ = {};
  times_.begin = tile_end_ = sc_core::sc_time_stamp();
  tile_ = 0;
  tile_runs_ = false;
  dma_.begin(*program_, faults_.dma, observer_);
  compute_.record_folds(observer_ != nullptr);
  running_signal_ = true;
  begin_.notify(sc_core::SC_ZERO_TIME);
}

// Wakes whenever something has happened: a tile has ended, data have arrived, a store is done.
void AcceleratorModule::sequence() {
  if (status_ != HostStatus::kRunning) return;
  if (tile_runs_ && !compute_.is_running()) end_tile();
  if (!tile_runs_ && !start_tile() && dma_.is_done()) finish();
}

// Starts the next tile if it can start. False when there is none left.
bool AcceleratorModule::start_tile() {
  QueuedStep* queued = queue_.at(tile_);
  if (queued == nullptr) return false;
  if (!is_ready(*queued)) return true;
  book_wait(*queued);
  tile_begin_ = sc_core::sc_time_stamp();
  tile_runs_ = true;
  tile_signal_ = static_cast<std::uint32_t>(tile_);
  read_resident(*queued);
  compute_.start(placed(*queued));
  if (observer_ != nullptr && queued->step.changes[kOutput]) {
    observer_->on_occupancy(BlockStream::kOutput,
                            dma_.half_of(BlockStream::kOutput, queued->block[kOutput]),
                            queued->step.store.bits);
  }
  if (faults_.release_early) release_blocks();
  return true;
}

bool AcceleratorModule::is_ready(QueuedStep& queued) const {
  for (std::size_t at = 0; at < kSpace; ++at) {
    if (queued.needed[at] && !queued.met[at]) return false;
  }
  if (!queued.step.changes[kOutput]) return true;
  // Of two halves, it is that of the output block before the last one.
  const std::int64_t freed = queued.block[kOutput] - program_->blocks_held[kOutput];
  if (freed < 0) return true;
  if (dma_.stores_done() <= freed) return false;
  queued.met[kSpace] = true;
  queued.met_at[kSpace] = dma_.store_done_at(freed);
  return true;
}

// The gap since the last tile belongs to what was met last.
void AcceleratorModule::book_wait(const QueuedStep& queued) {
  const sc_core::sc_time& now = sc_core::sc_time_stamp();
  const sc_core::sc_time waited = now - tile_end_;
  if (waited == sc_core::SC_ZERO_TIME) return;
  if (tile_ == 0) {
    times_.fill += waited;
    return;
  }
  for (std::size_t at = 0; at < kRequirements; ++at) {
    if (!queued.met[at] || queued.met_at[at] != now) continue;
    times_.wait[at] += waited;
    return;
  }
  VERNIER_ASSERT(false, "a tile that waited starts when its last requirement is met");
}

// Operands that stay on chip are read in their places.
void AcceleratorModule::read_resident(const QueuedStep& queued) {
  for (const BlockStream stream : {BlockStream::kInput, BlockStream::kSecondInput}) {
    const auto at = static_cast<std::size_t>(stream);
    if (program_->resident[at] == nullptr || !queued.step.changes[at]) continue;
    buffers_.read_resident(*program_->resident[at], queued.step.loads[at].pattern, stream,
                           dma_.half_of(stream, queued.block[at]));
  }
}

// Outputs that stay on chip are finished in their places; the monitor sees them, too.
void AcceleratorModule::write_resident(const QueuedStep& queued) {
  if (program_->resident[kOutput] == nullptr || queued.step.stores_sums) return;
  const RowPattern& pattern = queued.step.store.pattern;
  const std::int64_t half = dma_.half_of(BlockStream::kOutput, queued.block[kOutput]);
  buffers_.write_resident(*program_->resident[kOutput], pattern, half);
  if (program_->exact == nullptr) return;
  const std::int64_t* exact = buffers_.exact(half).data();
  pattern.for_each_run([&](std::int64_t first) {
    std::copy_n(exact, pattern.run, program_->exact + first);
    exact += pattern.run;
  });
}

arch::ComputeTile AcceleratorModule::placed(const QueuedStep& queued) {
  const auto codes = [&](BlockStream stream) -> const std::uint32_t* {
    const std::int64_t block = queued.block[static_cast<std::size_t>(stream)];
    return block < 0 ? nullptr : buffers_.codes(stream, dma_.half_of(stream, block)).data();
  };
  const std::int64_t half = dma_.half_of(BlockStream::kOutput, queued.block[kOutput]);
  arch::ComputeTile tile = queued.step.compute;
  if (auto* array = std::get_if<arch::ArrayTile>(&tile)) {
    array->input = codes(BlockStream::kInput);
    array->weight = codes(BlockStream::kWeight);
    array->output = buffers_.outputs(half).data();
    array->exact = buffers_.exact(half).data();
    array->bias = queued.step.bias;
    array->zero_point_sums = zero_point_sums_.data() + queued.step.first_zero_point_sum;
  } else {
    auto& vector = std::get<arch::VectorTile>(tile);
    vector.input = {codes(BlockStream::kInput), codes(BlockStream::kSecondInput)};
    vector.output = buffers_.outputs(half).data();
    vector.exact = buffers_.exact(half).data();
  }
  return tile;
}

void AcceleratorModule::end_tile() {
  tile_runs_ = false;
  tile_end_ = sc_core::sc_time_stamp();
  times_.running += tile_end_ - tile_begin_;
  ++times_.tiles;
  if (observer_ != nullptr) {
    observer_->on_tile({tile_, tile_begin_, tile_end_, &compute_.fold_begins()});
  }
  write_resident(*queue_.at(tile_));
  if (!faults_.release_early) release_blocks();
  ++tile_;
  queue_.forget_before(std::min(tile_, dma_.step() - 1));
}

// Blocks that the next tile does not use any more.
void AcceleratorModule::release_blocks() {
  const QueuedStep* next = queue_.at(tile_ + 1);
  const QueuedStep* current = queue_.at(tile_);
  for (const std::size_t stream : {kInput, kSecondInput, kWeight, kOutput}) {
    if (current->block[stream] < 0) continue;
    if (next != nullptr && !next->step.changes[stream]) continue;
    dma_.release(static_cast<BlockStream>(stream), current->block[stream]);
    if (stream == kOutput && current->step.store.bits == 0) {
      dma_.finish_in_place(current->block[stream]);
    }
  }
}

void AcceleratorModule::finish() {
  times_.end = sc_core::sc_time_stamp();
  times_.drain = times_.end - tile_end_;
  last_cycles_ = (times_.end - times_.begin).value() / period_.value();
  program_ = nullptr;
  status_ = HostStatus::kDone;
  running_signal_ = false;
  done_.notify(sc_core::SC_ZERO_TIME);
}

void AcceleratorModule::trace(sc_core::sc_trace_file* file) {
  sc_core::sc_trace(file, running_signal_, "running");
  sc_core::sc_trace(file, tile_signal_, "tile");
  compute_.trace(file, "array.");
}

}  // namespace vernier::memory
