#include "frontends/tflite/tflite_model.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "arch/base/text.hpp"
#include "frontends/tflite/layers.hpp"

namespace vernier::frontends::tflite {
namespace {

constexpr std::uintmax_t kLargestFile = std::uintmax_t{1} << 31U;

std::vector<std::uint8_t> read_bytes(const std::string& path) {
  std::error_code failure;
  if (std::filesystem::exists(path, failure) && !std::filesystem::is_regular_file(path, failure)) {
    throw ConfigError(fmt::format("{}: not a regular file", path));
  }
  std::ifstream stream(path, std::ios::binary);
  const std::uintmax_t size = std::filesystem::file_size(path, failure);
  if (!stream || failure) throw ConfigError(fmt::format("{}: cannot be opened", path));
  if (size >= kLargestFile) throw ConfigError(fmt::format("{}: larger than 2 GiB", path));
  std::vector<std::uint8_t> bytes(size);
  stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
  if (stream.gcount() != static_cast<std::streamsize>(size)) {
    throw ConfigError(fmt::format("{}: cannot be read to its end", path));
  }
  return bytes;
}

}  // namespace

dataflow::ImportedModel read_tflite(std::span<const std::uint8_t> bytes, const std::string& file,
                                    const std::string& name) {
  const TfliteFile content(bytes, file);
  NetworkBuilder builder(content);
  for (const FileOperator& op : content.operators()) reader_of(builder, op)(builder, op);
  return builder.finish(name);
}

dataflow::ImportedModel load_tflite(const std::string& path) {
  return read_tflite(read_bytes(path), path, shown(std::filesystem::path(path).stem().string()));
}

bool is_tflite(const std::string& path) {
  constexpr std::string_view kMark = "TFL3";
  std::error_code failure;
  if (!std::filesystem::is_regular_file(path, failure)) return false;
  std::ifstream stream(path, std::ios::binary);
  std::array<char, 8> head{};
  stream.read(head.data(), head.size());
  return std::string_view(head.data(), head.size()).substr(4) == kMark;
}

}  // namespace vernier::frontends::tflite
