// The tables of `vernier validate bitfusion`.
#include <iterator>
#include <numeric>

#include <fmt/format.h>

#include "validation/bitfusion.hpp"

namespace vernier::validation {
namespace {

double ratio(std::int64_t upper, std::int64_t lower) {
  return static_cast<double>(upper) / static_cast<double>(lower);
}

void add_layers(std::string& text, std::span<const BitFusionRow> rows, std::size_t setup) {
  auto out = std::back_inserter(text);
  fmt::format_to(out, "{}: cycles of one copy (engine: mean of all copies), batch 16\n",
                 bitfusion_setups()[setup].name);
  fmt::format_to(
      out, "{:<10} {:<20} {:>2} {:>11} {:>11} {:>5} {:>11} {:>11} {:>11} {:>11} {:>6} {:>6}\n",
      "network", "layer", "x", "published", "rule", "equal", "no quirks", "engine", "array",
      "waiting", "DRAM", "ratio");
  for (const BitFusionRow& row : rows) {
    const BitFusionFigures& figures = row.figures[setup];
    const std::int64_t copies = row.copies;
    fmt::format_to(
        out,
        "{:<10} {:<20} {:>2} {:>11} {:>11} {:>5} {:>11} {:>11} {:>11} {:>11} {:>6.2f} {:>6.2f}\n",
        row.network, row.layer.name, copies, figures.published_cycles, figures.rule.total(),
        figures.is_equal() ? "yes" : "NO", figures.plain.total(), figures.engine.total() / copies,
        figures.engine.array / copies, figures.engine.waiting / copies,
        ratio(figures.engine.dram_bits, copies * figures.rule.dram_bits),
        ratio(figures.engine.total(), copies * figures.published_cycles));
  }
  text +=
      "no quirks: the rule with every mechanism below switched off; array: lines of all folds;\n"
      "waiting: for DRAM, fill and drain; DRAM: bits of the engine over those of the rule; ratio:\n"
      "engine over published\n\n";
}

struct NetworkSums {
  std::int64_t published = 0;
  std::int64_t rule = 0;
  EngineCycles engine;
};

NetworkSums sums_of(std::span<const BitFusionRow> rows, const std::string& network,
                    std::size_t setup) {
  NetworkSums sums;
  for (const BitFusionRow& row : rows) {
    if (row.network != network) continue;
    const BitFusionFigures& figures = row.figures[setup];
    sums.published += row.copies * figures.published_cycles;
    sums.rule += row.copies * figures.rule.total();
    sums.engine.array += figures.engine.array;
    sums.engine.waiting += figures.engine.waiting;
    sums.engine.ideal += figures.engine.ideal;
  }
  return sums;
}

// From the rule without quirks to the published figures, one quirk after the other, and from there
// to the engine, in percent of the published cycles. Every column of a network sums exactly.
class MechanismTable {
 public:
  MechanismTable(std::span<const BitFusionRow> rows, std::size_t setup)
      : rows_(rows),
        setup_(setup),
        machine_(bitfusion_setups()[setup].machine()),
        networks_(bitfusion_networks(rows)) {
    for (const std::string& network : networks_) sums_.push_back(sums_of(rows, network, setup));
  }

  std::string text() {
    out_ =
        fmt::format("{:<38}", fmt::format("{}, % of published", bitfusion_setups()[setup_].name));
    for (const std::string& network : networks_) out_ += fmt::format(" {:>11}", network);
    out_ += fmt::format(" {:>11}\n", "off alone");
    add_rule();
    add_engine();
    return std::move(out_) + "\n";
  }

 private:
  using PerNetwork = std::vector<std::int64_t>;

  [[nodiscard]] PerNetwork cycles_with(const BitFusionQuirks& quirks) const {
    PerNetwork cycles;
    for (const std::string& network : networks_) {
      cycles.push_back(bitfusion_network_cycles(rows_, network, machine_, quirks).total());
    }
    return cycles;
  }

  void add_cells(std::string_view name, const PerNetwork& cycles, bool is_change) {
    out_ += fmt::format("{:<38}", name);
    for (std::size_t at = 0; at < sums_.size(); ++at) {
      const double share = kPercent * ratio(cycles[at], sums_[at].published);
      out_ += is_change ? fmt::format(" {:>+11.2f}", share) : fmt::format(" {:>11.2f}", share);
    }
  }
  void add_row(std::string_view name, const PerNetwork& cycles, bool is_change = false) {
    add_cells(name, cycles, is_change);
    out_ += '\n';
  }

  void add_rule() {
    BitFusionQuirks quirks = BitFusionQuirks::none();
    PerNetwork before = cycles_with(quirks);
    add_row("rule without quirks", before);
    for (int at = 0; at < kBitFusionQuirkCount; ++at) {
      const auto quirk = static_cast<BitFusionQuirk>(at);
      quirks = quirks.with(quirk);
      const PerNetwork after = cycles_with(quirks);
      PerNetwork change = after;
      for (std::size_t network = 0; network < change.size(); ++network) {
        change[network] -= before[network];
      }
      before = after;
      add_cells(fmt::format("  + {}", to_text(quirk).name), change, true);
      out_ += fmt::format(" {:>+11.2f}\n", share_alone(quirk));
    }
    add_row("artifact's rule", before);
  }

  // What all networks together lose when only this quirk is off.
  [[nodiscard]] double share_alone(BitFusionQuirk quirk) const {
    std::int64_t published = 0;
    for (const NetworkSums& sums : sums_) published += sums.published;
    const PerNetwork cycles = cycles_with(BitFusionQuirks::all().with(quirk, false));
    const std::int64_t all = std::accumulate(cycles.begin(), cycles.end(), std::int64_t{0});
    return kPercent * ratio(all - published, published);
  }

  void add_engine() {
    PerNetwork rule;
    PerNetwork array;
    PerNetwork waiting;
    PerNetwork engine;
    for (std::size_t at = 0; at < networks_.size(); ++at) {
      const BitFusionCycles plain =
          bitfusion_network_cycles(rows_, networks_[at], machine_, BitFusionQuirks::none());
      rule.push_back(plain.total());
      array.push_back(sums_[at].engine.array - plain.compute);
      waiting.push_back(sums_[at].engine.waiting - plain.memory_wait);
      engine.push_back(sums_[at].engine.total());
    }
    add_row("rule without quirks", rule);
    add_row("  + array: dataflow, fill and drain", array, true);
    add_row("  + waits: latency, blocks, halves", waiting, true);
    add_row("Vernier's engine", engine);
  }

  static constexpr double kPercent = 100.0;
  std::span<const BitFusionRow> rows_;
  std::size_t setup_;
  BitFusionMachine machine_;
  std::vector<std::string> networks_;
  std::vector<NetworkSums> sums_;
  std::string out_;
};

void add_networks(std::string& text, std::span<const BitFusionRow> rows) {
  auto out = std::back_inserter(text);
  fmt::format_to(out, "{:<12} {:<10} {:>12} {:>12} {:>12} {:>12} {:>6}\n", "machine", "network",
                 "published", "rule", "engine", "ideal array", "ratio");
  for (std::size_t at = 0; at < kBitFusionSetupCount; ++at) {
    for (const std::string& network : bitfusion_networks(rows)) {
      const NetworkSums sums = sums_of(rows, network, at);
      fmt::format_to(out, "{:<12} {:<10} {:>12} {:>12} {:>12} {:>12.0f} {:>6.2f}\n",
                     bitfusion_setups()[at].name, network, sums.published, sums.rule,
                     sums.engine.total(), sums.engine.ideal,
                     ratio(sums.engine.total(), sums.published));
    }
  }
  text += '\n';
}

}  // namespace

std::string to_text(std::span<const BitFusionRow> rows) {
  std::string text;
  add_layers(text, rows, 0);
  for (std::size_t at = 0; at < kBitFusionSetupCount; ++at) {
    text += MechanismTable(rows, at).text();
  }
  text +=
      "off alone: all networks together under the artifact's rule without that mechanism only\n";
  for (int at = 0; at < kBitFusionQuirkCount; ++at) {
    const BitFusionQuirkText& quirk = to_text(static_cast<BitFusionQuirk>(at));
    text += fmt::format("{:<22} {}\n", quirk.name, quirk.sentence);
  }
  text += '\n';
  add_networks(text, rows);
  std::int64_t equal = 0;
  for (const BitFusionRow& row : rows) {
    for (const BitFusionFigures& figures : row.figures) equal += figures.is_equal() ? 1 : 0;
  }
  text += fmt::format(
      "{} of {} published pairs (cycles, memory wait) equal under the artifact's rule; bound: "
      "all\n",
      equal, rows.size() * kBitFusionSetupCount);
  return text;
}

}  // namespace vernier::validation
