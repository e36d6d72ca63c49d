// Reference data that lies beside the source tree and is not shipped with it. A test that needs it
// says that it was skipped when it is absent.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace vernier::tests {

/// Path of a file below the shared reference folder, or nullopt (with a message) when it is absent.
[[nodiscard]] std::optional<std::string> shared_file(const std::string& name);

/// Rows of a CSV file without quotes, by column name.
[[nodiscard]] std::vector<std::map<std::string, std::string>> read_csv(const std::string& path);

}  // namespace vernier::tests
