// What a search or a training run wants of a cost: a measure by name, and the form in which it
// enters the loss (design 8.5).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vernier::dataflow {

/// What is measured.
enum class Quantity : std::uint8_t {
  kLatency,         ///< cycles
  kEnergy,          ///< pJ
  kEnergyDelay,     ///< pJ * cycles
  kDramTraffic,     ///< bits over the DRAM channel
  kWeightSize,      ///< kB or KiB
  kActivationSize,  ///< kB or KiB
  kBitOperations    ///< MACs * weight bits * activation bits
};

/// Which activations count, all for one image (ecosystem notes 3.3).
enum class SizeAccounting : std::uint8_t {
  kSumInputs,   ///< inputs of all MAC layers, except the network's, once for each reader
  kSumOutputs,  ///< outputs of all MAC layers
  kSumRelu,     ///< results of activation functions, folded or not
  kMaxTensor,   ///< the largest output of a MAC layer
  kPeakInOut    ///< the largest sum of inputs and output of a MAC layer
};

/// 1000 or 1024 bytes.
enum class SizeUnit : std::uint8_t { kKilobyte, kKibibyte };
/// Bits as the network says, or as the machine stores them.
enum class SizeBasis : std::uint8_t { kLogical, kStorage };

struct Measure {
  Quantity quantity = Quantity::kLatency;
  SizeAccounting accounting = SizeAccounting::kSumInputs;  ///< of an activation size
  SizeUnit unit = SizeUnit::kKilobyte;                     ///< of a size
  SizeBasis basis = SizeBasis::kLogical;                   ///< of a size
  /// Activation tensors that a size counts once more than its accounting says.
  std::vector<std::string> also{};
};

/// All names that parse_measure knows.
[[nodiscard]] const std::vector<std::string>& measure_names();
/// Reads "latency", "weight_size_kB", "activation_sum_relu_KiB" ...; sizes may end in "_stored"
/// for the widths at which the machine stores. Throws ConfigError with the nearest name.
[[nodiscard]] Measure parse_measure(std::string_view name);
[[nodiscard]] std::string to_text(const Measure& measure);
/// "cycles", "pJ", "kB" ...
[[nodiscard]] std::string_view unit_of(const Measure& measure);

/// How a measure g with target t enters the loss.
enum class Form : std::uint8_t {
  kPenalty,             ///< weight * g
  kHinge,               ///< weight * max(0, g - t)
  kSquaredHinge,        ///< weight * max(0, g - t)^2
  kLogBarrier,          ///< -weight * log(1 - g / t), for g < t only
  kAugmentedLagrangian  ///< (max(0, m + r*c)^2 - m^2) / 2r with c = g/t - 1, multiplier m, weight r
};
[[nodiscard]] const std::vector<std::string>& form_names();
/// Throws ConfigError with the nearest name.
[[nodiscard]] Form parse_form(std::string_view name);

struct Objective {
  Measure measure;
  Form form = Form::kPenalty;
  double weight = 1.0;
  double target = 0.0;      ///< in the measure's unit; every form but the penalty needs one
  double multiplier = 0.0;  ///< of the augmented Lagrangian
};

/// Value of a form and its derivative by the measure. At the edge of a hinge the derivative is 0.
struct FormValue {
  double value = 0.0;
  double slope = 0.0;
};
/// Throws ConfigError when weight, target or multiplier are not what the form needs, and when a
/// barrier is asked at or beyond its target.
[[nodiscard]] FormValue apply(const Objective& objective, double measured);

/// Multiplier after a step of the augmented Lagrangian: max(0, m + r * (g/t - 1)).
[[nodiscard]] double updated_multiplier(const Objective& objective, double measured);

/// Size constraints as two papers count them: squared hinges over the target in their units. Bias
/// terms count at the width of their weights.
/// "Edge Inference with Fully Differentiable Quantized Mixed Precision Neural Networks" (Schaefer
/// et al., arXiv 2206.07741, code: inputs of all layers, kB, weight 1e-4).
[[nodiscard]] std::vector<Objective> schaefer_sizes(double weight_kb, double activation_kb);
/// "Mixed Precision DNNs" (Uhlich et al., ICLR 2020, eq. 8 and 10: KiB, weight 0.1); `largest`: the
/// largest activation instead of the sum of all nonlinearities' results.
[[nodiscard]] std::vector<Objective> uhlich_sizes(double weight_kib, double activation_kib,
                                                  bool largest);

}  // namespace vernier::dataflow
