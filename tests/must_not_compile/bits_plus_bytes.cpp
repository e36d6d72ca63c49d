// Bits and bytes never add up by accident.
#include "arch/base/units.hpp"

vernier::Bits total(vernier::Bits bits, vernier::Bytes bytes) {
#ifdef VERNIER_MUST_NOT_COMPILE
  return bits + bytes;
#else
  return bits + vernier::to_bits(bytes);
#endif
}
