#include "tests/support/peak_memory.hpp"

#include <fstream>
#include <string>

namespace vernier::tests {
namespace {

std::optional<long> status_entry(const std::string& key) {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    long value = 0;
    if (word == key && status >> value) return value;
  }
  return std::nullopt;
}

}  // namespace

bool reset_peak_memory() {
  std::ofstream references("/proc/self/clear_refs");
  references << "5" << std::flush;  // proc(5): resets the peak resident set size
  return static_cast<bool>(references);
}

std::optional<long> peak_memory_kib() { return status_entry("VmHWM:"); }
std::optional<long> current_memory_kib() { return status_entry("VmRSS:"); }

}  // namespace vernier::tests
