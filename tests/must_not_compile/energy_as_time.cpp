// An energy does not pass for a time, though both are doubles.
#include "arch/base/units.hpp"

vernier::Milliwatts power(vernier::Picojoules energy, vernier::Nanoseconds time) {
#ifdef VERNIER_MUST_NOT_COMPILE
  return vernier::average_power(energy, energy);
#else
  return vernier::average_power(energy, time);
#endif
}
