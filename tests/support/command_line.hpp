// Runs the built command line as a user would, and keeps what it printed.
#pragma once

#include <string>
#include <vector>

namespace vernier::tests {

struct CommandResult {
  int exit_code = -1;
  int signal = 0;  ///< the signal that ended it; 0: it exited
  double cpu_seconds = 0.0;
  long peak_mib = 0;  ///< largest resident memory
  std::string output;
  std::string error;
};

/// Runs the vernier binary with arguments; nothing is given to its standard input.
[[nodiscard]] CommandResult run_vernier(const std::vector<std::string>& arguments);

}  // namespace vernier::tests
