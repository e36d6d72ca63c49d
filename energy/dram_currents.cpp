// DRAM by its supply currents (datasheet IDD values and timing). Per device of a rank, with
// mA * V * ns = pJ:
//   burst      VDD * (IDD4R or IDD4W - IDD3N) * BL / 2 * tCK
//   activate   VDD * (IDD0 * tRC - (IDD3N * tRAS + IDD2N * tRP)) * tCK, tRC = tRAS + tRP
//   refresh    VDD * (IDD5AB - IDD3N) * tRFC * tCK, every tREFI
//   background VDD * IDD3N over the time (a row is open)
// A transferred bit pays its share of a burst, and its share of one activation per row: streaming
// through whole rows, which is what block transfers do. Background and refresh run with the time,
// so they are the leakage of the component. Where the timing model counts activations and
// refreshes, each is paid as it happens (all devices of the channel), and bits and time pay for the
// rest only. Core energy only: no input/output drivers and no termination.
#include <charconv>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "energy/estimator.hpp"

namespace vernier::energy {
namespace {

struct Device {
  std::int64_t width = 8;
  std::int64_t bus = 64;
  std::int64_t burst = 8;
  std::int64_t columns = 1024;
  double clock_ns = 1.0;
  std::int64_t ras = 0;
  std::int64_t rp = 0;
  std::int64_t rfc = 0;
  std::int64_t refi = 1;
  double volts = 1.2;
  double idd0 = 0, idd2n = 0, idd3n = 0, idd4r = 0, idd4w = 0, idd5 = 0;  // mA
  std::string source;

  [[nodiscard]] double devices() const {
    return static_cast<double>(bus) / static_cast<double>(width);
  }
  [[nodiscard]] double row_bits() const { return static_cast<double>(columns * width); }
  [[nodiscard]] double burst_pj(bool reads) const {
    return volts * ((reads ? idd4r : idd4w) - idd3n) * static_cast<double>(burst) / 2.0 * clock_ns;
  }
  [[nodiscard]] double burst_bits() const { return static_cast<double>(burst * width); }
  [[nodiscard]] double activate_pj() const {
    const auto open = static_cast<double>(ras);
    const auto closed = static_cast<double>(rp);
    return volts * (idd0 * (open + closed) - (idd3n * open + idd2n * closed)) * clock_ns;
  }
  [[nodiscard]] double refresh_pj() const {
    return volts * (idd5 - idd3n) * static_cast<double>(rfc) * clock_ns;
  }
};

class DramCurrents final : public Estimator {
 public:
  explicit DramCurrents(const YamlNode& root) {
    ProblemList problems;
    MappingReader reader(root, "", problems);
    set_head(read_table_head(reader));
    if (const YamlNode* types = reader.mapping("types", Need::kRequired)) {
      for (const auto& [type, node] : types->entries) {
        devices_.emplace(type, read_device(node, fmt::format("types.{}", type), problems));
        names_.push_back(type);
      }
    }
    reader.finish();
    problems.throw_if_any();
  }

  [[nodiscard]] std::optional<Estimate> energy(const Hardware& hardware,
                                               const ActionQuery& query) const override {
    const auto* dram = std::get_if<DramInterface>(&hardware);
    if (dram == nullptr) return std::nullopt;
    const Device& device = find(dram->type);
    switch (query.action) {
      case Action::kRead: return Estimate::of(transfer(device, true, dram->counts_rows));
      case Action::kWrite: return Estimate::of(transfer(device, false, dram->counts_rows));
      case Action::kLeak: return Estimate::of(standing(device, query.clock, *dram));
      case Action::kActivateRow:
      case Action::kRefresh: {
        const bool opens = query.action == Action::kActivateRow;
        Estimate estimate = Estimate::of({opens ? activation(device) : refresh(device)});
        if (device.devices() != 1.0) estimate.scale(device.devices(), "devices");
        return estimate;
      }
      default: return std::nullopt;
    }
  }
  [[nodiscard]] std::optional<AreaEstimate> area(const Hardware& hardware, Hertz) const override {
    if (!std::holds_alternative<DramInterface>(hardware)) return std::nullopt;
    return AreaEstimate{SquareMicrons(0.0), "off chip"};
  }

  // The class DRAM in a composition: `burst`, `activate` and `refresh` of one device, besides the
  // transfer of `width` bits.
  [[nodiscard]] std::optional<Estimate> primitive_energy(const Primitive& primitive,
                                                         const PrimitiveAction& action,
                                                         Hertz clock) const override {
    if (primitive.class_name != "DRAM") return std::nullopt;
    const Device& device = find(primitive.word("type"));
    const std::string& name = action.name;
    if (name == "leak" || name == "idle") return Estimate::of(standing(device, clock, {}));
    if (name == "activate") return Estimate::of({activation(device)});
    if (name == "refresh") return Estimate::of({refresh(device)});
    const bool reads = name == "read";
    if (!reads && name != "write" && name != "update") return std::nullopt;
    Estimate estimate = Estimate::of(transfer(device, reads, false));
    estimate.scale(primitive.number("width"), "bits of an access");
    return estimate;
  }
  [[nodiscard]] std::optional<AreaEstimate> primitive_area(const Primitive& primitive,
                                                           Hertz) const override {
    if (primitive.class_name != "DRAM") return std::nullopt;
    return AreaEstimate{SquareMicrons(0.0), "off chip"};
  }

 private:
  static void amount(MappingReader& reader, std::string_view key, std::string_view unit,
                     double& value) {
    std::string text;
    reader.text(key, text, Need::kRequired, fmt::format("a number with the unit {}", unit));
    if (text.empty()) return;
    double number = 0.0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
    std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
    while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
    constexpr double kMost = 1e6;
    if (status != std::errc{} || rest != unit || !(number >= 0.0) || number > kMost) {
      reader.problem(key, fmt::format("found '{}'; wanted is a number from 0 to 1e6 with the unit "
                                      "'{}'",
                                      shown(text), unit));
      return;
    }
    value = number;
  }

  static Device read_device(const YamlNode& node, const std::string& path, ProblemList& problems) {
    MappingReader reader(node, path, problems);
    constexpr IntegerRange kSmall{1, 1 << 20};
    Device device;
    Nanoseconds clock{1.0};
    reader.integer("width", device.width, kSmall, Need::kRequired, "data pins of a device");
    reader.integer("bus", device.bus, kSmall, Need::kRequired, "data pins of the channel");
    reader.integer("burst", device.burst, kSmall, Need::kRequired, "beats of a burst");
    reader.integer("columns", device.columns, kSmall, Need::kRequired, "columns of a row");
    unit_field(reader, "tCK", "ns", clock, &parse_nanoseconds, Need::kRequired, "clock period");
    reader.integer("tRAS", device.ras, kSmall, Need::kRequired, "cycles a row stays open");
    reader.integer("tRP", device.rp, kSmall, Need::kRequired, "cycles of a precharge");
    reader.integer("tRFC", device.rfc, kSmall, Need::kRequired, "cycles of a refresh");
    reader.integer("tREFI", device.refi, kSmall, Need::kRequired, "cycles between refreshes");
    amount(reader, "VDD", "V", device.volts);
    amount(reader, "IDD0", "mA", device.idd0);
    amount(reader, "IDD2N", "mA", device.idd2n);
    amount(reader, "IDD3N", "mA", device.idd3n);
    amount(reader, "IDD4R", "mA", device.idd4r);
    amount(reader, "IDD4W", "mA", device.idd4w);
    amount(reader, "IDD5AB", "mA", device.idd5);
    reader.text("source", device.source, Need::kRequired, "origin of the figures");
    reader.finish();
    device.clock_ns = clock.count();
    if (node.find("tCK") != nullptr && device.clock_ns <= 0.0) {
      reader.problem("tCK", "must be more than 0");
    }
    if (device.bus % device.width != 0) {
      reader.problem("bus", "is not a whole number of devices");
    }
    return device;
  }

  [[nodiscard]] const Device& find(const std::string& type) const {
    const auto found = devices_.find(type);
    if (found == devices_.end()) {
      throw NotCovered(fmt::format("the table '{}' has no DRAM type '{}'; allowed are {}{}", name(),
                                   shown(type), name_list(names_), suggestion(type, names_)));
    }
    return found->second;
  }

  static PriceTerm activation(const Device& device) {
    return {"activate", Picojoules(device.activate_pj()),
            fmt::format("{:g} V * ({:g} mA * {} - ({:g} mA * {} + {:g} mA * {})) * {:g} ns",
                        device.volts, device.idd0, device.ras + device.rp, device.idd3n, device.ras,
                        device.idd2n, device.rp, device.clock_ns),
            device.source};
  }
  static PriceTerm refresh(const Device& device) {
    return {"refresh", Picojoules(device.refresh_pj()),
            fmt::format("{:g} V * ({:g} - {:g}) mA * {} * {:g} ns", device.volts, device.idd5,
                        device.idd3n, device.rfc, device.clock_ns),
            device.source};
  }
  // Energy of one transferred bit, with its share of an activation unless those are counted.
  static std::vector<PriceTerm> transfer(const Device& device, bool reads, bool counts_rows) {
    PriceTerm burst{"burst", Picojoules(device.burst_pj(reads) / device.burst_bits()),
                    fmt::format("{:g} V * ({:g} - {:g}) mA * {} / 2 * {:g} ns / {:g} bit",
                                device.volts, reads ? device.idd4r : device.idd4w, device.idd3n,
                                device.burst, device.clock_ns, device.burst_bits()),
                    device.source};
    if (counts_rows) return {std::move(burst)};
    PriceTerm open = activation(device);
    open.energy = Picojoules(device.activate_pj() / device.row_bits());
    open.formula += fmt::format(" / {:g} bit of a row", device.row_bits());
    return {std::move(burst), std::move(open)};
  }
  // Energy of one core cycle of all devices of all ranks; refresh is in it unless it is counted.
  static std::vector<PriceTerm> standing(const Device& device, Hertz clock,
                                         const DramInterface& dram) {
    const double period = period_of(clock).count();
    const double interval = static_cast<double>(device.refi) * device.clock_ns;
    const double devices = device.devices() * static_cast<double>(dram.ranks);
    PriceTerm background{"background", Picojoules(device.volts * device.idd3n * period * devices),
                         fmt::format("{:g} V * {:g} mA * {:g} ns * {:g} devices", device.volts,
                                     device.idd3n, period, devices),
                         device.source};
    if (dram.counts_rows) return {std::move(background)};
    return {std::move(background),
            {"refresh", Picojoules(device.refresh_pj() * period / interval * devices),
             fmt::format("{:.6g} pJ * {:g} ns / {:g} ns * {:g} devices", device.refresh_pj(),
                         period, interval, devices),
             device.source}};
  }

  std::map<std::string, Device, std::less<>> devices_;
  std::vector<std::string> names_;
};

}  // namespace

std::unique_ptr<Estimator> make_dram_currents(const YamlNode& root) {
  return std::make_unique<DramCurrents>(root);
}

}  // namespace vernier::energy
