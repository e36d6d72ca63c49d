#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "arch/base/error.hpp"
#include "arch/base/text.hpp"
#include "frontends/cli/commands.hpp"

namespace vernier::frontends {

CLI::Validator not_empty() {
  return {[](const std::string& text) { return text.empty() ? "the value is empty" : ""; }, "",
          "not empty"};
}

std::string data_folder() {
  namespace fs = std::filesystem;
  std::error_code status;
  const fs::path program = fs::read_symlink("/proc/self/exe", status);
  if (!status) {
    const fs::path installed = program.parent_path().parent_path() / "share" / "vernier";
    if (fs::is_directory(installed / "configs", status)) return installed.string();
  }
  return VERNIER_SOURCE_FOLDER;
}

std::string shipped_or_path(const std::string& given, const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code status;
  const bool is_bare = given.find('/') == std::string::npos && given.find('.') == std::string::npos;
  if (!is_bare || fs::exists(given, status)) return given;
  const fs::path shipped = fs::path(data_folder()) / "configs" / folder;
  const fs::path candidate = shipped / (given + ".yaml");
  if (fs::exists(candidate, status)) return candidate.string();
  std::vector<std::string> names;
  for (fs::directory_iterator entry(shipped, status), end; !status && entry != end;
       entry.increment(status)) {
    if (entry->path().extension() == ".yaml") names.push_back(entry->path().stem().string());
  }
  std::sort(names.begin(), names.end());
  throw ConfigError(
      fmt::format("{}: cannot be opened, and none of the shipped {} has that name; "
                  "there are {}{}",
                  shown(given), folder, name_list(names, 20), suggestion(given, names)));
}

std::vector<std::string> energy_table_folders() { return {data_folder() + "/configs/energy"}; }

void write_result(const std::string& text, const std::string& path, const std::string& option) {
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
  if (!stream) throw ConfigError(fmt::format("{} {}: cannot be written", option, path));
}

void say(const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); }

}  // namespace vernier::frontends
