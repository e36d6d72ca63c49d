// Any bytes through one reader; VERNIER_FUZZED_READER is a function of
// tests/support/fuzzed_readers.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "arch/base/error.hpp"
#include "tests/support/fuzzed_readers.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<std::uint8_t> bytes(data, data + size);  // aligned as a file in memory is
  try {
    vernier::tests::VERNIER_FUZZED_READER(bytes);
  } catch (const vernier::UserError&) {
  }
  return 0;
}
