// The life of one SystemC simulation. The kernel's state is global; a fresh context per run lets
// one process run many simulations one after the other (never in parallel threads).
#pragma once

#include <systemc>

namespace vernier::arch {

/// Makes a fresh simulation context current; the destructor throws it away. Build all modules
/// after it and destroy them before it. Only one may live at a time.
class ScopedKernel {
 public:
  ScopedKernel();
  ~ScopedKernel();
  ScopedKernel(const ScopedKernel&) = delete;
  ScopedKernel& operator=(const ScopedKernel&) = delete;

 private:
  sc_core::sc_simcontext* context_;
};

}  // namespace vernier::arch
