// Reads NumPy's .npy files of integers (format versions 1.0 and 2.0, as documented by NumPy under
// numpy.lib.format) and writes such files of doubles.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vernier::frontends {

/// An array of integers in C order.
struct NpyArray {
  std::vector<std::int64_t> shape;
  std::vector<std::int32_t> values;
};

/// Throws ConfigError that names the file and what was found: no .npy file, a header that cannot
/// be read, an element type other than integers of 8 to 64 bits, Fortran order, a size that is not
/// the shape's, a value beyond 32 bits.
[[nodiscard]] NpyArray read_npy(const std::string& path);

/// The same from memory; `name` stands for the file in messages.
[[nodiscard]] NpyArray parse_npy(const std::string& bytes, const std::string& name);

/// A file (version 1.0) with an array of doubles in C order.
[[nodiscard]] std::string npy_of_doubles(const std::vector<std::int64_t>& shape,
                                         const std::vector<double>& values);

}  // namespace vernier::frontends
