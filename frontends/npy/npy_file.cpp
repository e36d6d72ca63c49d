#include "frontends/npy/npy_file.hpp"

#include <bit>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string_view>

#include <fmt/format.h>

#include "arch/base/error.hpp"
#include "arch/base/text.hpp"
#include "arch/base/units.hpp"

namespace vernier::frontends {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kPreamble = 8;  // magic and version
constexpr std::uintmax_t kMostBytes = std::uintmax_t{1} << 30;
constexpr std::size_t kMostHeader = 1 << 16;

// Element type: "<i4" and the like.
struct ElementType {
  bool is_signed = true;
  std::size_t bytes = 1;
};

class Reader {
 public:
  Reader(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  NpyArray read() {
    read_header();
    const ElementType type = element_type();
    if (entry("fortran_order") != "False") {
      fail("the array is in Fortran order; C order is read (numpy.ascontiguousarray)");
    }
    NpyArray array;
    array.shape = shape();
    std::int64_t count = 1;
    for (const std::int64_t size : array.shape) count = checked_mul(count, size);
    const auto wanted =
        static_cast<std::uint64_t>(checked_mul(count, static_cast<std::int64_t>(type.bytes)));
    if (wanted != bytes_.size()) {
      fail(fmt::format("{} bytes of data; the shape needs {}", bytes_.size(), wanted));
    }
    array.values.reserve(static_cast<std::size_t>(count));
    for (std::size_t at = 0; at < bytes_.size(); at += type.bytes) {
      array.values.push_back(value(at, type));
    }
    return array;
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const {
    throw ConfigError(fmt::format("{}: {}", name_, problem));
  }

  void read_header() {
    if (!bytes_.starts_with(kMagic) || bytes_.size() < kPreamble) {
      fail("this is no .npy file (its first bytes are not \\x93NUMPY)");
    }
    const int major = static_cast<unsigned char>(bytes_[kMagic.size()]);
    if (major != 1 && major != 2) {
      fail(fmt::format("format version {}; versions 1 and 2 are read", major));
    }
    const std::size_t length_bytes = major == 1 ? 2 : 4;
    if (bytes_.size() < kPreamble + length_bytes) fail("the file ends in its header");
    std::size_t length = 0;
    for (std::size_t at = 0; at < length_bytes; ++at) {
      length |= static_cast<std::size_t>(static_cast<unsigned char>(bytes_[kPreamble + at]))
                << (8 * at);
    }
    bytes_.remove_prefix(kPreamble + length_bytes);
    if (length > kMostHeader || length > bytes_.size()) fail("the file ends in its header");
    header_ = bytes_.substr(0, length);
    bytes_.remove_prefix(length);
  }

  // Text behind 'key': up to the comma or brace that ends it; a tuple is kept whole.
  [[nodiscard]] std::string_view entry(std::string_view key) const {
    const std::string quoted = fmt::format("'{}':", key);
    std::size_t at = header_.find(quoted);
    if (at == std::string_view::npos) fail(fmt::format("the header has no '{}'", key));
    at += quoted.size();
    while (at < header_.size() && header_[at] == ' ') ++at;
    const bool tuple = at < header_.size() && header_[at] == '(';
    std::size_t end = header_.find(tuple ? ')' : ',', at);
    if (end == std::string_view::npos) end = header_.find('}', at);
    if (end == std::string_view::npos) fail(fmt::format("the header ends within '{}'", key));
    return header_.substr(at, end - at + (tuple ? 1 : 0));
  }

  [[nodiscard]] ElementType element_type() const {
    std::string_view text = entry("descr");
    if (text.size() == 5 && text.front() == '\'' && text.back() == '\'') {
      text = text.substr(1, 3);
      const bool order = text[0] == '<' || text[0] == '|' || text[0] == '=';
      const bool integer = text[1] == 'i' || text[1] == 'u';
      const auto bytes = static_cast<std::size_t>(text[2] - '0');
      if (order && integer && (bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8)) {
        return {text[1] == 'i', bytes};
      }
    }
    fail(
        fmt::format("elements of type {}; little-endian integers of 8, 16, 32 and 64 bits are "
                    "read, for example '<i4'",
                    shown(std::string(text))));
  }

  [[nodiscard]] std::vector<std::int64_t> shape() const {
    std::string_view text = entry("shape");
    if (text.size() < 2 || text.front() != '(' || text.back() != ')') fail("shape is no tuple");
    text = text.substr(1, text.size() - 2);
    std::vector<std::int64_t> sizes;
    while (true) {
      while (!text.empty() && (text.front() == ' ' || text.front() == ',')) text.remove_prefix(1);
      if (text.empty()) return sizes;
      std::int64_t size = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
      if (error != std::errc{} || size < 0) fail(fmt::format("the shape holds {}", shown(text)));
      sizes.push_back(size);
      text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    }
  }

  [[nodiscard]] std::int32_t value(std::size_t at, const ElementType& type) const {
    constexpr unsigned kWord = 64;
    std::uint64_t code = 0;
    std::memcpy(&code, bytes_.data() + at, type.bytes);
    const unsigned unused = kWord - 8 * static_cast<unsigned>(type.bytes);
    const auto number = type.is_signed ? static_cast<std::int64_t>(code << unused) >> unused
                                       : static_cast<std::int64_t>(code);
    if (number < std::numeric_limits<std::int32_t>::min() ||
        number > std::numeric_limits<std::int32_t>::max()) {
      fail(fmt::format("value {} at element {} is beyond 32 bits", number, at / type.bytes));
    }
    return static_cast<std::int32_t>(number);
  }

  std::string_view bytes_;
  const std::string& name_;
  std::string_view header_;
};

}  // namespace

NpyArray parse_npy(const std::string& bytes, const std::string& name) {
  try {
    return Reader(bytes, name).read();
  } catch (const ArithmeticOverflow&) {
    throw ConfigError(fmt::format("{}: the shape is larger than any file", name));
  }
}

NpyArray read_npy(const std::string& path) {
  std::error_code status;
  const bool is_file = std::filesystem::is_regular_file(path, status);
  std::ifstream stream(path, std::ios::binary);
  if (!is_file || !stream) throw ConfigError(fmt::format("{}: cannot be read as a file", path));
  const std::uintmax_t size = std::filesystem::file_size(path, status);
  if (size > kMostBytes) {
    throw ConfigError(fmt::format("{}: {} bytes; at most {} are read", path, size, kMostBytes));
  }
  std::string bytes(static_cast<std::size_t>(size), '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(size));
  bytes.resize(static_cast<std::size_t>(stream.gcount()));
  return parse_npy(bytes, path);
}

std::string npy_of_doubles(const std::vector<std::int64_t>& shape,
                           const std::vector<double>& values) {
  std::string sizes;
  for (const std::int64_t size : shape) sizes += fmt::format("{}, ", size);
  std::string header =
      fmt::format("{{'descr': '<f8', 'fortran_order': False, 'shape': ({}), }}", sizes);
  constexpr std::size_t kLengthBytes = 2;
  constexpr std::size_t kAlignment = 64;  // of the data, as NumPy writes it
  const std::size_t used = kPreamble + kLengthBytes + header.size() + 1;
  header.append((kAlignment - used % kAlignment) % kAlignment, ' ');
  header += '\n';
  std::string file(kMagic);
  file += {'\x01', '\x00'};
  constexpr unsigned kByte = 8;
  constexpr std::uint64_t kMask = 0xff;
  const auto add = [&](std::uint64_t number, std::size_t bytes) {
    for (std::size_t at = 0; at < bytes; ++at) {
      file += static_cast<char>(number >> (kByte * at) & kMask);
    }
  };
  add(header.size(), kLengthBytes);
  file += header;
  for (const double value : values) add(std::bit_cast<std::uint64_t>(value), sizeof(value));
  return file;
}

}  // namespace vernier::frontends
