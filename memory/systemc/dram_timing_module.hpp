// DRAM of the `timing` model as a TLM-2.0 target beside DramModule, behind the same socket and the
// same BlockAccess extension: channels of banks with open rows, refresh and FR-FCFS (design 5.9).
//
// A request's bursts enter the queues of their channels in order. END_REQ comes when the last one
// has entered, at the earliest a core cycle after BEGIN_REQ, so that the next request's bursts line
// up behind them; BEGIN_RESP when the last data have moved, in the order of the requests. Commands
// happen at edges of the DRAM clock, whose ratio to the core clock is exact; whatever the core sees
// happens at the first core edge after it. While nothing waits, time is skipped: refreshes of an
// idle memory are made up for when somebody asks.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include <systemc>
#include <tlm>
#include <tlm_utils/peq_with_cb_and_phase.h>
#include <tlm_utils/simple_target_socket.h>

#include "memory/systemc/dram_addresses.hpp"
#include "memory/systemc/dram_scheduler.hpp"

namespace vernier::memory {

class DramTimingModule : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(DramTimingModule);
  /// `core_clock` is the clock of which `clock_period` is one cycle.
  DramTimingModule(const sc_core::sc_module_name& name, const sc_core::sc_time& clock_period,
                   const DramTimingSpec& spec, Hertz core_clock);

  tlm_utils::simple_target_socket<DramTimingModule> socket;

  /// Bytes of memory from address 0 on; the host fills and reads them.
  [[nodiscard]] std::vector<unsigned char>& bytes() { return bytes_; }
  /// Time in which at least one request was on its way.
  [[nodiscard]] sc_core::sc_time busy() const { return busy_; }
  /// Commands of all channels up to now.
  [[nodiscard]] DramCounts counts();
  void trace(sc_core::sc_trace_file* file, const std::string& prefix);

 private:
  struct Request {
    tlm::tlm_generic_payload* payload = nullptr;
    BurstCursor cursor;            ///< bursts that have not entered yet
    std::int64_t bursts = 0;       ///< that have entered
    std::int64_t outstanding = 0;  ///< of those, in the queues
    std::int64_t data_end = 0;     ///< cycle of the DRAM clock
  };

  tlm::tlm_sync_enum transport(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                               sc_core::sc_time& delay);
  void answer(tlm::tlm_generic_payload& payload, const tlm::tlm_phase& phase);
  [[nodiscard]] bool accepts(tlm::tlm_generic_payload& payload, const BurstCursor& cursor) const;
  void advance();
  void run_until(std::int64_t cycle);
  void enter(std::int64_t cycle);
  void complete();
  void wake_later();
  void respond(Request& request);
  [[nodiscard]] std::int64_t core_now() const;
  void notify_at(tlm::tlm_generic_payload& payload, const tlm::tlm_phase& phase,
                 std::int64_t core_cycle);

  sc_core::sc_time period_;
  DramTimingSpec spec_;
  ClockRatio ratio_;
  AddressDecoder decoder_;
  std::vector<DramScheduler> channels_;
  std::deque<Request> requests_;  ///< in order; only the last may have bursts that wait outside
  std::int64_t first_request_ = 0;
  std::int64_t last_response_ = 0;  ///< core cycle
  std::int64_t request_begin_ = 0;  ///< core cycle of the last BEGIN_REQ
  std::vector<unsigned char> bytes_;
  sc_core::sc_time busy_;
  sc_core::sc_time busy_begin_;
  std::int64_t in_flight_ = 0;
  sc_core::sc_event wake_;
  tlm_utils::peq_with_cb_and_phase<DramTimingModule> answers_;
  bool busy_signal_ = false;
};

}  // namespace vernier::memory
