#include "memory/systemc/dma_module.hpp"

#include <cstring>

#include <fmt/format.h>

namespace vernier::memory {
namespace {

constexpr auto kOutput = static_cast<std::size_t>(BlockStream::kOutput);
constexpr auto kWeight = static_cast<std::size_t>(BlockStream::kWeight);

// Places in a step's list of commands: the loads, the partial sums, the store of the block that the
// tile before it left. The only half of a single buffer is stored before partial sums come in.
constexpr std::size_t kPlaces = kLoadStreams + 2;

template <typename Stored, typename Element>
void unpack(const unsigned char* bytes, std::vector<Element>& elements, std::int64_t count) {
  for (std::int64_t at = 0; at < count; ++at) {
    Stored stored{};
    std::memcpy(&stored, bytes + at * static_cast<std::int64_t>(sizeof(Stored)), sizeof(Stored));
    elements[static_cast<std::size_t>(at)] = static_cast<Element>(stored);
  }
}

template <typename Stored>
void pack(const std::vector<std::int64_t>& elements, unsigned char* bytes, std::int64_t count) {
  for (std::int64_t at = 0; at < count; ++at) {
    const auto stored = static_cast<Stored>(elements[static_cast<std::size_t>(at)]);
    std::memcpy(bytes + at * static_cast<std::int64_t>(sizeof(Stored)), &stored, sizeof(Stored));
  }
}

template <typename Element>
void unpack(const unsigned char* bytes, std::vector<Element>& elements, std::int64_t count,
            std::int64_t element_bytes) {
  switch (element_bytes) {
    case 1: return unpack<std::uint8_t>(bytes, elements, count);
    case 2: return unpack<std::uint16_t>(bytes, elements, count);
    case 4: return unpack<std::uint32_t>(bytes, elements, count);
    default: return unpack<std::uint64_t>(bytes, elements, count);
  }
}

void pack(const std::vector<std::int64_t>& elements, unsigned char* bytes, std::int64_t count,
          std::int64_t element_bytes) {
  switch (element_bytes) {
    case 1: return pack<std::uint8_t>(elements, bytes, count);
    case 2: return pack<std::uint16_t>(elements, bytes, count);
    case 4: return pack<std::uint32_t>(elements, bytes, count);
    default: return pack<std::uint64_t>(elements, bytes, count);
  }
}

}  // namespace

DmaModule::DmaModule(const sc_core::sc_module_name& name, OnChipBuffers& buffers, StepQueue& queue)
    : sc_module(name),
      socket("socket"),
      answers_(this, &DmaModule::follow),
      buffers_(buffers),
      queue_(queue),
      poke_("poke"),
      progress_("progress") {
  socket.register_nb_transport_bw(this, &DmaModule::answer);
  SC_METHOD(advance);
  dont_initialize();
  sensitive << poke_;
}

void DmaModule::begin(const TaskProgram& program, const DmaFaults& faults,
                      MachineObserver* observer) {
  program_ = &program;
  faults_ = faults;
  observer_ = observer;
  step_ = 0;
  place_ = 0;
  has_command_ = false;
  finished_ = false;
  released_ = {};
  stores_done_ = 0;
  has_left_ = {};
  weight_base_ = program.weight_is_loaded ? prefetched_half_ : 0;
  counts_ = {};
  poke_.notify(sc_core::SC_ZERO_TIME);
}

void DmaModule::release(BlockStream stream, std::int64_t block) {
  released_[static_cast<std::size_t>(stream)] = block + 1;
  if (observer_ != nullptr && stream != BlockStream::kOutput) {
    observer_->on_occupancy(stream, half_of(stream, block), 0);
  }
  poke_.notify(sc_core::SC_ZERO_TIME);
}

void DmaModule::finish_in_place(std::int64_t block) {
  output_left(block);
  poke_.notify(sc_core::SC_ZERO_TIME);
}

// Blocks that stay may be finished before an earlier one is stored.
void DmaModule::output_left(std::int64_t block) {
  store_times_[static_cast<std::size_t>(block % kStoreTimes)] = sc_core::sc_time_stamp();
  has_left_[static_cast<std::size_t>(block % kStoreTimes)] = true;
  while (has_left_[static_cast<std::size_t>(stores_done_ % kStoreTimes)]) {
    has_left_[static_cast<std::size_t>(stores_done_++ % kStoreTimes)] = false;
  }
}

std::int64_t DmaModule::blocks_held(BlockStream stream) const {
  return program_->blocks_held[static_cast<std::size_t>(stream)];
}

std::int64_t DmaModule::half_of(BlockStream stream, std::int64_t block) const {
  return (block + (stream == BlockStream::kWeight ? weight_base_ : 0)) % blocks_held(stream);
}

bool DmaModule::is_done() const { return finished_ && outstanding_ == 0 && on_channel_ == nullptr; }

// Grants commands until the channel is busy, a condition does not hold, or none is left.
void DmaModule::advance() {
  while (on_channel_ == nullptr && find_command() && may_go()) grant();
  if (is_done()) progress_.notify(sc_core::SC_ZERO_TIME);
}

bool DmaModule::find_command() {
  while (!has_command_ && !finished_) {
    const QueuedStep* step = queue_.at(step_);
    if (step == nullptr) {  // behind the last tile: prefetch, then the last store
      if (place_ == 0 && program_->next_weight.bits > 0) {
        command_ = {Kind::kPrefetch,
                    BlockStream::kWeight,
                    step_,
                    queue_.blocks(BlockStream::kWeight),
                    program_->next_weight,
                    program_->next_weight_region,
                    false};
        has_command_ = true;
      } else if (place_ <= 1) {
        place_ = 1;
        store_command(step_ - 1);
      } else {
        finished_ = true;
      }
      ++place_;
      continue;
    }
    const std::size_t reload_place =
        blocks_held(BlockStream::kOutput) == 1 ? kLoadStreams + 1 : kLoadStreams;
    if (place_ < kLoadStreams) {
      has_command_ = load_command(faults_.swap_loads ? kLoadStreams - 1 - place_ : place_, *step);
    } else if (place_ == reload_place) {
      if (step->needed[static_cast<std::size_t>(Requirement::kSums)]) {
        command_ = {Kind::kReload,     BlockStream::kOutput, step_, step->block[kOutput],
                    step->step.reload, program_->sums,       true};
        has_command_ = true;
      }
    } else if (step->step.changes[kOutput] && step_ > 0) {
      store_command(step_ - 1);
    }
    if (++place_ == kPlaces) {
      place_ = 0;
      ++step_;
    }
  }
  return has_command_;
}

bool DmaModule::load_command(std::size_t slot, const QueuedStep& step) {
  if (!step.needed[slot]) return false;
  command_ = {Kind::kLoad,           static_cast<BlockStream>(slot), step_, step.block[slot],
              step.step.loads[slot], program_->inputs[slot],         false};
  return true;
}

void DmaModule::store_command(std::int64_t step) {
  const QueuedStep* left = queue_.at(step);
  if (left->step.store.bits == 0) return;  // it stays
  command_ = {Kind::kStore,
              BlockStream::kOutput,
              step,
              left->block[kOutput],
              left->step.store,
              left->step.stores_sums ? program_->sums : program_->output,
              left->step.stores_sums};
  has_command_ = true;
}

bool DmaModule::may_go() const {
  const std::int64_t block = command_.block;
  const std::int64_t beside = blocks_held(command_.stream) - 1;  // blocks that may be in use still
  switch (command_.kind) {
    case Kind::kLoad:
    case Kind::kPrefetch:
      return released_[static_cast<std::size_t>(command_.stream)] >= block - beside;
    case Kind::kReload: return stores_done_ >= block - beside;
    case Kind::kStore: return released_[kOutput] > block;
  }
  return false;
}

DmaModule::Transfer& DmaModule::free_transfer() {
  for (const auto& transfer : transfers_) {
    if (!transfer->in_use) return *transfer;
  }
  transfers_.push_back(std::make_unique<Transfer>());
  transfers_.back()->payload.set_extension(new BlockAccess);  // the payload deletes it
  return *transfers_.back();
}

void DmaModule::grant() {
  Transfer& transfer = free_transfer();
  transfer.in_use = true;
  transfer.command = command_;
  transfer.granted = sc_core::sc_time_stamp();
  has_command_ = false;
  const std::int64_t bytes = command_.move.pattern.elements() * command_.region.element_bytes;
  transfer.data.resize(static_cast<std::size_t>(bytes));
  const bool stores = command_.kind == Kind::kStore;
  if (stores) unload(command_, transfer.data);
  tlm::tlm_generic_payload& payload = transfer.payload;
  payload.set_command(stores ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
  payload.set_address(command_.region.address);
  payload.set_data_ptr(transfer.data.data());
  payload.set_data_length(static_cast<unsigned>(bytes));
  payload.set_streaming_width(static_cast<unsigned>(bytes));
  payload.set_byte_enable_ptr(nullptr);
  payload.set_dmi_allowed(false);
  payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  auto* access = payload.get_extension<BlockAccess>();
  access->pattern = command_.move.pattern;
  access->element_bytes = command_.region.element_bytes;
  access->packed_bits = command_.move.bits;
  access->packed_address = command_.region.packed_address;
  access->moved_bits = 0;
  count(command_);
  on_channel_ = &transfer;
  ++outstanding_;
  tlm::tlm_phase phase = tlm::BEGIN_REQ;
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  const tlm::tlm_sync_enum state = socket->nb_transport_fw(payload, phase, delay);
  // A memory may answer at once, with a time to come.
  if (state == tlm::TLM_COMPLETED) phase = tlm::BEGIN_RESP;
  if (state != tlm::TLM_ACCEPTED) answers_.notify(payload, phase, delay);
}

void DmaModule::count(const Command& command) {
  const std::int64_t bits = command.move.bits;
  const std::int64_t words = bits / program_->word_bits[static_cast<std::size_t>(command.stream)];
  const auto role = static_cast<std::size_t>(role_of(command.stream));
  (command.kind == Kind::kStore ? counts_.words_read : counts_.words_written)[role] += words;
  switch (command.kind) {
    case Kind::kLoad: counts_.load_bits[static_cast<std::size_t>(command.stream)] += bits; break;
    case Kind::kReload: counts_.reload_bits += bits; break;
    case Kind::kPrefetch: counts_.prefetch_bits += bits; break;
    case Kind::kStore: (command.holds_sums ? counts_.spill_bits : counts_.store_bits) += bits;
  }
}

tlm::tlm_sync_enum DmaModule::answer(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay) {
  if (delay == sc_core::SC_ZERO_TIME) {
    follow(payload, phase);
  } else {
    answers_.notify(payload, phase, delay);
  }
  return phase == tlm::BEGIN_RESP ? tlm::TLM_COMPLETED : tlm::TLM_ACCEPTED;
}

void DmaModule::follow(tlm::tlm_generic_payload& payload, const tlm::tlm_phase& phase) {
  // A response without END_REQ before it says that the request is over, too (TLM-2.0, 15.2.6).
  const bool on_channel = on_channel_ != nullptr && &on_channel_->payload == &payload;
  if (on_channel && (phase == tlm::END_REQ || phase == tlm::BEGIN_RESP)) free_channel();
  if (phase != tlm::BEGIN_RESP) return;
  for (const auto& transfer : transfers_) {
    if (&transfer->payload == &payload) arrive(*transfer);
  }
}

void DmaModule::free_channel() {
  on_channel_->channel_free = sc_core::sc_time_stamp();
  counts_.busy += on_channel_->channel_free - on_channel_->granted;
  on_channel_ = nullptr;
  poke_.notify(sc_core::SC_ZERO_TIME);
}

void DmaModule::arrive(Transfer& transfer) {
  if (transfer.payload.is_response_error()) {
    SC_REPORT_ERROR(
        "/vernier/dma",
        fmt::format("the memory answered a block at address {} with '{}'",
                    transfer.payload.get_address(), transfer.payload.get_response_string())
            .c_str());
  }
  const Command& command = transfer.command;
  const auto* access = transfer.payload.get_extension<BlockAccess>();
  const std::int64_t moved = access->moved_bits > 0 ? access->moved_bits : command.move.bits;
  (command.kind == Kind::kStore
       ? counts_.bits_written
       : counts_.bits_read)[static_cast<std::size_t>(role_of(command.stream))] += moved;
  if (command.kind == Kind::kStore) {
    output_left(command.block);
  } else {
    fill(transfer);
  }
  if (observer_ != nullptr) {
    observer_->on_transfer({static_cast<TransferEvent::Kind>(command.kind), command.stream,
                            command.move.bits, transfer.granted, transfer.channel_free,
                            sc_core::sc_time_stamp()});
    observer_->on_occupancy(command.stream, half_of(command.stream, command.block),
                            command.kind == Kind::kStore ? 0 : command.move.bits);
  }
  transfer.in_use = false;
  --outstanding_;
  progress_.notify(sc_core::SC_ZERO_TIME);
  poke_.notify(sc_core::SC_ZERO_TIME);
}

// Loaded data reach their half of the buffer.
void DmaModule::fill(Transfer& transfer) {
  const Command& command = transfer.command;
  const std::int64_t elements = command.move.pattern.elements();
  const std::int64_t half = half_of(command.stream, command.block);
  if (command.kind == Kind::kReload) {
    unpack(transfer.data.data(), buffers_.outputs(half), elements, command.region.element_bytes);
  } else {
    unpack(transfer.data.data(), buffers_.codes(command.stream, half), elements,
           command.region.element_bytes);
  }
  if (command.kind == Kind::kPrefetch) {
    prefetched_half_ = half;
    return;
  }
  QueuedStep* step = queue_.at(command.step);
  const std::size_t requirement = command.kind == Kind::kReload
                                      ? static_cast<std::size_t>(Requirement::kSums)
                                      : static_cast<std::size_t>(command.stream);
  step->met[requirement] = true;
  step->met_at[requirement] = sc_core::sc_time_stamp();
}

// Results leave their half of the buffer; a monitor keeps the full-width ones.
void DmaModule::unload(const Command& command, std::vector<unsigned char>& data) {
  const RowPattern& pattern = command.move.pattern;
  const std::int64_t half = half_of(BlockStream::kOutput, command.block);
  pack(buffers_.outputs(half), data.data(), pattern.elements(), command.region.element_bytes);
  if (command.holds_sums || program_->exact == nullptr) return;
  const std::int64_t* exact = buffers_.exact(half).data();
  pattern.for_each_run([&](std::int64_t first) {
    std::memcpy(program_->exact + first, exact,
                static_cast<std::size_t>(pattern.run) * sizeof(std::int64_t));
    exact += pattern.run;
  });
}

}  // namespace vernier::memory
