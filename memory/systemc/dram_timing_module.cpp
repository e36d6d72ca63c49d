#include "memory/systemc/dram_timing_module.hpp"

#include <algorithm>
#include <limits>

#include "arch/base/error.hpp"

namespace vernier::memory {

DramTimingModule::DramTimingModule(const sc_core::sc_module_name& name,
                                   const sc_core::sc_time& clock_period, const DramTimingSpec& spec,
                                   Hertz core_clock)
    : sc_module(name),
      socket("socket"),
      period_(clock_period),
      spec_(spec),
      ratio_(ClockRatio::of(spec.preset, core_clock)),
      decoder_(spec),
      wake_("wake"),
      answers_(this, &DramTimingModule::answer) {
  for (std::int64_t channel = 0; channel < spec.channels; ++channel) channels_.emplace_back(spec);
  socket.register_nb_transport_fw(this, &DramTimingModule::transport);
  SC_METHOD(advance);
  dont_initialize();
  sensitive << wake_;
}

std::int64_t DramTimingModule::core_now() const {
  return static_cast<std::int64_t>(sc_core::sc_time_stamp().value() / period_.value());
}

void DramTimingModule::notify_at(tlm::tlm_generic_payload& payload, const tlm::tlm_phase& phase,
                                 std::int64_t core_cycle) {
  const std::int64_t wait = core_cycle - core_now();
  VERNIER_ASSERT(wait >= 0, "an answer is not for the past");
  answers_.notify(payload, phase, period_ * static_cast<double>(wait));
}

bool DramTimingModule::accepts(tlm::tlm_generic_payload& payload, const BurstCursor& cursor) const {
  if (payload.is_response_error()) return false;
  constexpr std::int64_t kBitsPerByte = 8;
  if (cursor.end_bits() <= spec_.capacity_bytes() * kBitsPerByte) return true;
  payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
  return false;
}

tlm::tlm_sync_enum DramTimingModule::transport(tlm::tlm_generic_payload& payload,
                                               tlm::tlm_phase& phase, sc_core::sc_time& delay) {
  if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;
  VERNIER_ASSERT(delay == sc_core::SC_ZERO_TIME, "requests are made when they are due");
  VERNIER_ASSERT(requests_.empty() || requests_.back().cursor.is_done(),
                 "the next request comes after END_REQ");
  serve_block(payload, 0, bytes_.data(), bytes_.size());
  request_begin_ = core_now();
  if (in_flight_++ == 0) busy_begin_ = sc_core::sc_time_stamp();
  busy_signal_ = true;
  Request request;
  request.payload = &payload;
  if (const auto* access = payload.get_extension<BlockAccess>()) {
    request.cursor = BurstCursor(*access, spec_.preset.burst_bits());
  }
  if (!accepts(payload, request.cursor)) {
    notify_at(payload, tlm::BEGIN_RESP, request_begin_ + 1);
    return tlm::TLM_ACCEPTED;
  }
  const std::int64_t cycle = ratio_.dram_ceil(request_begin_);
  run_until(cycle);
  request.data_end = cycle;
  requests_.push_back(request);
  enter(cycle);
  complete();
  wake_later();
  return tlm::TLM_ACCEPTED;
}

// Bursts of the last request go into the queues as long as there is room for the next one.
void DramTimingModule::enter(std::int64_t cycle) {
  if (requests_.empty() || requests_.back().cursor.is_done()) return;
  Request& request = requests_.back();
  const std::int64_t number = first_request_ + static_cast<std::int64_t>(requests_.size()) - 1;
  for (; !request.cursor.is_done(); request.cursor.advance()) {
    const DramPlace place = decoder_.place_of(request.cursor.burst());
    DramScheduler& channel = channels_[static_cast<std::size_t>(place.channel)];
    if (!channel.has_room()) return;
    channel.push({place.bank, place.row, request.payload->is_write(), number}, cycle);
    ++request.bursts;
    ++request.outstanding;
  }
  notify_at(*request.payload, tlm::END_REQ, std::max(request_begin_ + 1, ratio_.core_ceil(cycle)));
}

// Requests whose data have all moved are answered, the oldest first.
void DramTimingModule::complete() {
  while (!requests_.empty() && requests_.front().cursor.is_done() &&
         requests_.front().outstanding == 0) {
    respond(requests_.front());
    requests_.pop_front();
    ++first_request_;
  }
}

void DramTimingModule::respond(Request& request) {
  auto* access = request.payload->get_extension<BlockAccess>();
  access->moved_bits = request.bursts * spec_.preset.burst_bits();
  last_response_ = std::max(last_response_, ratio_.core_ceil(request.data_end));
  notify_at(*request.payload, tlm::BEGIN_RESP, last_response_);
}

// Issues every command before a cycle, in the order of their cycles over all channels.
void DramTimingModule::run_until(std::int64_t cycle) {
  const bool all_are_in = requests_.empty() || requests_.back().cursor.is_done();
  if (all_are_in) {
    for (DramScheduler& channel : channels_) channel.skip_refreshes(cycle);
  }
  for (;;) {
    DramScheduler* first = &channels_.front();
    for (DramScheduler& channel : channels_) {
      if (channel.next().cycle < first->next().cycle) first = &channel;
    }
    const std::int64_t at = first->next().cycle;
    if (at >= cycle) return;
    const auto served = first->issue();
    if (all_are_in) first->skip_refreshes(cycle);
    if (!served) continue;
    Request& request = requests_[static_cast<std::size_t>(served->request - first_request_)];
    --request.outstanding;
    request.data_end = std::max(request.data_end, served->data_end);
    enter(at + 1);
    complete();
  }
}

void DramTimingModule::advance() {
  run_until(ratio_.dram_ceil(core_now()));
  wake_later();
}

// The next command of a channel with bursts is issued at the first core edge after it.
void DramTimingModule::wake_later() {
  wake_.cancel();
  std::int64_t cycle = std::numeric_limits<std::int64_t>::max();
  for (DramScheduler& channel : channels_) {
    if (!channel.is_empty()) cycle = std::min(cycle, channel.next().cycle);
  }
  if (cycle == std::numeric_limits<std::int64_t>::max()) return;
  wake_.notify(period_ * static_cast<double>(ratio_.core_after(cycle) - core_now()));
}

DramCounts DramTimingModule::counts() {
  run_until(ratio_.dram_ceil(core_now()));
  DramCounts sum;
  for (const DramScheduler& channel : channels_) {
    sum.activates += channel.counts().activates;
    sum.reads += channel.counts().reads;
    sum.writes += channel.counts().writes;
    sum.refreshes += channel.counts().refreshes;
  }
  return sum;
}

void DramTimingModule::answer(tlm::tlm_generic_payload& payload, const tlm::tlm_phase& phase) {
  if (phase == tlm::BEGIN_RESP && --in_flight_ == 0) {
    busy_ += sc_core::sc_time_stamp() - busy_begin_;
    busy_signal_ = false;
  }
  tlm::tlm_phase step = phase;
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  socket->nb_transport_bw(payload, step, delay);
}

void DramTimingModule::trace(sc_core::sc_trace_file* file, const std::string& prefix) {
  sc_core::sc_trace(file, busy_signal_, prefix + "channel_busy");
}

}  // namespace vernier::memory
