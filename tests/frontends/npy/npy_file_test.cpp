#include "frontends/npy/npy_file.hpp"

#include <string>

#include <catch2/catch.hpp>

#include "arch/base/error.hpp"

namespace vernier::frontends {
namespace {

/// A file of format version 1.0 with a header and data.
std::string file_of(const std::string& header, const std::string& data) {
  std::string text = "\x93NUMPY";
  text += '\x01';
  text += '\0';
  text += static_cast<char>(header.size() & 0xFF);
  text += static_cast<char>(header.size() >> 8);
  return text + header + data;
}

std::string header_of(const std::string& descr, const std::string& shape,
                      const std::string& fortran = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }\n";
}

}  // namespace

TEST_CASE("Integers of all sizes are read from .npy files", "[npy]") {
  const NpyArray bytes =
      parse_npy(file_of(header_of("|i1", "(2, 2)"), "\x01\xff\x80\x7f"), "a.npy");
  CHECK(bytes.shape == std::vector<std::int64_t>{2, 2});
  CHECK(bytes.values == std::vector<std::int32_t>{1, -1, -128, 127});
  CHECK(parse_npy(file_of(header_of("|u1", "(1,)"), "\xff"), "a.npy").values ==
        std::vector<std::int32_t>{255});
  CHECK(parse_npy(file_of(header_of("<i2", "(1,)"), std::string("\xfe\xff", 2)), "a.npy").values ==
        std::vector<std::int32_t>{-2});
  CHECK(parse_npy(file_of(header_of("<u4", "()"), std::string("\x07\0\0\0", 4)), "a.npy").values ==
        std::vector<std::int32_t>{7});
  CHECK(parse_npy(file_of(header_of("<i8", "(0, 3)"), ""), "a.npy").values.empty());
}

TEST_CASE("A wrong .npy file is refused with what was found", "[npy]") {
  struct Case {
    std::string bytes;
    std::string message;
  };
  const auto wrong = GENERATE(values<Case>({
      {"PK\x03\x04", "no .npy file"},
      {std::string("\x93NUMPY\x03\x00", 8), "format version 3"},
      {std::string("\x93NUMPY\x01\x00\xff\xff{", 11), "ends in its header"},
      {file_of("{'descr': '|i1'}", ""), "no 'fortran_order'"},
      {file_of(header_of("<f4", "(1,)"), "1234"), "elements of type"},
      {file_of(header_of(">i4", "(1,)"), "1234"), "elements of type"},
      {file_of(header_of("|i1", "(1,)", "True"), "1"), "Fortran order"},
      {file_of(header_of("|i1", "(3,)"), "12"), "2 bytes of data; the shape needs 3"},
      {file_of(header_of("|i1", "(-3,)"), "12"), "the shape holds"},
      {file_of(header_of("|i1", "(9999999999, 9999999999)"), "1"), "larger than any file"},
      {file_of(header_of("<i8", "(1,)"), std::string("\0\0\0\0\1\0\0\0", 8)), "beyond 32 bits"},
  }));
  CAPTURE(wrong.message);
  CHECK_THROWS_WITH(parse_npy(wrong.bytes, "a.npy"),
                    Catch::StartsWith("a.npy: ") && Catch::Contains(wrong.message));
}

}  // namespace vernier::frontends
