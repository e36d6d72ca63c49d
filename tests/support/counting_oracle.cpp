#include "tests/support/counting_oracle.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include "tests/support/oracle_tiles.hpp"

namespace vernier::tests {
namespace {

using dataflow::AcceleratorSpec;
using dataflow::InputReach;
using dataflow::LayerTask;
using dataflow::Mapping;
using dataflow::TaskUnit;
using Count = std::int64_t;

class Oracle {
 public:
  Oracle(const LayerTask& task, const Mapping& mapping, const AcceleratorSpec& machine,
         const OracleBorder& border)
      : task_(task),
        machine_(machine),
        border_(border),
        is_array_(task.unit == TaskUnit::kArray),
        tiles_(walk_tiles(task, mapping, machine)) {
    check_fit();
  }

  [[nodiscard]] bool fits() const { return result_.fits; }

  OracleResult run() {
    if (!fits()) return result_;
    if (is_array_ && task_.constant_weight) {
      result_.first_weight_block = tiles_.front().blocks.weight;
    }
    count_tiles(tiles_, task_, machine_);
    count_inner();
    run_program();
    count_moved();
    return result_;
  }

 private:
  using Kind = OracleCommand::Kind;

  // ---- design 5.2: what a half holds ----

  void check_fit() {
    OracleBlocks largest;
    for (const OracleTile& tile : tiles_) {
      const OracleBlocks& blocks = tile.blocks;
      largest.input[0] = std::max(largest.input[0], blocks.input[0]);
      largest.input[1] = std::max(largest.input[1], blocks.input[1]);
      largest.weight = std::max(largest.weight, blocks.weight);
      largest.held = std::max(largest.held, blocks.held);
    }
    const auto fits = [&](std::size_t index) {
      const memory::BufferSpec& buffer = machine_.buffers[index];
      const Count words =
          (buffer.capacity - buffer.resident_bytes).count() * 8 / buffer.word.count();
      Count need = 0;
      for (const TensorRole role : buffer.serves) {
        if (role == TensorRole::kInput) need += largest.input[0] + largest.input[1];
        if (role == TensorRole::kWeight) need += largest.weight;
        if (role == TensorRole::kOutput) need += largest.held;
      }
      return need <= words / static_cast<Count>(held_by(buffer)) * buffer.word.count();
    };
    result_.fits = true;
    for (std::size_t index = 0; index < machine_.buffers.size(); ++index) {
      result_.fits = result_.fits && fits(index);
    }
    largest.weight = border_.next_weight_bits;
    result_.prefetch_fits = fits(buffer_serving(machine_, TensorRole::kWeight));
  }

  // ---- design 5.3 and 5.4: channel and array ----

  // Numbers the blocks of one operand: 0, 1, ... and a new number whenever the coordinates change.
  template <typename Coordinates>
  [[nodiscard]] std::vector<std::size_t> number_blocks(Coordinates coordinates) const {
    std::vector<std::size_t> number(tiles_.size(), 0);
    for (std::size_t t = 1; t < tiles_.size(); ++t) {
      const bool same = coordinates(tiles_[t]) == coordinates(tiles_[t - 1]);
      number[t] = number[t - 1] + (same ? 0 : 1);
    }
    return number;
  }

  struct Operand {
    std::vector<std::size_t> block_of_tile;
    std::vector<std::size_t> last_tile_of_block;
    std::vector<Count> usable;  ///< by block; 0: in the buffer from the beginning
  };

  [[nodiscard]] static Operand operand(std::vector<std::size_t> block_of_tile) {
    Operand result;
    result.last_tile_of_block.resize(block_of_tile.back() + 1);
    for (std::size_t t = 0; t < block_of_tile.size(); ++t) {
      result.last_tile_of_block[block_of_tile[t]] = t;
    }
    result.usable.assign(block_of_tile.back() + 1, 0);
    result.block_of_tile = std::move(block_of_tile);
    return result;
  }

  [[nodiscard]] std::vector<std::size_t> input_blocks(std::size_t slot) const {
    if (is_array_) {
      return number_blocks([](const OracleTile& tile) {
        return std::tuple(tile.group, tile.image, tile.row_at, tile.column_at, tile.in_at);
      });
    }
    const bool taps = task_.reach[slot] == InputReach::kTaps;
    const bool everywhere = taps || task_.reach[slot] == InputReach::kOnePixel;
    return number_blocks([everywhere, taps](const OracleTile& tile) {
      return std::tuple(taps ? 0 : tile.image, everywhere ? 0 : tile.row_at,
                        everywhere ? 0 : tile.column_at, tile.out_at);
    });
  }

  // Blocks of an operand that a buffer holds at a time.
  [[nodiscard]] static std::size_t held_by(const memory::BufferSpec& buffer) {
    return buffer.buffering == memory::Buffering::kSingle ? 1 : 2;
  }
  [[nodiscard]] std::size_t held(TensorRole role) const {
    return held_by(machine_.buffers[buffer_serving(machine_, role)]);
  }

  // One command; returns when the channel is free again.
  Count command(Kind kind, Count bits, Count condition) {
    const Count grant = std::max(channel_free_, condition);
    const Bandwidth& rate = machine_.dram.bandwidth;
    const Count beats = divide_up(bits * rate.cycles(), rate.bits());
    channel_free_ = grant + beats;
    result_.traffic.busy_cycles += beats;
    result_.commands.push_back({kind, grant, channel_free_});
    return channel_free_;
  }

  // The block that a tile needs of one operand, unless the tile before used the same one.
  void load(Operand& operand, Kind kind, std::size_t t, Count bits, Count& traffic) {
    const std::size_t m = operand.block_of_tile[t];
    if (t > 0 && operand.block_of_tile[t - 1] == m) return;
    if (bits == 0) return;  // no such operand, nothing but padding, or it is on chip
    if (kind == Kind::kWeight && m == 0 && border_.weight_is_loaded) return;
    const std::size_t places =
        held(kind == Kind::kWeight ? TensorRole::kWeight : TensorRole::kInput);
    const Count condition = m >= places ? end_[operand.last_tile_of_block[m - places]] : 0;
    operand.usable[m] = command(kind, bits, condition) + latency();
    traffic += bits;
  }

  void issue_loads(std::size_t t) {
    load(inputs_[0], Kind::kInput, t, tiles_[t].blocks.input[0], result_.traffic.input[0]);
    load(inputs_[1], Kind::kSecondInput, t, tiles_[t].blocks.input[1], result_.traffic.input[1]);
    load(weight_, Kind::kWeight, t, tiles_[t].blocks.weight, result_.traffic.weight);
  }

  void issue_reload(std::size_t t) {
    const std::size_t m = output_.block_of_tile[t];
    if (t > 0 && output_.block_of_tile[t - 1] == m) return;
    const OracleTile& tile = tiles_[t];
    const auto place = std::tuple(tile.group, tile.image, tile.row_at, tile.column_at, tile.out_at);
    if (visited_.insert(place).second) return;
    const std::size_t places = held(TensorRole::kOutput);
    const Count condition = m >= places ? store_done_[m - places] : 0;
    output_.usable[m] = command(Kind::kReload, tiles_[t].blocks.spill, condition) + latency();
    result_.traffic.reload += tiles_[t].blocks.spill;
  }

  void issue_store(std::size_t t) {
    const std::size_t m = output_.block_of_tile[t];
    if (t + 1 < tiles_.size() && output_.block_of_tile[t + 1] == m) return;
    const bool finished = tiles_[t].last_visit;
    if (finished && task_.output_resident) {  // it is where it belongs
      store_done_[m] = end_[t];
      return;
    }
    const Count bits = finished ? tiles_[t].blocks.finish : tiles_[t].blocks.spill;
    store_done_[m] = command(Kind::kStore, bits, end_[t]);
    (finished ? result_.traffic.store : result_.traffic.spill) += bits;
  }

  void run_tile(std::size_t t) {
    const Count before = t == 0 ? 0 : end_[t - 1];
    const std::size_t m = output_.block_of_tile[t];
    const Count input = std::max(inputs_[0].usable[inputs_[0].block_of_tile[t]],
                                 inputs_[1].usable[inputs_[1].block_of_tile[t]]);
    const Count weight = weight_.usable[weight_.block_of_tile[t]];
    const Count psum = output_.usable[m];
    const std::size_t places = held(TensorRole::kOutput);
    const Count space = m >= places ? store_done_[m - places] : 0;
    const Count start = std::max({before, input, weight, psum, space});
    OracleCycles& cycles = result_.cycles;
    const Count wait = start - before;
    if (t == 0) {
      cycles.fill += wait;
    } else if (input == start) {
      cycles.input += wait;
    } else if (weight == start) {
      cycles.weight += wait;
    } else if (psum == start) {
      cycles.psum += wait;
    } else {
      cycles.output += wait;
    }
    cycles.compute += tiles_[t].counts.lines;
    cycles.port += tiles_[t].counts.port;
    end_[t] = start + tiles_[t].counts.lines + tiles_[t].counts.port;
    result_.tiles.push_back({start, end_[t]});
  }

  void run_program() {
    inputs_[0] = operand(input_blocks(0));
    inputs_[1] = operand(input_blocks(1));
    weight_ = operand(number_blocks(
        [](const OracleTile& tile) { return std::tuple(tile.group, tile.out_at, tile.in_at); }));
    output_ = operand(number_blocks([](const OracleTile& tile) {
      return std::tuple(tile.group, tile.image, tile.row_at, tile.column_at, tile.out_at);
    }));
    end_.assign(tiles_.size(), 0);
    store_done_.assign(output_.usable.size(), 0);
    issue_loads(0);
    issue_reload(0);
    const bool stores_first = held(TensorRole::kOutput) == 1;
    Count last_arrival = 0;
    for (std::size_t t = 0; t < tiles_.size(); ++t) {
      run_tile(t);
      if (t + 1 < tiles_.size()) {
        issue_loads(t + 1);
        if (!stores_first) issue_reload(t + 1);
      } else if (border_.next_weight_bits > 0) {
        // The next task's block is the one after this task's last: it takes the next half.
        const std::size_t m = is_array_ ? weight_.usable.size() : 0;
        const std::size_t places = held(TensorRole::kWeight);
        const Count condition = m >= places ? end_[weight_.last_tile_of_block[m - places]] : 0;
        last_arrival = command(Kind::kPrefetch, border_.next_weight_bits, condition) + latency();
        result_.traffic.prefetch += border_.next_weight_bits;
      }
      issue_store(t);
      if (stores_first && t + 1 < tiles_.size()) issue_reload(t + 1);
    }
    result_.cycles.drain = std::max({end_.back(), channel_free_, last_arrival}) - end_.back();
  }

  [[nodiscard]] Count latency() const { return machine_.dram.latency.count(); }

  // ---- design 5.6: counts ----

  void add(OracleActivity& activity, const OracleAction& action, Count count) const {
    if (count != 0) activity[action] += count;
  }
  [[nodiscard]] int buffer_component(TensorRole role) const {
    return 1 + static_cast<int>(buffer_serving(machine_, role));
  }
  [[nodiscard]] int component_after_buffers(int offset) const {
    return 1 + static_cast<int>(machine_.buffers.size()) + offset;
  }

  void count_inner() {
    OracleActivity& activity = result_.inner_activity;
    const int mac = 0;
    const int weight = task_.weight_compute.bits();
    const int activation = task_.activation_compute.bits();
    const auto access = [&](TensorRole role, Action action, Count count) {
      add(activity, {buffer_component(role), action, role}, count);
    };
    for (std::size_t t = 0; t < tiles_.size(); ++t) {
      const OracleTileCounts& counts = tiles_[t].counts;
      access(TensorRole::kInput, Action::kRead, counts.input_reads);
      access(TensorRole::kWeight, Action::kRead, counts.weight_reads);
      access(TensorRole::kOutput, Action::kRead, counts.output_reads);
      access(TensorRole::kOutput, Action::kWrite, counts.output_writes);
      const Count outputs =
          static_cast<Count>(tiles_[t].pixels.size()) * tiles_[t].groups * tiles_[t].out_channels;
      if (!is_array_) {
        for (std::size_t at = 0; at < task_.actions.size(); ++at) {
          add(activity, {component_after_buffers(1), task_.actions[at]},
              outputs * task_.ops_per_output[at]);
        }
        if (task_.requantizes) {
          add(activity, {component_after_buffers(2), Action::kRequantize, TensorRole::kOutput},
              outputs);
        }
        continue;
      }
      const arch::MacSpec& unit = machine_.mac;
      const bool narrow =
          weight < *std::max_element(unit.weight_bits.begin(), unit.weight_bits.end()) ||
          activation < *std::max_element(unit.activation_bits.begin(), unit.activation_bits.end());
      const Action product = unit.data_gating && narrow ? Action::kMacGated : Action::kMac;
      add(activity, {mac, product, TensorRole::kNone, weight, activation}, counts.real_products);
      add(activity, {mac, Action::kMacIdle, TensorRole::kNone, weight, activation},
          counts.idle_products);
      if (tiles_[t].last_visit) {
        add(activity, {component_after_buffers(2), Action::kRequantize, TensorRole::kOutput},
            outputs);
        if (task_.activation_in_drain) {
          add(activity, {component_after_buffers(1), Action::kActivation}, outputs);
        }
      }
      add(activity, {mac, Action::kZeroPointAdd}, counts.zero_point_adds);
    }
  }

  void count_moved() {
    OracleActivity& activity = result_.activity;
    activity = result_.inner_activity;
    const int dram = component_after_buffers(0);
    // The DMA touches each block word once; DRAM counts bits.
    const auto moved = [&](TensorRole role, Action of_dram, Action of_buffer, Count bits) {
      add(activity, {dram, of_dram, role}, bits);
      add(activity, {buffer_component(role), of_buffer, role}, bits / word_serving(machine_, role));
    };
    const OracleTraffic& traffic = result_.traffic;
    for (const Count bits : traffic.input) {
      moved(TensorRole::kInput, Action::kRead, Action::kWrite, bits);
    }
    for (const Count bits : {traffic.weight, traffic.prefetch}) {
      moved(TensorRole::kWeight, Action::kRead, Action::kWrite, bits);
    }
    moved(TensorRole::kOutput, Action::kRead, Action::kWrite, traffic.reload);
    for (const Count bits : {traffic.spill, traffic.store}) {
      moved(TensorRole::kOutput, Action::kWrite, Action::kRead, bits);
    }
    const OracleCycles& c = result_.cycles;
    const Count total =
        c.compute + c.port + c.fill + c.input + c.weight + c.psum + c.output + c.drain;
    for (int component = 0; component <= component_after_buffers(2); ++component) {
      if (component != dram) add(activity, {component, Action::kLeak}, total);
    }
  }

  const LayerTask& task_;
  const AcceleratorSpec& machine_;
  OracleBorder border_;
  bool is_array_;
  std::vector<OracleTile> tiles_;

  std::array<Operand, 2> inputs_;
  Operand weight_;
  Operand output_;
  std::set<std::tuple<Count, Count, Count, Count, Count>> visited_;  ///< output blocks
  std::vector<Count> end_;                                           ///< by tile
  std::vector<Count> store_done_;                                    ///< by output block
  Count channel_free_ = 0;
  OracleResult result_;
};

}  // namespace

OracleResult count_task(const LayerTask& task, const Mapping& mapping,
                        const AcceleratorSpec& machine, const OracleBorder& border) {
  return Oracle(task, mapping, machine, border).run();
}

bool fits_buffers(const LayerTask& task, const Mapping& mapping, const AcceleratorSpec& machine) {
  return Oracle(task, mapping, machine, {}).fits();
}

}  // namespace vernier::tests
