// The whole machine, as its description file states it (design 9), and the width lattice that
// follows from it (design 4). It joins what arch and memory describe and names the energy tables.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arch/base/yaml.hpp"
#include "arch/mac_family.hpp"
#include "arch/spec.hpp"
#include "dataflow/machine/energy_spec.hpp"
#include "memory/spec.hpp"

namespace vernier::dataflow {

/// What a machine file says. Read and checked by read_accelerator.
struct AcceleratorSpec {
  std::string name;
  std::string source;
  Nanometers technology{45};
  Hertz clock{1};
  arch::ArraySpec array;
  arch::MacSpec mac;
  std::vector<std::int64_t> storage_bits;  ///< ascending
  std::vector<memory::BufferSpec> buffers;
  memory::DramSpec dram;
  arch::VectorSpec vector;
  EnergySpec energy;
  std::string file;  ///< where it was read, for finding tables beside it
};

/// Index into AcceleratorSpec::buffers.
using BufferIndex = std::size_t;

/// A checked machine: the description, its MAC modes and its widths. Immutable, thread-safe.
class Accelerator {
 public:
  /// Checks the description; throws ConfigError with all problems.
  explicit Accelerator(AcceleratorSpec spec);

  [[nodiscard]] const AcceleratorSpec& spec() const { return spec_; }
  [[nodiscard]] const arch::MacFamily& mac_family() const { return *family_; }

  /// Smallest legal compute width >= bits in the weight role; nullopt above the largest.
  [[nodiscard]] std::optional<Bitwidth> compute_weight(Bitwidth bits) const;
  [[nodiscard]] std::optional<Bitwidth> compute_activation(Bitwidth bits) const;
  /// Smallest storage width >= bits; nullopt above the largest.
  [[nodiscard]] std::optional<Bitwidth> storage(Bitwidth bits) const;
  /// Mode at legal compute widths.
  [[nodiscard]] const arch::MacMode& mode(Bitwidth weight, Bitwidth activation) const;
  /// All legal pairs, ascending by weight, then activation.
  struct LegalMode {
    Bitwidth weight;
    Bitwidth activation;
    arch::MacMode mode;
  };
  [[nodiscard]] const std::vector<LegalMode>& modes() const { return modes_; }

  /// The buffer that serves an operand.
  [[nodiscard]] BufferIndex buffer_of(TensorRole role) const;
  [[nodiscard]] const memory::BufferSpec& buffer(TensorRole role) const {
    return spec_.buffers[buffer_of(role)];
  }
  /// MACs per cycle of the whole array in a mode.
  [[nodiscard]] double peak_macs_per_cycle(const arch::MacMode& mode) const;

 private:
  void refuse_apart_lanes() const;

  AcceleratorSpec spec_;
  std::unique_ptr<arch::MacFamily> family_;
  std::vector<LegalMode> modes_;
  std::vector<int> mode_at_;  // (weight, activation) -> index into modes_, -1: none
  BufferIndex buffer_of_[kTensorRoleCount] = {};
};

/// Reads a machine file. DRAM presets are searched in the folder `dram` beside the machine's own
/// folder, then beside each of `table_folders`. Throws ConfigError with all problems of the file.
[[nodiscard]] Accelerator read_accelerator(const YamlNode& root,
                                           const std::vector<std::string>& table_folders = {});
[[nodiscard]] Accelerator load_accelerator(const std::string& path);

/// What the analytical engine assumes about a DRAM that it does not simulate; empty when it does.
[[nodiscard]] std::vector<std::string> dram_assumptions(const Accelerator& machine);

/// Keys of a machine file with type, unit, default and sentence.
[[nodiscard]] std::vector<ComponentDescription> describe_accelerator_format();

}  // namespace vernier::dataflow
