#include "dataflow/machine/spec_check.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "arch/base/text.hpp"

namespace vernier::dataflow {
namespace {

// Checks that concern several keys.
class SpecCheck {
 public:
  explicit SpecCheck(const AcceleratorSpec& spec) : spec_(spec) {}

  std::vector<SpecProblem> run() {
    check_array();
    check_buffers();
    check_widths();
    check_modes();
    check_depthwise();
    constexpr std::int64_t kSlowest = 1'000;  // 1 kHz
    if (spec_.clock.count() < kSlowest) add("clock", "must be 1 kHz or more");
    if (spec_.clock.count() > 1'000'000'000'000) add("clock", "must be 1 THz or less");
    if (spec_.dram.latency.count() > 1'000'000'000) add("dram.latency", "must be 1e9 or less");
    if (spec_.energy.tables.empty()) add("energy.tables", "names no table");
    return problems_;
  }

 private:
  void add(std::string key_path, std::string message) {
    problems_.push_back({std::move(key_path), std::move(message)});
  }
  void check_array() {
    const arch::ArraySpec& array = spec_.array;
    const std::vector<std::string> legal = arch::legal_fold_overlaps(array.dataflow);
    if (std::find(legal.begin(), legal.end(), to_text(array.fold_overlap)) == legal.end()) {
      add("array.fold_overlap",
          fmt::format("found '{}'; the dataflow {} allows {}", to_text(array.fold_overlap),
                      to_text(array.dataflow), name_list(legal)));
    }
  }
  void check_buffers() {
    for (const TensorRole role : {TensorRole::kInput, TensorRole::kWeight, TensorRole::kOutput}) {
      const auto count =
          std::count_if(spec_.buffers.begin(), spec_.buffers.end(),
                        [role](const memory::BufferSpec& b) { return b.serves_role(role); });
      if (count != 1) {
        add("buffers",
            fmt::format("the operand '{}' is served by {} buffers; exactly one is needed",
                        to_text(role), count));
      }
    }
    for (const memory::BufferSpec& buffer : spec_.buffers) check_buffer(buffer);
  }
  void check_buffer(const memory::BufferSpec& buffer) {
    const std::string path = "buffers." + buffer.name;
    if (buffer.word.count() < 1 || buffer.word.count() > 65536) {
      add(path + ".word", "must be 1 to 65536 bit");
      return;
    }
    const std::int64_t bits = to_bits(buffer.capacity).count();
    if (bits % (buffer.word.count() * buffer.banks) != 0 || bits == 0) {
      add(path + ".capacity",
          fmt::format("{} is not a whole number of words of {} bit in each of {} banks",
                      to_text(buffer.capacity), buffer.word.count(), buffer.banks));
    } else if (buffer.resident_bytes.count() != 0) {
      check_residents(buffer, path);
      return;
    }
    if (buffer.blocks_held() == 2) check_halves(buffer.banks, "found", path);
    if (std::set<TensorRole>(buffer.serves.begin(), buffer.serves.end()).size() !=
        buffer.serves.size()) {
      add(path + ".serves", "an operand stands twice");
    }
  }
  void check_halves(std::int64_t banks, std::string_view origin, const std::string& path) {
    if (banks % 2 == 0) return;
    add(path + ".banks", fmt::format("{} {}; the halves of a double buffer lie in different banks, "
                                     "so an even number is needed",
                                     origin, banks));
  }
  // The part that stays on chip and the blocks of tiles lie in banks of their own, and so do the
  // halves of a double buffer: the DMA engine and the array never meet in a bank.
  void check_residents(const memory::BufferSpec& buffer, const std::string& path) {
    const std::string key = path + ".resident_bytes";
    if (!buffer.serves_role(TensorRole::kInput) || !buffer.serves_role(TensorRole::kOutput)) {
      add(key, "activations stay on chip only in a buffer that serves input and output");
      return;
    }
    const Bits bank = Bits(to_bits(buffer.capacity).count() / buffer.banks);
    const Bits kept = to_bits(buffer.resident_bytes);
    if (kept.count() % bank.count() != 0 || buffer.resident_bytes >= buffer.capacity) {
      add(key,
          fmt::format("found {}; needed are whole banks of {}, fewer than the {} of the "
                      "buffer",
                      to_text(buffer.resident_bytes), to_text(to_bytes_ceil(bank)), buffer.banks));
      return;
    }
    const std::int64_t banks = buffer.banks - kept.count() / bank.count();
    if (buffer.blocks_held() == 2) check_halves(banks, "resident_bytes leaves", path);
  }
  void check_widths() {
    if (spec_.storage_bits.empty()) return;  // by default they hold every compute width
    const std::int64_t widest =
        *std::max_element(spec_.storage_bits.begin(), spec_.storage_bits.end());
    for (const auto& [widths, role] : {std::pair(&spec_.mac.weight_bits, "weight_bits"),
                                       std::pair(&spec_.mac.activation_bits, "activation_bits")}) {
      for (const std::int64_t bits : *widths) {
        if (bits > widest) {
          add("storage_bits", fmt::format("no width holds the {} bits of mac.{}", bits, role));
        }
      }
    }
  }

  void check_modes() {
    constexpr std::int64_t kMostMacs = 4096;
    const arch::MacSpec& mac = spec_.mac;
    const auto has = [](const std::vector<std::int64_t>& widths, std::int64_t bits) {
      return std::find(widths.begin(), widths.end(), bits) != widths.end();
    };
    std::set<std::pair<std::int64_t, std::int64_t>> seen;
    for (const arch::ModeOverride& mode : mac.modes) {
      const std::string name = fmt::format("the mode w{} a{}", mode.weight, mode.activation);
      if (!has(mac.weight_bits, mode.weight) || !has(mac.activation_bits, mode.activation)) {
        add("mac.modes",
            fmt::format("{} is none of the machine: weight_bits are {}, activation_bits are {}",
                        name, fmt::join(mac.weight_bits, ", "),
                        fmt::join(mac.activation_bits, ", ")));
      }
      if (!seen.insert({mode.weight, mode.activation}).second) {
        add("mac.modes", name + " stands twice");
      }
      const std::int64_t macs = mode.reduction * mode.out_channels * mode.pixels * mode.groups;
      if (macs > kMostMacs) {
        add("mac.modes", fmt::format("{} does {} products a step; at most {} are allowed", name,
                                     macs, kMostMacs));
      }
    }
  }
  void check_depthwise() {
    const arch::ArraySpec& array = spec_.array;
    if (array.depthwise == arch::DepthwiseMode::kBlockDiagonal &&
        array.dataflow != arch::Dataflow::kWeightStationary) {
      add("array.depthwise",
          fmt::format("block_diagonal is built for weight_stationary arrays; found {}",
                      to_text(array.dataflow)));
    }
    const bool joins_groups = array.depthwise == arch::DepthwiseMode::kBlockDiagonal ||
                              array.depthwise == arch::DepthwiseMode::kGroupedLanes;
    if (joins_groups && tiles_hold_one_group(array)) {
      add("array.depthwise",
          fmt::format("{} is not built for {}, whose tiles hold one group; allowed are per_group, "
                      "vector_unit",
                      to_text(array.depthwise), one_group_key(array)));
    }
    const auto has_op = [this](Action action) { return spec_.vector.cycles_for(action) > 0; };
    if (array.depthwise == arch::DepthwiseMode::kVectorUnit &&
        !(has_op(Action::kMultiply) && has_op(Action::kAdd))) {
      add("vector.ops", "depthwise: vector_unit needs the operations multiply and add");
    }
  }

  const AcceleratorSpec& spec_;
  std::vector<SpecProblem> problems_;
};

}  // namespace

std::vector<SpecProblem> problems_of(const AcceleratorSpec& spec) { return SpecCheck(spec).run(); }

bool tiles_hold_one_group(const arch::ArraySpec& array) {
  return array.fold_overlap != arch::FoldOverlap::kNone ||
         array.dataflow == arch::Dataflow::kDotColumns;
}

std::string one_group_key(const arch::ArraySpec& array) {
  if (array.dataflow == arch::Dataflow::kDotColumns) return "array.dataflow: dot_columns";
  return fmt::format("array.fold_overlap: {}", to_text(array.fold_overlap));
}

}  // namespace vernier::dataflow
