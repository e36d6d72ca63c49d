#include <cstdio>
#include <cstdlib>
#include <fstream>

#include <fmt/format.h>

#include "arch/base/error.hpp"
#include "frontends/cli/commands.hpp"

namespace vernier::frontends {

std::vector<std::string> energy_table_folders() {
  return {std::string(VERNIER_CONFIG_DIR) + "/energy"};
}

void write_result(const std::string& text, const std::string& path) {
  if (path.empty()) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
    return;
  }
  std::ofstream stream(path, std::ios::binary);
  stream << text;
  stream.flush();
  if (!stream) throw ConfigError(fmt::format("--output {}: cannot be written", path));
}

void say(const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); }

}  // namespace vernier::frontends
