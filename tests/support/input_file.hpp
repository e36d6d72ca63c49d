// A file with given contents in a folder of its own; both vanish with the object.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>

namespace vernier::tests {

class InputFile {
 public:
  InputFile(const std::string& name, std::string_view text) {
    std::string pattern = (std::filesystem::temp_directory_path() / "vernier-in-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    path_ = folder_ + "/" + name;
    std::ofstream(path_, std::ios::binary) << text;
  }
  InputFile(const std::string& name, std::span<const std::uint8_t> bytes)
      : InputFile(name,
                  std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size())) {}
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile() { std::filesystem::remove_all(folder_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string folder_;
  std::string path_;
};

}  // namespace vernier::tests
