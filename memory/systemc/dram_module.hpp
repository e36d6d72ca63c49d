// The DRAM channel of the `bandwidth` model (design 5.3) as a TLM-2.0 target, approximately timed:
// END_REQ comes when the channel is free again, BEGIN_RESP when the data have arrived. Loads arrive
// `latency` after their last beat, stores are done with it.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <systemc>
#include <tlm>
#include <tlm_utils/peq_with_cb_and_phase.h>
#include <tlm_utils/simple_target_socket.h>

#include "memory/spec.hpp"

namespace vernier::memory {

class DramModule : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(DramModule);
  DramModule(const sc_core::sc_module_name& name, const sc_core::sc_time& clock_period,
             const DramSpec& spec);

  tlm_utils::simple_target_socket<DramModule> socket;

  /// Bytes of memory from address 0 on; the host fills and reads them.
  [[nodiscard]] std::vector<unsigned char>& bytes() { return bytes_; }
  /// Time in which the channel moved data.
  [[nodiscard]] sc_core::sc_time busy() const { return busy_; }
  /// A mistake to plant: the latency is waited for twice.
  void double_latency() { latency_ += latency_; }
  void trace(sc_core::sc_trace_file* file, const std::string& prefix);

 private:
  tlm::tlm_sync_enum transport(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                               sc_core::sc_time& delay);
  void answer(tlm::tlm_generic_payload& payload, const tlm::tlm_phase& phase);

  sc_core::sc_time period_;
  Bandwidth bandwidth_;
  sc_core::sc_time latency_;
  sc_core::sc_time busy_;
  std::vector<unsigned char> bytes_;
  tlm_utils::peq_with_cb_and_phase<DramModule> answers_;
  bool busy_signal_ = false;
  bool write_signal_ = false;
};

}  // namespace vernier::memory
