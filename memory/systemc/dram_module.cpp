#include "memory/systemc/dram_module.hpp"

#include "memory/systemc/block_access.hpp"

namespace vernier::memory {

DramModule::DramModule(const sc_core::sc_module_name& name, const sc_core::sc_time& clock_period,
                       const DramSpec& spec)
    : sc_module(name),
      socket("socket"),
      period_(clock_period),
      bandwidth_(spec.bandwidth),
      latency_(clock_period * static_cast<double>(spec.latency.count())),
      answers_(this, &DramModule::answer) {
  socket.register_nb_transport_fw(this, &DramModule::transport);
}

tlm::tlm_sync_enum DramModule::transport(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                         sc_core::sc_time& delay) {
  if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;
  serve_block(payload, 0, bytes_.data(), bytes_.size());
  const BlockAccess* access = payload.get_extension<BlockAccess>();
  const Bits bits(access != nullptr ? access->packed_bits
                                    : std::int64_t{8} * payload.get_data_length());
  const sc_core::sc_time beats = period_ * static_cast<double>(bandwidth_.beats(bits).count());
  busy_ += beats;
  busy_signal_ = true;
  write_signal_ = payload.is_write();
  answers_.notify(payload, tlm::END_REQ, delay + beats);
  answers_.notify(payload, tlm::BEGIN_RESP,
                  payload.is_write() ? delay + beats : delay + beats + latency_);
  return tlm::TLM_ACCEPTED;
}

void DramModule::answer(tlm::tlm_generic_payload& payload, const tlm::tlm_phase& phase) {
  if (phase == tlm::END_REQ) busy_signal_ = false;
  tlm::tlm_phase step = phase;
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  socket->nb_transport_bw(payload, step, delay);
}

void DramModule::trace(sc_core::sc_trace_file* file, const std::string& prefix) {
  sc_core::sc_trace(file, busy_signal_, prefix + "channel_busy");
  sc_core::sc_trace(file, write_signal_, prefix + "channel_writes");
}

}  // namespace vernier::memory
