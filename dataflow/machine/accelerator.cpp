#include "dataflow/machine/accelerator.hpp"

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "arch/base/fields.hpp"
#include "arch/base/text.hpp"
#include "dataflow/machine/spec_check.hpp"

namespace vernier::dataflow {
namespace {

constexpr std::size_t kWidths = Bitwidth::kMax + 1;

std::optional<Bitwidth> smallest_at_least(const std::vector<std::int64_t>& widths, Bitwidth bits) {
  const auto found = std::lower_bound(widths.begin(), widths.end(), bits.bits());
  if (found == widths.end()) return std::nullopt;
  return Bitwidth(*found);
}

template <typename Value>
void sort_unique(std::vector<Value>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

// Where DRAM presets lie.
struct PresetSearch {
  std::string machine_file;
  const std::vector<std::string>& table_folders;

  // Path of a preset by name ("DDR4-2400"), or relative to the machine file ("mine/x.yaml").
  [[nodiscard]] std::string find(const std::string& preset) const {
    namespace fs = std::filesystem;
    const fs::path own = fs::path(machine_file).parent_path();
    if (preset.find('/') != std::string::npos || preset.ends_with(".yaml")) {
      return (own / preset).string();
    }
    std::vector<fs::path> folders{own / ".." / "dram"};
    for (const std::string& tables : table_folders) {
      folders.push_back(fs::path(tables).parent_path() / "dram");
    }
    std::vector<std::string> known;
    for (const fs::path& folder : folders) {
      const fs::path candidate = folder / (preset + ".yaml");
      std::error_code status;
      if (fs::exists(candidate, status)) return candidate.lexically_normal().string();
      for (fs::directory_iterator entry(folder, status), end; !status && entry != end;
           entry.increment(status)) {
        if (entry->path().extension() == ".yaml") known.push_back(entry->path().stem().string());
      }
    }
    sort_unique(known);
    throw ConfigError(fmt::format("there is no DRAM preset '{}'; known are {}{}", shown(preset),
                                  name_list(known), suggestion(preset, known)));
  }
};

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
    if (value.find("serves") != nullptr && serves.empty()) {
      reader.problem("serves", "the list is empty; a buffer serves input, weight or output");
    }
    visit_fields(reader, buffer);
    reader.finish();
    static const std::vector<std::string> taken{"", "mac", "dram", "vector", "requantizer"};
    if (std::find(taken.begin(), taken.end(), name) != taken.end()) {
      problems.add(value.place, "buffers",
                   fmt::format("'{}' is no name for a buffer; the machine's other parts are mac, "
                               "dram, vector, requantizer",
                               shown(name)));
    }
    spec.buffers.push_back(std::move(buffer));
  }
}

void read_mac(const YamlNode& node, arch::MacSpec& mac, ProblemList& problems) {
  MappingReader reader(node, "mac", problems);
  visit_fields(reader, mac);
  const auto names = arch::builtin_mac_families().names();
  if (node.find("style") != nullptr &&
      std::find(names.begin(), names.end(), mac.style) == names.end()) {
    reader.problem("style",
                   fmt::format("unknown MAC unit family '{}'; allowed are {}{}", shown(mac.style),
                               name_list(names), suggestion(mac.style, names)));
  }
  for (const arch::FamilyKey& entry : arch::family_keys()) {
    if (node.find(entry.key) == nullptr) continue;
    if (std::find(entry.families.begin(), entry.families.end(), mac.style) !=
        entry.families.end()) {
      continue;
    }
    reader.problem(entry.key, fmt::format("the family '{}' has no such parameter; it belongs to {}",
                                          shown(mac.style), name_list(entry.families)));
  }
  if (const YamlNode* modes = node.find("modes")) {
    static_cast<void>(reader.sequence("modes", Need::kOptional));
    for (std::size_t at = 0; at < modes->items.size(); ++at) {
      MappingReader entry(modes->items[at], fmt::format("mac.modes[{}]", at), problems);
      arch::ModeOverride mode;
      visit_fields(entry, mode);
      entry.finish();
      mac.modes.push_back(mode);
    }
  }
  reader.finish();
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

constexpr std::size_t kTimingModel = 1;
const std::vector<std::string>& dram_models() {
  static const std::vector<std::string> models{"bandwidth", "timing"};
  return models;
}

// The keys of the other model are known, and refused by name.
void refuse_keys(MappingReader& reader, std::initializer_list<const char*> keys,
                 const char* model) {
  for (const char* key : keys) {
    if (reader.node(key, Need::kOptional) == nullptr) continue;
    reader.problem(key, fmt::format("is for model: {}", model));
  }
}

// The keys of model: timing as they stand in the file.
struct DramTimingKeys {
  std::string preset;
  std::string mapping{memory::kDefaultMapping};
  memory::DramTimingSpec timing;
};

template <typename Visitor>
void visit_timing(Visitor& visitor, DramTimingKeys& keys) {
  visitor.text("preset", keys.preset, Need::kRequired,
               "a file of configs/dram by name, or a path relative to the machine file");
  visitor.text("address_mapping", keys.mapping, Need::kOptional,
               "channel, rank, bank group, bank, row, column (ch, ra, bg, ba, ro, co) of a burst's "
               "address, the most significant first");
  visit_fields(visitor, keys.timing);
}

template <typename Visitor>
void visit_bandwidth(Visitor& visitor, memory::DramSpec& dram, Hertz clock) {
  visitor.unit_value(
      "bandwidth", "bit/cycle, B/cycle, GB/s",
      [&dram, clock](std::string_view text) { dram.bandwidth = parse_bandwidth(text, clock); },
      Need::kRequired, "rate of the one channel");
  unit_field(visitor, "latency", "cycles", dram.latency, &parse_cycles, Need::kRequired,
             "core cycles from the end of a transfer to its use");
}

void read_dram_timing(MappingReader& reader, const PresetSearch& search, AcceleratorSpec& spec) {
  refuse_keys(reader, {"bandwidth", "latency"}, "bandwidth");
  DramTimingKeys keys;
  visit_timing(reader, keys);
  memory::DramTimingSpec& timing = keys.timing;
  try {
    timing.mapping = memory::AddressMapping::parse(keys.mapping);
  } catch (const ConfigError& error) {
    reader.problem("address_mapping", error.what());
  }
  if (keys.preset.empty()) return;
  try {
    timing.preset = memory::read_dram_preset(load_yaml(search.find(keys.preset)));
  } catch (const ConfigError& error) {
    reader.problem("preset", error.what());
    return;
  }
  if (timing.banks_per_channel() > memory::kMostDramBanks) {
    reader.problem("ranks",
                   fmt::format("{} ranks of {} banks; a channel has at most {} banks", timing.ranks,
                               timing.preset.banks(), memory::kMostDramBanks));
  }
  const Hertz clock = spec.clock.count() > 0 ? spec.clock : Hertz(1);
  spec.dram = memory::DramSpec::with_timing(std::move(timing), clock);
}

void read_dram(const YamlNode& node, const PresetSearch& search, AcceleratorSpec& spec,
               ProblemList& problems) {
  MappingReader reader(node, "dram", problems);
  std::size_t model = 0;
  reader.choice("model", model, dram_models(), Need::kOptional, "DRAM model");
  if (model == kTimingModel) {
    read_dram_timing(reader, search, spec);
    reader.finish();
    return;
  }
  refuse_keys(reader, {"preset", "address_mapping", "policy", "channels", "ranks", "queue"},
              "timing");
  const Hertz clock = spec.clock.count() > 0 ? spec.clock : Hertz(1);
  visit_bandwidth(reader, spec.dram, clock);
  reader.finish();
}

// Where the value of a key path stands, as far as the path exists.
SourcePlace place_of(const YamlNode& root, std::string_view key_path) {
  const YamlNode* node = &root;
  while (!key_path.empty()) {
    const YamlNode* next = node->find(key_path);  // a buffer's name may hold dots
    std::size_t end = key_path.size();
    while (next == nullptr && end > 0) {
      end = key_path.substr(0, end).rfind('.');
      if (end == std::string_view::npos) return node->place;
      next = node->find(key_path.substr(0, end));
    }
    if (next == nullptr) break;
    node = next;
    key_path.remove_prefix(std::min(key_path.size(), end + 1));
  }
  return node->place;
}

AcceleratorSpec read_spec(const YamlNode& root, const std::vector<std::string>& table_folders) {
  ProblemList problems;
  MappingReader reader(root, "", problems);
  AcceleratorSpec spec;
  spec.file = root.place.file;
  // Keys whose values were read without a problem: only those are checked against each other.
  std::set<std::string, std::less<>> sound;
  const auto section = [&](const std::string& key, const auto& read) {
    const std::size_t before = problems.count();
    read();
    if (problems.count() == before) sound.insert(key);
  };
  const auto mapping = [&](const std::string& key, const auto& read) {
    section(key, [&] {
      if (const YamlNode* node = reader.mapping(key, Need::kRequired)) read(*node);
    });
  };
  reader.text("name", spec.name, Need::kRequired, "name of the machine");
  reader.text("source", spec.source, Need::kOptional, "where its numbers come from");
  unit_field(reader, "technology", "nm", spec.technology, &parse_nanometers, Need::kRequired,
             "technology node; energy tables must be of the same one");
  section("clock", [&] {
    unit_field(reader, "clock", "MHz, GHz", spec.clock, &parse_hertz, Need::kRequired,
               "core clock");
  });
  mapping("array", [&](const YamlNode& node) {
    MappingReader entries(node, "array", problems);
    visit_fields(entries, spec.array);
    entries.finish();
  });
  section("storage_bits", [&] {
    mapping("mac", [&](const YamlNode& node) { read_mac(node, spec.mac, problems); });
    reader.integers("storage_bits", spec.storage_bits, {1, 32}, Need::kOptional,
                    "widths at which tensors are stored; default: the compute widths and 1");
  });
  mapping("buffers", [&](const YamlNode& node) { read_buffers(node, spec, problems); });
  mapping("dram", [&](const YamlNode& node) {
    read_dram(node, {root.place.file, table_folders}, spec, problems);
  });
  mapping("vector", [&](const YamlNode& node) { read_vector(node, spec.vector, problems); });
  mapping("energy", [&](const YamlNode& node) { read_energy_spec(node, spec.energy, problems); });
  reader.finish();
  for (const auto& [key_path, message] : problems_of(spec)) {
    if (sound.contains(std::string_view(key_path).substr(0, key_path.find('.')))) {
      problems.add(place_of(root, key_path), key_path, message);
    }
  }
  problems.throw_if_any();
  return spec;
}

}  // namespace

// Overlapping folds and dot_columns are built for units whose lanes all add to one sum.
void Accelerator::refuse_apart_lanes() const {
  if (!tiles_hold_one_group(spec_.array)) return;
  for (const LegalMode& legal : modes_) {
    const arch::MacMode& mode = legal.mode;
    if (mode.out_channels == 1 && mode.pixels == 1 && mode.groups == 1) continue;
    throw ConfigError(fmt::format(
        "{}{} is built for units that add all products of a step to one sum; at {} x {} bit "
        "'{}' takes {} output channels, {} pixels and {} groups apart (families that add up in "
        "every mode: fixed, sum_together, sum_together_1d, subword_together, bit_serial)",
        spec_.file.empty() ? "" : spec_.file + ": ", one_group_key(spec_.array),
        legal.weight.bits(), legal.activation.bits(), spec_.mac.style, mode.out_channels,
        mode.pixels, mode.groups));
  }
}

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
  std::vector<std::string> problems;
  for (const auto& [key_path, message] : problems_of(spec_)) {
    problems.push_back(
        fmt::format("{}{}: {}", spec_.file.empty() ? "" : spec_.file + ": ", key_path, message));
  }
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
      modes_.push_back({weight_bits, activation_bits,
                        mode_of(spec_.mac, *family_, weight_bits, activation_bits)});
    }
  }
  const bool has_groups = std::any_of(modes_.begin(), modes_.end(),
                                      [](const LegalMode& mode) { return mode.mode.groups > 1; });
  if (spec_.array.depthwise == arch::DepthwiseMode::kGroupedLanes && !has_groups) {
    throw ConfigError(fmt::format(
        "{}: array.depthwise: grouped_lanes needs a MAC unit that takes several groups at once; "
        "no mode of '{}' does (subword_apart with subwords: groups has such modes)",
        spec_.file, spec_.mac.style));
  }
  refuse_apart_lanes();
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

Accelerator read_accelerator(const YamlNode& root, const std::vector<std::string>& table_folders) {
  return Accelerator(read_spec(root, table_folders));
}

Accelerator load_accelerator(const std::string& path) { return read_accelerator(load_yaml(path)); }

std::vector<std::string> dram_assumptions(const Accelerator& machine) {
  const memory::DramSpec& dram = machine.spec().dram;
  if (!dram.timing) return {};
  const memory::DramPreset& preset = dram.timing->preset;
  return {fmt::format(
      "DRAM {} is not simulated by the analytical engine: it moves {:.6g} bit/cycle, the peak "
      "times "
      "1 - tRFC/tREFI ({}/{}), with a latency of {} core cycles (tRCD + CL), and opens each row "
      "once; --engine systemc has the banks, rows and refreshes",
      preset.name, dram.bandwidth.bits_per_cycle(), preset.cycles.rfc, preset.cycles.refi,
      dram.latency.count())};
}

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
    FieldDescriber mode_fields("mac.modes[].");
    arch::ModeOverride mode;
    visit_fields(mode_fields, mode);
    std::vector<ParameterDescription> parameters = fields.parameters();
    parameters.insert(parameters.end(), mode_fields.parameters().begin(),
                      mode_fields.parameters().end());
    result.push_back({"mac", "machine part",
                      "the MAC unit of each PE; 'modes' states modes that do not follow the "
                      "family's law",
                      std::move(parameters)});
  }
  {
    FieldDescriber fields("buffers.NAME.");
    memory::BufferSpec buffer;
    visit_fields(fields, buffer);
    result.push_back({"buffer", "machine part", "one on-chip buffer; 'serves' lists its operands",
                      fields.parameters()});
  }
  {
    FieldDescriber fields("dram.");
    memory::DramSpec dram;
    visit_bandwidth(fields, dram, Hertz(1));
    result.push_back({"dram", "machine part",
                      "the DRAM channel, model: bandwidth (default): one command at a time",
                      fields.parameters()});
  }
  {
    FieldDescriber fields("dram.");
    DramTimingKeys keys;
    visit_timing(fields, keys);
    result.push_back({"dram_timing", "machine part",
                      "model: timing: banks, open rows, refresh, FR-FCFS; simulated by --engine "
                      "systemc, the analytical engine takes an effective bandwidth",
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
  for (auto& entry : describe_energy_format()) result.push_back(std::move(entry));
  return result;
}

}  // namespace vernier::dataflow
