// Any bytes as an ONNX file: either an error of the user's, or a graph whose tensors all have a
// width in the report. Changes files as messages (tests/support/onnx_mutator.hpp), so that most of
// them get past the parser.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "arch/base/error.hpp"
#include "frontends/onnx/onnx_model.hpp"
#include "tests/support/onnx_mutator.hpp"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
  constexpr unsigned kBytewise = 10;  // one in so many
  if (seed % kBytewise == 0) return LLVMFuzzerMutate(data, size, most);
  const std::string text = vernier::tests::mutated_onnx(
      std::string_view(reinterpret_cast<const char*>(data), size), seed);
  if (text.empty() || text.size() > most) return LLVMFuzzerMutate(data, size, most);
  std::memcpy(data, text.data(), text.size());
  return text.size();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto model = vernier::frontends::read_onnx(
        std::string_view(reinterpret_cast<const char*>(data), size), "fuzz.onnx");
    if (model.report.widths.size() != model.graph.tensors().size()) std::abort();
    (void)model.graph.totals();
    (void)model.graph.liveness();
  } catch (const vernier::UserError&) {
  }
  return 0;
}
