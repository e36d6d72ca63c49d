#include "tests/support/shared_data.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>

namespace vernier::tests {
namespace {

std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> result;
  std::stringstream stream(line);
  for (std::string cell; std::getline(stream, cell, ',');) result.push_back(cell);
  return result;
}

}  // namespace

std::optional<std::string> shared_file(const std::string& name) {
  const std::string path = std::string(VERNIER_SOURCE_DIR) + "/../shared/reference/" + name;
  if (std::filesystem::exists(path)) return path;
  WARN("skipped: the reference file shared/reference/" << name << " is not there");
  return std::nullopt;
}

std::vector<std::map<std::string, std::string>> read_csv(const std::string& path) {
  std::ifstream stream(path);
  std::string line;
  REQUIRE(std::getline(stream, line));
  const std::vector<std::string> names = cells(line);
  std::vector<std::map<std::string, std::string>> rows;
  while (std::getline(stream, line)) {
    const std::vector<std::string> values = cells(line);
    std::map<std::string, std::string> row;
    for (std::size_t at = 0; at < values.size() && at < names.size(); ++at) {
      row[names[at]] = values[at];
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace vernier::tests
