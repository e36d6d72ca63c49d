// A result that `vernier run --format json` wrote, read back for a comparison. The file may come
// from anywhere: what is not a result is refused with file, line and key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "frontends/diff/json_tree.hpp"

namespace vernier::frontends {

/// One number of a result; counts are exact.
struct ResultFigure {
  std::string key;  ///< "cycles", "dram_bits_by_tensor.input_read"
  bool is_count = false;
  std::int64_t count = 0;
  double number = 0.0;  ///< of counts, too
};

/// The total or a layer.
struct ResultPart {
  std::string name;
  std::vector<ResultFigure> figures;                          ///< in the order of the file
  std::vector<std::pair<std::string, std::string>> settings;  ///< operator, bits, tasks ...

  /// The figure of that key, or nullptr.
  [[nodiscard]] const ResultFigure* find(std::string_view key) const;
};

struct ResultFile {
  std::string file;
  std::string machine;
  std::string network;
  /// Everything that decided the result, flattened: "machine.array.rows" and its value as text.
  std::vector<std::pair<std::string, std::string>> settings;
  ResultPart total;
  std::vector<ResultPart> layers;  ///< names are unique
};

/// Versions of the result's schema that are read.
[[nodiscard]] const std::vector<std::string>& readable_result_schemas();

/// Reads a result. Throws ConfigError: no JSON, no result, another schema, broken figures.
[[nodiscard]] ResultFile read_result(std::string_view text, const std::string& file);
[[nodiscard]] ResultFile load_result(const std::string& path);

}  // namespace vernier::frontends
