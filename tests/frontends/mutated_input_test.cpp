// Files with random damage through every reader: an error or sound contents, in less than a second
// and 500 MB each. A few hundred per format by default, ten thousand with [slow]; the seeds are the
// fuzz corpora. VERNIER_UPDATE_GOLDEN=1 writes the TFLite seed anew.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <sys/resource.h>
#include <vector>

#include <catch2/catch.hpp>

#include "arch/base/error.hpp"
#include "tests/support/fuzzed_readers.hpp"
#include "tests/support/tflite_fixture.hpp"

namespace vernier::frontends {
namespace {

namespace fs = std::filesystem;
using FileBytes = std::vector<std::uint8_t>;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kInstrumented = true;
#else
constexpr bool kInstrumented = false;
#endif
constexpr double kMostSeconds = kInstrumented ? 20.0 : 1.0;
constexpr long kMostMib = 500;

const fs::path kCorpus = fs::path(VERNIER_SOURCE_DIR) / "tests/fuzz/corpus";

struct Format {
  const char* corpus;
  void (*read)(tests::Bytes bytes);
};

const std::vector<Format>& formats() {
  static const std::vector<Format> list{{"model_yaml", tests::read_any_model_yaml},
                                        {"precision_yaml", tests::read_any_precision_yaml},
                                        {"machine_yaml", tests::read_any_machine_yaml},
                                        {"tflite", tests::read_any_tflite},
                                        {"topology", tests::read_any_topology},
                                        {"aimet", tests::read_any_aimet},
                                        {"result_json", tests::read_any_result_json}};
  return list;
}

FileBytes bytes_of(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// Sorted, so that a seed of the random numbers means the same everywhere.
std::vector<FileBytes> seeds_of(const std::string& corpus) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(kCorpus / corpus)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<FileBytes> seeds;
  seeds.reserve(paths.size());
  for (const fs::path& path : paths) seeds.push_back(bytes_of(path));
  return seeds;
}

class Mutator {
 public:
  Mutator(std::vector<FileBytes> seeds, unsigned seed) : seeds_(std::move(seeds)), random_(seed) {}

  FileBytes next() {
    FileBytes bytes = seeds_[below(seeds_.size())];
    for (std::size_t count = 1 + below(4); count > 0; --count) damage(bytes);
    return bytes;
  }

 private:
  std::size_t below(std::size_t end) {
    return end == 0 ? 0 : static_cast<std::size_t>(random_()) % end;
  }

  void damage(FileBytes& bytes) {
    if (bytes.empty()) return;
    const std::size_t at = below(bytes.size());
    const std::size_t length = std::min(1 + below(16), bytes.size() - at);
    const auto place = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    switch (below(7)) {
      case 0: bytes[at] = static_cast<std::uint8_t>(random_()); break;
      case 1: bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ (1U << below(8))); break;
      case 2: bytes.erase(place, place + static_cast<std::ptrdiff_t>(length)); break;
      case 3: {
        const FileBytes piece(place, place + static_cast<std::ptrdiff_t>(length));
        const std::size_t copies = 1 + below(30);
        for (std::size_t copy = 0; copy < copies; ++copy) {
          bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), piece.begin(), piece.end());
        }
        break;
      }
      case 4: write_number(bytes, at); break;
      case 5: write_text(bytes, at); break;
      default: bytes.resize(at); break;
    }
  }

  // A number of four bytes at its natural place, as sizes, offsets and indices are in binary files.
  void write_number(FileBytes& bytes, std::size_t at) {
    static const std::vector<std::uint32_t> numbers{0,          1,          2,        0x7f,
                                                    0xff,       0xffff,     1U << 24, 0x7fffffff,
                                                    0x80000000, 0xffffffff, 100'000,  0xfffffff0};
    at -= at % 4;
    const std::uint32_t number = numbers[below(numbers.size())];
    for (std::size_t byte = 0; byte < 4 && at + byte < bytes.size(); ++byte) {
      bytes[at + byte] = static_cast<std::uint8_t>(number >> (8 * byte));
    }
  }

  void write_text(FileBytes& bytes, std::size_t at) {
    static const std::vector<std::string> texts{"0",
                                                "-1",
                                                "16777217",
                                                "9223372036854775808",
                                                "[",
                                                "{",
                                                "]",
                                                "}",
                                                ",",
                                                ":",
                                                "\"",
                                                "\n",
                                                "$channels",
                                                "conv2d",
                                                "null",
                                                "1e999",
                                                "&a",
                                                "*a",
                                                "\xff",
                                                "name",
                                                "repeat: 1000",
                                                "16777216"};
    const std::string& text = texts[below(texts.size())];
    bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), text.begin(), text.end());
  }

  std::vector<FileBytes> seeds_;
  std::mt19937 random_;
};

long peak_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

void check_mutants(const Format& format, int count) {
  constexpr unsigned kSeed = 2024;
  Mutator mutator(seeds_of(format.corpus), kSeed);
  const long before = peak_mib();
  for (int number = 0; number < count; ++number) {
    const FileBytes bytes = mutator.next();
    INFO(format.corpus << ", seed " << kSeed << ", mutant " << number);
    const auto begin = std::chrono::steady_clock::now();
    try {
      format.read(bytes);
    } catch (const UserError& error) {
      if (error.what()[0] == '\0') FAIL("an error without a message");
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    if (seconds.count() > kMostSeconds) FAIL("took " << seconds.count() << " s");
  }
  if (!kInstrumented) CHECK(peak_mib() - before < kMostMib);
}

TEST_CASE("The TFLite seed is the fixture of the tests", "[frontends][mutants]") {
  const fs::path path = kCorpus / "tflite" / "small_network.tflite";
  const FileBytes bytes = tests::small_tflite_network();
  if (std::getenv("VERNIER_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }
  CHECK(bytes_of(path) == bytes);
}

TEST_CASE("Every seed is read or refused as such", "[frontends][mutants]") {
  for (const Format& format : formats()) {
    int good = 0;
    for (const FileBytes& bytes : seeds_of(format.corpus)) {
      try {
        format.read(bytes);
        ++good;
      } catch (const UserError& error) {
        CHECK_FALSE(std::string(error.what()).empty());
      }
    }
    INFO(format.corpus);
    CHECK(good >= 1);
  }
}

TEST_CASE("Hundreds of damaged files per format end in an error or sound contents",
          "[frontends][mutants]") {
  for (const Format& format : formats()) check_mutants(format, kInstrumented ? 100 : 400);
}

TEST_CASE("Ten thousand damaged files per format end in an error or sound contents",
          "[frontends][mutants][slow]") {
  for (const Format& format : formats()) check_mutants(format, 10'000);
}

}  // namespace
}  // namespace vernier::frontends
