#include "dataflow/surrogate/objective.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "arch/base/error.hpp"
#include "arch/base/text.hpp"

namespace vernier::dataflow {
namespace {

constexpr std::string_view kStored = "_stored";

struct Named {
  std::string name;
  Measure measure;
};

std::vector<Named> make_named() {
  std::vector<Named> named{{"latency", {.quantity = Quantity::kLatency}},
                           {"energy", {.quantity = Quantity::kEnergy}},
                           {"energy_delay", {.quantity = Quantity::kEnergyDelay}},
                           {"dram_traffic", {.quantity = Quantity::kDramTraffic}},
                           {"bit_operations", {.quantity = Quantity::kBitOperations}}};
  const std::vector<std::pair<std::string, SizeAccounting>> accountings{
      {"sum_inputs", SizeAccounting::kSumInputs},
      {"sum_outputs", SizeAccounting::kSumOutputs},
      {"sum_relu", SizeAccounting::kSumRelu},
      {"max_tensor", SizeAccounting::kMaxTensor},
      {"peak_in_out", SizeAccounting::kPeakInOut}};
  const std::vector<std::pair<std::string, SizeUnit>> units{{"kB", SizeUnit::kKilobyte},
                                                            {"KiB", SizeUnit::kKibibyte}};
  for (const auto& [unit, size_unit] : units) {
    named.push_back(
        {"weight_size_" + unit, {.quantity = Quantity::kWeightSize, .unit = size_unit}});
    for (const auto& [name, accounting] : accountings) {
      named.push_back(
          {fmt::format("activation_{}_{}", name, unit),
           {.quantity = Quantity::kActivationSize, .accounting = accounting, .unit = size_unit}});
    }
  }
  return named;
}

const std::vector<Named>& named_measures() {
  static const std::vector<Named> named = make_named();
  return named;
}

bool is_size(const Measure& measure) {
  return measure.quantity == Quantity::kWeightSize || measure.quantity == Quantity::kActivationSize;
}

[[noreturn]] void refuse(const Objective& objective, std::string_view field, double found,
                         std::string_view allowed) {
  throw ConfigError(
      fmt::format("objective '{}', form '{}': {}: found {}; {}", to_text(objective.measure),
                  form_names()[static_cast<std::size_t>(objective.form)], field, found, allowed));
}

void check(const Objective& objective) {
  const bool lagrangian = objective.form == Form::kAugmentedLagrangian;
  if (!std::isfinite(objective.weight)) {
    refuse(objective, "weight", objective.weight, "a finite number is wanted");
  }
  if (lagrangian && objective.weight <= 0.0) {
    refuse(objective, "weight", objective.weight, "a number above 0 is wanted");
  }
  if (objective.form == Form::kPenalty) return;
  const bool divides = lagrangian || objective.form == Form::kLogBarrier;
  if (!std::isfinite(objective.target) || objective.target < 0.0 ||
      (divides && objective.target == 0.0)) {
    refuse(objective, "target", objective.target,
           divides ? "a number above 0 is wanted" : "a number of at least 0 is wanted");
  }
  if (lagrangian && (!std::isfinite(objective.multiplier) || objective.multiplier < 0.0)) {
    refuse(objective, "multiplier", objective.multiplier, "a number of at least 0 is wanted");
  }
}

}  // namespace

const std::vector<std::string>& measure_names() {
  static const std::vector<std::string> all_names = [] {
    std::vector<std::string> names;
    for (const Named& named : named_measures()) names.push_back(named.name);
    return names;
  }();
  return all_names;
}

Measure parse_measure(std::string_view name) {
  std::string_view stem = name;
  const bool stored = stem.ends_with(kStored);
  if (stored) stem.remove_suffix(kStored.size());
  for (const Named& named : named_measures()) {
    if (named.name != stem) continue;
    if (stored && !is_size(named.measure)) break;
    Measure measure = named.measure;
    if (stored) measure.basis = SizeBasis::kStorage;
    return measure;
  }
  constexpr std::size_t kAll = 32;
  throw ConfigError(fmt::format("objective: found '{}'; allowed are {} (sizes also with '{}'){}",
                                shown(name), name_list(measure_names(), kAll), kStored,
                                suggestion(stem, measure_names())));
}

std::string to_text(const Measure& measure) {
  for (const Named& named : named_measures()) {
    const Measure& other = named.measure;
    if (other.quantity != measure.quantity) continue;
    if (is_size(measure) && other.unit != measure.unit) continue;
    if (measure.quantity == Quantity::kActivationSize && other.accounting != measure.accounting) {
      continue;
    }
    const bool stored = is_size(measure) && measure.basis == SizeBasis::kStorage;
    return named.name + std::string(stored ? kStored : "");
  }
  VERNIER_ASSERT(false, "every measure has a name");
  return {};
}

std::string_view unit_of(const Measure& measure) {
  switch (measure.quantity) {
    case Quantity::kLatency: return "cycles";
    case Quantity::kEnergy: return "pJ";
    case Quantity::kEnergyDelay: return "pJ*cycles";
    case Quantity::kDramTraffic: return "bit";
    case Quantity::kBitOperations: return "bit operations";
    case Quantity::kWeightSize:
    case Quantity::kActivationSize: break;
  }
  return measure.unit == SizeUnit::kKilobyte ? "kB" : "KiB";
}

const std::vector<std::string>& form_names() {
  static const std::vector<std::string> names{"penalty", "hinge", "squared_hinge", "log_barrier",
                                              "augmented_lagrangian"};
  return names;
}

Form parse_form(std::string_view name) {
  const std::vector<std::string>& names = form_names();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return static_cast<Form>(found - names.begin());
  throw ConfigError(fmt::format("form: found '{}'; allowed are {}{}", shown(name), name_list(names),
                                suggestion(name, names)));
}

FormValue apply(const Objective& objective, double measured) {
  check(objective);
  const double weight = objective.weight;
  const double excess = std::max(0.0, measured - objective.target);
  switch (objective.form) {
    case Form::kPenalty: return {weight * measured, weight};
    case Form::kHinge: return {weight * excess, excess > 0.0 ? weight : 0.0};
    case Form::kSquaredHinge: return {weight * excess * excess, 2.0 * weight * excess};
    case Form::kLogBarrier:
      if (measured >= objective.target) {
        refuse(objective, "measured value", measured,
               fmt::format("a barrier needs a start below its target {}", objective.target));
      }
      return {-weight * std::log1p(-measured / objective.target),
              weight / (objective.target - measured)};
    case Form::kAugmentedLagrangian: break;
  }
  const double pull = updated_multiplier(objective, measured);
  const double multiplier = objective.multiplier;
  return {(pull * pull - multiplier * multiplier) / (2.0 * weight), pull / objective.target};
}

double updated_multiplier(const Objective& objective, double measured) {
  check(objective);
  if (objective.form != Form::kAugmentedLagrangian) {
    refuse(objective, "multiplier", objective.multiplier,
           "only the augmented Lagrangian has a multiplier");
  }
  const double violation = measured / objective.target - 1.0;
  return std::max(0.0, objective.multiplier + objective.weight * violation);
}

std::vector<Objective> schaefer_sizes(double weight_kb, double activation_kb) {
  constexpr double kWeight = 1e-4;
  return {{.measure = parse_measure("weight_size_kB"),
           .form = Form::kSquaredHinge,
           .weight = kWeight,
           .target = weight_kb},
          {.measure = parse_measure("activation_sum_inputs_kB"),
           .form = Form::kSquaredHinge,
           .weight = kWeight,
           .target = activation_kb}};
}

std::vector<Objective> uhlich_sizes(double weight_kib, double activation_kib, bool largest) {
  constexpr double kWeight = 0.1;
  return {
      {.measure = parse_measure("weight_size_KiB"),
       .form = Form::kSquaredHinge,
       .weight = kWeight,
       .target = weight_kib},
      {.measure = parse_measure(largest ? "activation_max_tensor_KiB" : "activation_sum_relu_KiB"),
       .form = Form::kSquaredHinge,
       .weight = kWeight,
       .target = activation_kib}};
}

}  // namespace vernier::dataflow
