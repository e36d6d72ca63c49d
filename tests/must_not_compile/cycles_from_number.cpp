// A plain number becomes cycles only where somebody says so.
#include "arch/base/units.hpp"

vernier::Cycles latency() {
#ifdef VERNIER_MUST_NOT_COMPILE
  return 100;
#else
  return vernier::Cycles(100);
#endif
}
