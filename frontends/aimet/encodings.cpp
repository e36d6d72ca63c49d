#include "frontends/aimet/encodings.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "arch/base/text.hpp"

namespace vernier::frontends::aimet {
namespace {

constexpr IntegerRange kBits{Bitwidth::kMin, Bitwidth::kMax};

enum class Form { kListPerName, kNamedLists, kQuantizeLinear };

// What one encoding says of the numbers it covers.
struct Numbers {
  std::int64_t bits = 0;
  bool is_float = false;
  std::optional<bool> is_symmetric;
  bool has_offset = false;
  bool all_zero = true;    // every offset is 0
  bool all_middle = true;  // every offset is the middle of the range, so that 0 stands for 0
};

std::optional<double> number_of(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::kScalar || node.quoted) return std::nullopt;
  double value = 0.0;
  const char* const end = node.scalar.data() + node.scalar.size();
  const auto [stop, status] = std::from_chars(node.scalar.data(), end, value);
  if (status != std::errc{} || stop != end) return std::nullopt;
  return value;
}

// Offsets count from the lowest code: in 8 bits -128 (or -127, for strict symmetry) is a signed
// number without zero point, 0 an unsigned one.
void add_offset(Numbers& numbers, double offset) {
  const double middle = static_cast<double>(std::int64_t{1} << (numbers.bits - 1));
  numbers.has_offset = true;
  numbers.all_zero = numbers.all_zero && offset == 0.0;
  numbers.all_middle = numbers.all_middle && (offset == -middle || offset == 1.0 - middle);
}

Precision precision_of(const Numbers& numbers) {
  Precision precision;
  precision.bits = Bitwidth(numbers.bits);
  if (numbers.is_float) {
    precision.kind = NumberKind::kFloat;
  } else if (numbers.has_offset) {
    precision.kind = numbers.all_middle ? NumberKind::kInt : NumberKind::kUint;
    precision.asymmetric = !numbers.all_middle && !numbers.all_zero;
  } else if (!numbers.is_symmetric.value_or(true)) {
    precision.kind = NumberKind::kUint;
    precision.asymmetric = true;
  }
  return precision;
}

class EncodingsReader {
 public:
  explicit EncodingsReader(const YamlNode& root) : root_(root) {}

  Encodings read() {
    MappingReader reader(root_, "", problems_);
    const std::optional<Form> form = read_version(reader);
    for (const char* key : {"quantizer_args", "excluded_layers", "producer"}) {
      (void)reader.node(key, Need::kOptional);
    }
    if (form == Form::kQuantizeLinear) {
      if (const YamlNode* list = reader.sequence("encodings", Need::kRequired)) {
        read_named(*list, "encodings", &EncodingsReader::read_quantize_linear);
      }
    } else if (form) {
      for (const char* key : {"activation_encodings", "param_encodings"}) {
        read_group(reader, key, *form);
      }
    }
    if (form) reader.finish();
    problems_.throw_if_any();
    return std::move(result_);
  }

 private:
  using EntryReader = void (EncodingsReader::*)(MappingReader& reader, const std::string& name);

  std::optional<Form> read_version(MappingReader& reader) {
    const YamlNode* node = reader.node("version", Need::kOptional);
    if (node == nullptr) {
      const YamlNode* group = root_.find("param_encodings");
      if (group == nullptr) group = root_.find("activation_encodings");
      const bool is_list = group != nullptr && group->kind == YamlNode::Kind::kSequence;
      const Form form = root_.find("encodings") != nullptr ? Form::kQuantizeLinear
                        : is_list                          ? Form::kNamedLists
                                                           : Form::kListPerName;
      static constexpr auto kNames = std::to_array<std::string_view>({"0.6", "1.0", "2.0"});
      const std::string_view name = kNames.at(static_cast<std::size_t>(form));
      result_.format = fmt::format("AIMET encodings in the form of {}", name);
      result_.notes.push_back(
          fmt::format("the file states no version: read in the form of {} by its keys", name));
      return form;
    }
    const std::string version = node->scalar;
    result_.format = fmt::format("AIMET encodings {}", shown(version));
    if (version.starts_with("0.4") || version.starts_with("0.5") || version.starts_with("0.6")) {
      return Form::kListPerName;
    }
    if (version.starts_with("1.0")) return Form::kNamedLists;
    if (version.starts_with("2.0") || version.starts_with("2.1")) return Form::kQuantizeLinear;
    reader.problem("version",
                   fmt::format("found {}; versions 0.4 to 0.6, 1.0, 2.0 and 2.1 are read",
                               node->description()));
    return std::nullopt;
  }

  void read_group(MappingReader& reader, const std::string& key, Form form) {
    if (form == Form::kNamedLists) {
      if (const YamlNode* list = reader.sequence(key, Need::kOptional)) {
        read_named(*list, key, &EncodingsReader::read_named_encoding);
      }
      return;
    }
    const YamlNode* group = reader.mapping(key, Need::kOptional);
    if (group == nullptr) return;
    for (const auto& [name, list] : group->entries) {
      if (problems_.full()) return;
      read_list(list, fmt::format("{}.{}", key, name), name);
    }
  }

  // 0.4 to 0.6: one encoding, or one per output channel.
  void read_list(const YamlNode& list, const std::string& path, const std::string& name) {
    if (list.kind == YamlNode::Kind::kMapping &&
        (list.find("input") != nullptr || list.find("output") != nullptr)) {
      problems_.add(list.place, path,
                    "encodings of a module's inputs and outputs; only encodings by tensor are read "
                    "(AIMET writes them beside the ONNX file)");
      return;
    }
    if (list.kind != YamlNode::Kind::kSequence || list.items.empty()) {
      problems_.add(list.place, path,
                    fmt::format("found {}; a list of encodings is needed", list.description()));
      return;
    }
    Precision precision;
    Numbers all;
    for (std::size_t at = 0; at < list.items.size(); ++at) {
      if (problems_.full()) return;
      MappingReader reader(list.items[at], fmt::format("{}[{}]", path, at), problems_);
      read_old(reader, all, at == 0);
      const Bitwidth bits(std::max<std::int64_t>(all.bits, 1));
      if (precision.slices.empty() || precision.slices.back().bits != bits) {
        precision.slices.push_back({1, bits});
      } else {
        ++precision.slices.back().channels;
      }
    }
    if (all.bits == 0) return;  // a problem of the first one
    const std::vector<PrecisionSlice> slices = std::move(precision.slices);
    precision = precision_of(all);
    if (slices.size() > 1) {
      precision.slices = slices;
      for (const PrecisionSlice& slice : slices) {
        precision.bits = std::max(precision.bits, slice.bits);
      }
    }
    keep(list.place, path, name, precision);
  }

  void read_old(MappingReader& reader, Numbers& numbers, bool is_first) {
    static const std::vector<std::string> types{"int", "float"};
    std::size_t type = 0;
    reader.integer("bitwidth", numbers.bits, kBits, Need::kRequired, "width");
    reader.choice("dtype", type, types, Need::kOptional, "kind of number");
    if (!is_first && numbers.is_float != (type == 1)) {
      reader.problem("dtype", "differs from the one of the first channel");
    }
    numbers.is_float = type == 1;
    read_symmetry(reader, "is_symmetric", numbers);
    if (const YamlNode* offset = reader.node("offset", Need::kOptional)) {
      read_offset(reader, *offset, numbers);
    }
    for (const char* key : {"max", "min", "scale"}) (void)reader.node(key, Need::kOptional);
    reader.finish();
  }

  void read_named(const YamlNode& list, const std::string& key, EntryReader read_entry) {
    for (std::size_t at = 0; at < list.items.size(); ++at) {
      if (problems_.full()) return;
      MappingReader reader(list.items[at], fmt::format("{}[{}]", key, at), problems_);
      std::string name;
      reader.text("name", name, Need::kRequired, "tensor");
      (this->*read_entry)(reader, name);
    }
  }

  // 1.0.
  void read_named_encoding(MappingReader& reader, const std::string& name) {
    static const std::vector<std::string> types{"INT", "FLOAT"};
    static const std::vector<std::string> kinds{"PER_TENSOR", "PER_CHANNEL", "PER_BLOCK", "LPBQ"};
    constexpr std::size_t kLowPower = 3;
    std::size_t type = 0;
    std::size_t kind = 0;
    Numbers numbers;
    reader.integer("bw", numbers.bits, kBits, Need::kRequired, "width");
    reader.choice("dtype", type, types, Need::kRequired, "kind of number");
    reader.choice("enc_type", kind, kinds, Need::kRequired, "how many scales there are");
    numbers.is_float = type == 1;
    read_symmetry(reader, "is_sym", numbers);
    const bool has_bits = numbers.bits > 0;
    if (const YamlNode* offsets = reader.sequence("offset", Need::kOptional)) {
      for (const YamlNode& offset : offsets->items) read_offset(reader, offset, numbers);
    }
    const Need need = kind == kLowPower ? Need::kRequired : Need::kOptional;
    std::int64_t stored = 0;
    reader.integer("compressed_bw", stored, kBits, need, "width of the stored weights");
    for (const char* key : {"scale", "block_size", "zero_point_shift", "per_block_int_scale"}) {
      (void)reader.node(key, Need::kOptional);
    }
    reader.finish();
    if (!has_bits || name.empty()) return;
    Precision precision = precision_of(numbers);
    if (kind == kLowPower && stored > 0) precision.bits = Bitwidth(stored);
    keep(reader.raw().place, reader.path_of("name"), name, precision);
  }

  // 2.0 and 2.1.
  void read_quantize_linear(MappingReader& reader, const std::string& name) {
    struct Type {
      std::string_view name;
      int bits;
      NumberKind kind;
    };
    static constexpr auto kTypes = std::to_array<Type>({{"int2", 2, NumberKind::kInt},
                                                        {"uint2", 2, NumberKind::kUint},
                                                        {"int4", 4, NumberKind::kInt},
                                                        {"uint4", 4, NumberKind::kUint},
                                                        {"int8", 8, NumberKind::kInt},
                                                        {"uint8", 8, NumberKind::kUint},
                                                        {"int16", 16, NumberKind::kInt},
                                                        {"uint16", 16, NumberKind::kUint},
                                                        {"int32", 32, NumberKind::kInt},
                                                        {"float4e2m1", 4, NumberKind::kFloat},
                                                        {"float8e4m3fn", 8, NumberKind::kFloat},
                                                        {"float8e4m3fnuz", 8, NumberKind::kFloat},
                                                        {"float8e5m2", 8, NumberKind::kFloat},
                                                        {"float8e5m2fnuz", 8, NumberKind::kFloat}});
    static const std::vector<std::string> names = [] {
      std::vector<std::string> list;
      list.reserve(kTypes.size());
      for (const Type& type : kTypes) list.emplace_back(type.name);
      return list;
    }();
    std::size_t which = names.size();
    reader.choice("output_dtype", which, names, Need::kRequired, "element type");
    bool is_zero = true;
    if (const YamlNode* zero_point = reader.node("y_zero_point", Need::kOptional)) {
      is_zero = all_zero(reader, *zero_point);
    }
    for (const char* key :
         {"y_scale", "axis", "block_size", "per_block_int_scale", "per_channel_float_scale"}) {
      (void)reader.node(key, Need::kOptional);
    }
    reader.finish();
    if (which == names.size() || name.empty()) return;
    Precision precision;
    precision.bits = Bitwidth(kTypes.at(which).bits);
    precision.kind = kTypes.at(which).kind;
    precision.asymmetric = !is_zero;
    keep(reader.raw().place, reader.path_of("name"), name, precision);
  }

  // A number or nested lists of numbers.
  bool all_zero(MappingReader& reader, const YamlNode& node) {
    if (node.kind == YamlNode::Kind::kSequence) {
      bool zero = true;
      for (const YamlNode& item : node.items) zero = all_zero(reader, item) && zero;
      return zero;
    }
    const std::optional<double> number = number_of(node);
    if (!number) {
      reader.problem("y_zero_point",
                     fmt::format("found {}; a number is needed", node.description()));
    }
    return number == 0.0;
  }

  static void read_symmetry(MappingReader& reader, const char* key, Numbers& numbers) {
    const YamlNode* node = reader.node(key, Need::kOptional);
    if (node == nullptr) return;
    if (node->scalar == "True" || node->scalar == "true") {
      numbers.is_symmetric = true;
    } else if (node->scalar == "False" || node->scalar == "false") {
      numbers.is_symmetric = false;
    } else {
      reader.problem(key, fmt::format("found {}; allowed are True, False", node->description()));
    }
  }

  static void read_offset(MappingReader& reader, const YamlNode& node, Numbers& numbers) {
    const std::optional<double> offset = number_of(node);
    if (!offset) {
      reader.problem("offset", fmt::format("found {}; a number is needed", node.description()));
    } else if (numbers.bits > 0) {
      add_offset(numbers, *offset);
    }
  }

  void keep(const SourcePlace& place, const std::string& path, const std::string& name,
            Precision precision) {
    if (!result_.map.tensors.emplace(name, std::move(precision)).second) {
      problems_.add(place, path, fmt::format("the tensor '{}' stands twice", shown(name)));
    }
  }

  const YamlNode& root_;
  ProblemList problems_;
  Encodings result_;
};

}  // namespace

bool is_encodings(const YamlNode& root) {
  return root.find("activation_encodings") != nullptr || root.find("param_encodings") != nullptr ||
         root.find("encodings") != nullptr;
}

Encodings read_encodings(const YamlNode& root) { return EncodingsReader(root).read(); }

YamlLimits encodings_limits() {
  YamlLimits limits;
  limits.max_bytes = std::size_t{16} * 1024 * 1024;
  return limits;
}

}  // namespace vernier::frontends::aimet
