// What must hold for any layer, machine, width and mapping. RapidCheck draws the cases and prints
// seed and shrunk case when one fails.
#include <optional>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "dataflow/evaluate/heuristic_mapper.hpp"
#include "dataflow/evaluate/task_cost.hpp"
#include "dataflow/machine/components.hpp"
#include "tests/support/example_machine.hpp"
#include "tests/support/random_tasks.hpp"

namespace vernier::dataflow {
namespace {

using tests::random_case;
using tests::RandomCase;

// Every component at a made-up price, so that random bank sizes need no table.
class AnyPrice final : public energy::Estimator {
 public:
  AnyPrice() : Estimator({.name = "any", .kind = "test", .technology = {}, .accuracy = 1}) {}
  [[nodiscard]] std::optional<energy::Estimate> energy(
      const energy::Hardware&, const energy::ActionQuery& query) const override {
    double price = 1.0 + 0.37 * static_cast<double>(query.action);
    if (query.mac != nullptr) {  // a unit of constant power: its slots share the energy of a step
      price = static_cast<double>(query.mac->mode.cycles) /
              static_cast<double>(query.mac->mode.macs_per_step());
    }
    return energy::Estimate{Picojoules(price), "test"};
  }
  [[nodiscard]] std::optional<energy::AreaEstimate> area(const energy::Hardware&,
                                                         Hertz) const override {
    return energy::AreaEstimate{SquareMicrons(1.0), "test"};
  }
};

Machine any_priced(const AcceleratorSpec& spec) {
  Accelerator accelerator(spec);
  std::vector<std::unique_ptr<energy::Estimator>> tables;
  tables.push_back(std::make_unique<AnyPrice>());
  energy::PriceList prices(components_of(accelerator), tables, spec.clock, spec.technology);
  return {std::move(accelerator), std::move(prices)};
}

// The drawn mapping, or the mapper's when the drawn one does not fit; nullopt: nothing fits.
std::optional<PreparedTask> prepared(const RandomCase& drawn, const Accelerator& machine) {
  Result<PreparedTask> given = prepare_task(drawn.task, drawn.mapping, machine);
  if (given) return std::move(given).value();
  const Result<Mapping> mapping = map_heuristically(drawn.task, machine);
  if (!mapping) return std::nullopt;
  return prepare_task(drawn.task, *mapping, machine).value();
}

double without_reads(const CostSummary& cost) {
  double sum = 0.0;
  for (const energy::EnergyEntry& entry : cost.energy.entries()) {
    if (entry.activity.action != Action::kRead) sum += entry.energy.count();
  }
  return sum;
}

TaskBorder random_border(const PreparedTask& task) {
  TaskBorder border;
  border.weight_is_loaded =
      *rc::gen::arbitrary<bool>() && task.schedule.first_weight_block().count() > 0;
  border.next_weight = Bits(*rc::gen::inRange<std::int64_t>(0, 5000));
  return border;
}

TEST_CASE("Jumping over repeating loops changes nothing", "[evaluate][property]") {
  REQUIRE(rc::check("jump = no jump", [] {
    const RandomCase drawn = *random_case();
    const Accelerator machine(drawn.spec);
    const auto task = prepared(drawn, machine);
    RC_PRE(task.has_value());
    const TaskBorder border = random_border(*task);
    const TaskTiming jumped = time_task(task->schedule, task->tiles, border, machine);
    TimingOptions options;
    options.jump = false;
    RC_ASSERT(jumped == time_task(task->schedule, task->tiles, border, machine, options));
  }));
}

TEST_CASE("Cycles are never below the MACs over the peak at that precision",
          "[evaluate][property]") {
  REQUIRE(rc::check("utilisation <= 1", [] {
    const RandomCase drawn = *random_case({.array_only = true});
    const Machine machine = any_priced(drawn.spec);
    const auto task = prepared(drawn, machine.accelerator);
    RC_PRE(task.has_value());
    const CostSummary cost = cost_of_task(*task, {}, machine);
    const double peak = machine.accelerator.peak_macs_per_cycle(
        machine.accelerator.mode(drawn.task.weight_compute, drawn.task.activation_compute));
    const auto macs = static_cast<double>(cost.macs.count());
    RC_ASSERT(static_cast<double>(cost.cycles[CycleCause::kCompute]) * peak >= macs);
    RC_ASSERT(cost.utilisation() <= 1.0);
    RC_ASSERT(cost.utilisation() > 0.0);
  }));
}

TEST_CASE("Cycles, bits and energy are conserved", "[evaluate][property]") {
  REQUIRE(rc::check("parts sum to the total", [] {
    const RandomCase drawn = *random_case();
    const Machine machine = any_priced(drawn.spec);
    const auto task = prepared(drawn, machine.accelerator);
    RC_PRE(task.has_value());
    const CostSummary cost = cost_of_task(*task, random_border(*task), machine);
    const ComponentIndices at = component_indices(machine.accelerator);

    std::int64_t cycles = 0;
    for (const std::int64_t part : cost.cycles.by_cause) {
      RC_ASSERT(part >= 0);
      cycles += part;
    }
    RC_ASSERT(Cycles(cycles) == cost.cycles.total());
    RC_ASSERT(cost.channel_busy_cycles <= cycles);

    // Each bit over the channel is a bit of DRAM and a word of some buffer.
    RC_ASSERT(cost.activity.count(at.dram, Action::kRead) +
                  cost.activity.count(at.dram, Action::kWrite) ==
              cost.dram.total().count());
    // Every output element leaves at least once, and each input element that a window meets is
    // loaded at least once.
    RC_ASSERT(cost.dram.output_write.count() >= drawn.task.pixels() * drawn.task.out_channels *
                                                    drawn.task.groups *
                                                    drawn.task.output_storage.bits());
    if (drawn.task.unit == TaskUnit::kArray) {
      const std::int64_t done = cost.activity.count(at.mac, Action::kMac);
      RC_ASSERT(done <= cost.macs.count());
      RC_ASSERT(done + cost.activity.count(at.mac, Action::kMacIdle) >= cost.macs.count());
      RC_ASSERT(cost.activity.count(at.requantizer, Action::kRequantize) ==
                drawn.task.pixels() * drawn.task.out_channels * drawn.task.groups);
    }
    RC_ASSERT(cost.activity.count(at.mac, Action::kLeak) == cycles);

    double by_component = 0.0;
    for (std::size_t index = 0; index < machine.prices.components().size(); ++index) {
      by_component += cost.energy.of_component(static_cast<ComponentIndex>(index)).count();
    }
    double by_action = 0.0;
    for (int action = 0; action < kActionCount; ++action) {
      by_action += cost.energy.of_action(static_cast<Action>(action)).count();
    }
    double by_role = 0.0;
    for (int role = 0; role < kTensorRoleCount; ++role) {
      by_role += cost.energy.of_role(static_cast<TensorRole>(role)).count();
    }
    const double total = cost.energy.total().count();
    for (const double sum : {by_component, by_action, by_role}) {
      RC_ASSERT(sum >= total * (1.0 - 1e-12));
      RC_ASSERT(sum <= total * (1.0 + 1e-12));
    }
  }));
}

TEST_CASE("Wider bits are never cheaper on the same mapping when the ports feed every mode",
          "[evaluate][property]") {
  // Without wide ports a narrow mode may be slower: it asks for more operand bits per line, and its
  // fewer and shorter folds hand over more sums per line. Words that are read are left out of the
  // energy: a mode of more lanes cuts the reduction elsewhere, so a run may touch one word more.
  REQUIRE(rc::check("monotone in the bits", [] {
    RandomCase drawn = *random_case({.wide_ports = true, .array_only = true});
    drawn.spec.mac.style = "sum_together";
    drawn.spec.mac.weight_bits = drawn.spec.mac.activation_bits = {2, 4, 8, 16};
    drawn.spec.vector.requant_lanes = 0;
    const Machine machine = any_priced(drawn.spec);
    const auto width = [] { return Bitwidth(*rc::gen::element<std::int64_t>(2, 4, 8, 16)); };
    LayerTask narrow = drawn.task;
    narrow.weight_compute = narrow.weight_storage = width();
    narrow.activation_compute = narrow.input_storage[0] = width();
    narrow.output_storage = width();
    LayerTask wide = narrow;
    wide.weight_compute = wide.weight_storage = std::max(narrow.weight_compute, width());
    wide.activation_compute = wide.input_storage[0] = std::max(narrow.activation_compute, width());
    wide.output_storage = std::max(narrow.output_storage, width());
    const Result<PreparedTask> wide_task = prepare_task(wide, drawn.mapping, machine.accelerator);
    RC_PRE(wide_task.has_value());
    const Result<PreparedTask> narrow_task =
        prepare_task(narrow, drawn.mapping, machine.accelerator);
    RC_ASSERT(narrow_task.has_value());
    const CostSummary cheap = cost_of_task(*narrow_task, {}, machine);
    const CostSummary dear = cost_of_task(*wide_task, {}, machine);
    RC_ASSERT(cheap.cycles.total() <= dear.cycles.total());
    RC_ASSERT(cheap.dram.total() <= dear.dram.total());
    RC_ASSERT(without_reads(cheap) <= without_reads(dear) * (1.0 + 1e-12));
  }));
}

TEST_CASE("The heuristic mapper's choice fits, or the smallest tile does not",
          "[mapping][property]") {
  REQUIRE(rc::check("feasible or explained", [] {
    const RandomCase drawn = *random_case();
    const Accelerator machine(drawn.spec);
    const Result<Mapping> mapping = map_heuristically(drawn.task, machine);
    if (mapping) {
      RC_ASSERT(prepare_task(drawn.task, *mapping, machine).has_value());
    } else {
      RC_ASSERT(misfit(drawn.task, {1, 1, 1, 1}, machine).has_value());
      RC_ASSERT(mapping.infeasible().missing.count() > 0);
      RC_ASSERT(!mapping.infeasible().buffer.empty());
    }
  }));
}

}  // namespace
}  // namespace vernier::dataflow
