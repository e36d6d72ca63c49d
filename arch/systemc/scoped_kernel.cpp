#include "arch/systemc/scoped_kernel.hpp"

#include <cstdlib>

#include "arch/base/error.hpp"

// SystemC's library defines main() and calls this; a program with its own main never gets here.
int sc_main(int /*argc*/, char** /*argv*/) { return EXIT_FAILURE; }

namespace vernier::arch {
namespace {

bool a_kernel_lives = false;

}  // namespace

ScopedKernel::ScopedKernel() {
  VERNIER_ASSERT(!a_kernel_lives, "one simulation at a time");
  a_kernel_lives = true;
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  // A step without anything pending is normal here.
  sc_core::sc_report_handler::set_actions(sc_core::SC_ID_NO_SC_START_ACTIVITY_,
                                          sc_core::SC_DO_NOTHING);
  context_ = new sc_core::sc_simcontext;
  sc_core::sc_curr_simcontext = context_;
  sc_core::sc_default_global_context = context_;
}

ScopedKernel::~ScopedKernel() {
  delete context_;
  sc_core::sc_curr_simcontext = nullptr;
  sc_core::sc_default_global_context = nullptr;
  a_kernel_lives = false;
}

}  // namespace vernier::arch
