#include "dataflow/machine/accelerator.hpp"

#include <algorithm>
#include <filesystem>
#include <initializer_list>
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

// A problem of the description at the key that a person would change.
struct SpecProblem {
  std::string key_path;
  std::string message;
};

// Checks that concern several keys.
class SpecCheck {
 public:
  explicit SpecCheck(const AcceleratorSpec& spec) : spec_(spec) {}

  std::vector<SpecProblem> run() {
    check_array();
    check_buffers();
    check_widths();
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

  const AcceleratorSpec& spec_;
  std::vector<SpecProblem> problems_;
};

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
  for (const auto& [key_path, message] : SpecCheck(spec).run()) {
    if (sound.contains(std::string_view(key_path).substr(0, key_path.find('.')))) {
      problems.add(place_of(root, key_path), key_path, message);
    }
  }
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
  std::vector<std::string> problems;
  for (const auto& [key_path, message] : SpecCheck(spec_).run()) {
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
