#include "dataflow/machine/accelerator.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "arch/base/fields.hpp"
#include "arch/base/text.hpp"

namespace vernier::dataflow {
namespace {

constexpr std::size_t kWidths = Bitwidth::kMax + 1;

std::optional<Bitwidth> smallest_at_least(const std::vector<std::int64_t>& widths, Bitwidth bits) {
  const auto found = std::lower_bound(widths.begin(), widths.end(), bits.bits());
  if (found == widths.end()) return std::nullopt;
  return Bitwidth(*found);
}

void sort_unique(std::vector<std::int64_t>& widths) {
  std::sort(widths.begin(), widths.end());
  widths.erase(std::unique(widths.begin(), widths.end()), widths.end());
}

void read_buffers(const YamlNode& node, AcceleratorSpec& spec, ProblemList& problems) {
  for (const auto& [name, value] : node.entries) {
    MappingReader reader(value, fmt::format("buffers.{}", name), problems);
    memory::BufferSpec buffer;
    buffer.name = name;
    std::vector<std::string> serves;
    reader.texts("serves", serves, Need::kRequired, "operands: input, weight, output");
    for (const std::string& role : serves) {
      const auto& names = memory::served_role_names();
      const auto found = std::find(names.begin(), names.end(), role);
      if (found == names.end()) {
        reader.problem("serves", fmt::format("found '{}'; allowed are {}{}", shown(role),
                                             name_list(names), suggestion(role, names)));
        continue;
      }
      buffer.serves.push_back(static_cast<TensorRole>(found - names.begin() + 1));
    }
    visit_fields(reader, buffer);
    reader.finish();
    spec.buffers.push_back(std::move(buffer));
  }
}

void read_vector(const YamlNode& node, arch::VectorSpec& vector, ProblemList& problems) {
  MappingReader reader(node, "vector", problems);
  visit_fields(reader, vector);
  if (const YamlNode* ops = reader.mapping("ops", Need::kRequired)) {
    MappingReader entries(*ops, "vector.ops", problems);
    for (const Action action : arch::vector_actions()) {
      std::int64_t cycles = 0;
      entries.integer(to_text(action), cycles, {1, 1'000'000}, Need::kOptional,
                      "lane cycles per element");
      vector.cycles_per_op[static_cast<std::size_t>(action)] = cycles;
    }
    entries.finish();
  }
  reader.finish();
}

void read_dram(const YamlNode& node, AcceleratorSpec& spec, ProblemList& problems) {
  MappingReader reader(node, "dram", problems);
  std::size_t model = 0;
  static const std::vector<std::string> models{"bandwidth"};
  reader.choice("model", model, models, Need::kOptional, "DRAM model");
  const Hertz clock = spec.clock.count() > 0 ? spec.clock : Hertz(1);
  reader.unit_value(
      "bandwidth", "bit/cycle, B/cycle, GB/s",
      [&](std::string_view text) { spec.dram.bandwidth = parse_bandwidth(text, clock); },
      Need::kRequired, "rate of the one channel");
  unit_field(reader, "latency", "cycles", spec.dram.latency, &parse_cycles, Need::kRequired,
             "core cycles from the end of a transfer to its use");
  reader.finish();
}

// Checks that concern several keys; each message names the key a person would change.
class SpecCheck {
 public:
  explicit SpecCheck(const AcceleratorSpec& spec) : spec_(spec) {}

  std::vector<std::string> run() {
    check_buffers();
    check_widths();
    constexpr std::int64_t kSlowest = 1'000;  // 1 kHz
    if (spec_.clock.count() < kSlowest) add("clock: must be 1 kHz or more");
    if (spec_.clock.count() > 1'000'000'000'000) add("clock: must be 1 THz or less");
    if (spec_.dram.latency.count() > 1'000'000'000) add("dram.latency: must be 1e9 or less");
    if (spec_.energy.tables.empty()) add("energy.tables: names no table");
    return problems_;
  }

 private:
  void add(std::string message) {
    problems_.push_back(spec_.file.empty() ? std::move(message)
                                           : fmt::format("{}: {}", spec_.file, message));
  }
  void check_buffers() {
    for (const TensorRole role : {TensorRole::kInput, TensorRole::kWeight, TensorRole::kOutput}) {
      const auto count =
          std::count_if(spec_.buffers.begin(), spec_.buffers.end(),
                        [role](const memory::BufferSpec& b) { return b.serves_role(role); });
      if (count != 1) {
        add(fmt::format("buffers: the operand '{}' is served by {} buffers; exactly one is needed",
                        to_text(role), count));
      }
    }
    for (const memory::BufferSpec& buffer : spec_.buffers) check_buffer(buffer);
  }
  void check_buffer(const memory::BufferSpec& buffer) {
    const std::string path = "buffers." + buffer.name;
    if (buffer.word.count() < 1 || buffer.word.count() > 65536) {
      add(fmt::format("{}.word: must be 1 to 65536 bit", path));
      return;
    }
    if (buffer.banks % 2 != 0) {
      add(
          fmt::format("{}.banks: found {}; the halves of a double buffer lie in different banks, "
                      "so an even number is needed",
                      path, buffer.banks));
    }
    const std::int64_t bits = to_bits(buffer.capacity).count();
    if (bits % (buffer.word.count() * buffer.banks) != 0 || bits == 0) {
      add(
          fmt::format("{}.capacity: {} is not a whole number of words of {} bit in each of {} "
                      "banks",
                      path, to_text(buffer.capacity), buffer.word.count(), buffer.banks));
    }
    if (std::set<TensorRole>(buffer.serves.begin(), buffer.serves.end()).size() !=
        buffer.serves.size()) {
      add(fmt::format("{}.serves: an operand stands twice", path));
    }
  }
  void check_widths() {
    for (const auto& [widths, role] : {std::pair(&spec_.mac.weight_bits, "weight_bits"),
                                       std::pair(&spec_.mac.activation_bits, "activation_bits")}) {
      for (const std::int64_t bits : *widths) {
        if (!std::binary_search(spec_.storage_bits.begin(), spec_.storage_bits.end(), bits)) {
          if (bits > spec_.storage_bits.back()) {
            add(fmt::format("storage_bits: no width holds the {} bits of mac.{}", bits, role));
          }
        }
      }
    }
  }

  const AcceleratorSpec& spec_;
  std::vector<std::string> problems_;
};

AcceleratorSpec read_spec(const YamlNode& root) {
  ProblemList problems;
  MappingReader reader(root, "", problems);
  AcceleratorSpec spec;
  spec.file = root.place.file;
  reader.text("name", spec.name, Need::kRequired, "name of the machine");
  reader.text("source", spec.source, Need::kOptional, "where its numbers come from");
  unit_field(reader, "technology", "nm", spec.technology, &parse_nanometers, Need::kRequired,
             "technology node; energy tables must be of the same one");
  unit_field(reader, "clock", "MHz, GHz", spec.clock, &parse_hertz, Need::kRequired, "core clock");
  if (const YamlNode* array = reader.mapping("array", Need::kRequired)) {
    MappingReader entries(*array, "array", problems);
    visit_fields(entries, spec.array);
    entries.finish();
  }
  if (const YamlNode* mac = reader.mapping("mac", Need::kRequired)) {
    MappingReader entries(*mac, "mac", problems);
    visit_fields(entries, spec.mac);
    const auto names = arch::builtin_mac_families().names();
    if (std::find(names.begin(), names.end(), spec.mac.style) == names.end()) {
      entries.problem("style", fmt::format("unknown MAC unit family '{}'; allowed are {}{}",
                                           shown(spec.mac.style), name_list(names),
                                           suggestion(spec.mac.style, names)));
    }
    entries.finish();
  }
  reader.integers("storage_bits", spec.storage_bits, {1, 32}, Need::kOptional,
                  "widths at which tensors are stored; default: the compute widths and 1");
  if (const YamlNode* buffers = reader.mapping("buffers", Need::kRequired)) {
    read_buffers(*buffers, spec, problems);
  }
  if (const YamlNode* dram = reader.mapping("dram", Need::kRequired)) {
    read_dram(*dram, spec, problems);
  }
  if (const YamlNode* vector = reader.mapping("vector", Need::kRequired)) {
    read_vector(*vector, spec.vector, problems);
  }
  if (const YamlNode* energy = reader.mapping("energy", Need::kRequired)) {
    MappingReader entries(*energy, "energy", problems);
    entries.texts("tables", spec.energy.tables, Need::kRequired, "energy tables by name or path");
    entries.text("dram", spec.energy.dram, Need::kRequired, "DRAM type in the tables");
    entries.finish();
  }
  reader.finish();
  problems.throw_if_any();
  return spec;
}

}  // namespace

Accelerator::Accelerator(AcceleratorSpec spec)
    : spec_(std::move(spec)), mode_at_(kWidths * kWidths, -1) {
  sort_unique(spec_.mac.weight_bits);
  sort_unique(spec_.mac.activation_bits);
  if (spec_.storage_bits.empty()) {
    spec_.storage_bits = spec_.mac.weight_bits;
    spec_.storage_bits.insert(spec_.storage_bits.end(), spec_.mac.activation_bits.begin(),
                              spec_.mac.activation_bits.end());
    spec_.storage_bits.push_back(1);
  }
  sort_unique(spec_.storage_bits);
  const std::vector<std::string> problems = SpecCheck(spec_).run();
  if (!problems.empty()) throw ConfigError(problems);
  try {
    family_ = arch::builtin_mac_families().find(spec_.mac.style)(spec_.mac);
  } catch (const ConfigError& error) {
    throw ConfigError(fmt::format("{}: mac: {}", spec_.file, error.what()));
  }
  for (const std::int64_t weight : spec_.mac.weight_bits) {
    for (const std::int64_t activation : spec_.mac.activation_bits) {
      mode_at_[static_cast<std::size_t>(weight) * kWidths + static_cast<std::size_t>(activation)] =
          static_cast<int>(modes_.size());
      const Bitwidth weight_bits(weight);
      const Bitwidth activation_bits(activation);
      modes_.push_back({weight_bits, activation_bits, family_->mode(weight_bits, activation_bits)});
    }
  }
  for (BufferIndex at = 0; at < spec_.buffers.size(); ++at) {
    for (const TensorRole role : spec_.buffers[at].serves) {
      buffer_of_[static_cast<std::size_t>(role)] = at;
    }
  }
}

std::optional<Bitwidth> Accelerator::compute_weight(Bitwidth bits) const {
  return smallest_at_least(spec_.mac.weight_bits, bits);
}
std::optional<Bitwidth> Accelerator::compute_activation(Bitwidth bits) const {
  return smallest_at_least(spec_.mac.activation_bits, bits);
}
std::optional<Bitwidth> Accelerator::storage(Bitwidth bits) const {
  return smallest_at_least(spec_.storage_bits, bits);
}

const arch::MacMode& Accelerator::mode(Bitwidth weight, Bitwidth activation) const {
  const int index = mode_at_[static_cast<std::size_t>(weight.bits()) * kWidths +
                             static_cast<std::size_t>(activation.bits())];
  VERNIER_ASSERT(index >= 0, "legal compute widths");
  return modes_[static_cast<std::size_t>(index)].mode;
}

BufferIndex Accelerator::buffer_of(TensorRole role) const {
  VERNIER_ASSERT(role != TensorRole::kNone, "an operand");
  return buffer_of_[static_cast<std::size_t>(role)];
}

double Accelerator::peak_macs_per_cycle(const arch::MacMode& mode) const {
  return static_cast<double>(spec_.array.pes()) * arch::macs_per_cycle(mode);
}

Accelerator read_accelerator(const YamlNode& root) { return Accelerator(read_spec(root)); }

Accelerator load_accelerator(const std::string& path) { return read_accelerator(load_yaml(path)); }

std::vector<ComponentDescription> describe_accelerator_format() {
  std::vector<ComponentDescription> result;
  {
    FieldDescriber fields("array.");
    arch::ArraySpec array;
    visit_fields(fields, array);
    result.push_back({"array", "machine part", "the PE array", fields.parameters()});
  }
  {
    FieldDescriber fields("mac.");
    arch::MacSpec mac;
    visit_fields(fields, mac);
    result.push_back({"mac", "machine part", "the MAC unit of each PE", fields.parameters()});
  }
  {
    FieldDescriber fields("buffers.NAME.");
    memory::BufferSpec buffer;
    visit_fields(fields, buffer);
    result.push_back({"buffer", "machine part", "one on-chip buffer; 'serves' lists its operands",
                      fields.parameters()});
  }
  {
    FieldDescriber fields("vector.");
    arch::VectorSpec vector;
    visit_fields(fields, vector);
    result.push_back({"vector", "machine part",
                      "the vector unit; 'ops' gives the lane cycles of each operation it has",
                      fields.parameters()});
  }
  return result;
}

}  // namespace vernier::dataflow
