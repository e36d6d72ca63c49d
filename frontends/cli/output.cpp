#include <cstdio>
#include <cstdlib>
#include <fstream>

#include <fmt/format.h>

#include "arch/base/error.hpp"
#include "frontends/cli/commands.hpp"

namespace vernier::frontends {

CLI::Validator not_empty() {
  return {[](const std::string& text) { return text.empty() ? "the value is empty" : ""; }, "",
          "not empty"};
}

std::vector<std::string> energy_table_folders() {
  return {std::string(VERNIER_CONFIG_DIR) + "/energy"};
}

void write_result(const std::string& text, const std::string& path) {
  if (path.empty()) {
    const std::size_t written = std::fwrite(text.data(), 1, text.size(), stdout);
    if (written != text.size() || std::fflush(stdout) != 0) {
      throw ConfigError("standard output cannot be written");
    }
    return;
  }
  std::ofstream stream(path, std::ios::binary);
  stream << text;
  stream.flush();
  if (!stream) throw ConfigError(fmt::format("--output {}: cannot be written", path));
}

void say(const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); }

}  // namespace vernier::frontends
