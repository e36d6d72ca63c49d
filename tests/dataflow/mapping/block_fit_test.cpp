// Whether a tile fits is decided by the input rows that its tiles really touch, clipped to the map.
#include <algorithm>
#include <cstdint>

#include <catch2/catch.hpp>

#include "dataflow/evaluate/heuristic_mapper.hpp"
#include "dataflow/mapping/axis.hpp"
#include "dataflow/schedule/layer_schedule.hpp"
#include "tests/support/example_machine.hpp"

namespace vernier::dataflow {
namespace {

// A column of pixels with one 8-bit channel, so that a row of input is one byte.
LayerTask column_task(std::int64_t in_height, std::int64_t out_height) {
  LayerTask task;
  task.in_height = in_height;
  task.out_height = out_height;
  return task;
}

// Halves of `rows` bytes for the input.
Accelerator machine_with_input_rows(std::int64_t rows) {
  AcceleratorSpec spec = tests::example_spec(arch::Dataflow::kOutputStationary);
  spec.buffers[0].word = Bits(8);
  spec.buffers[0].banks = 2;
  spec.buffers[0].capacity = Bytes(2 * rows);
  return Accelerator(spec);
}

bool fits(const LayerTask& task, std::int64_t tile_rows, std::int64_t input_rows) {
  return !misfit(task, {tile_rows, 1, 1, 1}, machine_with_input_rows(input_rows)).has_value();
}

TEST_CASE("A tile whose halo is clipped on every side needs only the real rows", "[mapping]") {
  // 3x1, padding 1, 8 rows in two tiles of 4: rows 0 to 4 and 3 to 7, not 4 + 2.
  LayerTask task = column_task(8, 8);
  task.window.kernel_height = 3;
  task.window.pad_top = task.window.pad_bottom = 1;
  CHECK(fits(task, 4, 5));
  CHECK_FALSE(fits(task, 4, 4));
  // Tiles of 2: the second one, rows 1 to 4, meets no padding.
  CHECK(fits(task, 2, 4));
  CHECK_FALSE(fits(task, 2, 3));
}

TEST_CASE("A tile of a resize needs only the rows that it copies", "[mapping]") {
  LayerTask task = column_task(3, 6);
  task.unit = TaskUnit::kVector;
  task.reach[0] = InputReach::kScaled;
  CHECK(fits(task, 1, 1));
  CHECK(fits(task, 2, 1));  // outputs 2i and 2i + 1 copy row i
  CHECK(fits(task, 3, 2));  // rows 0, 0, 1 and 1, 2, 2
  CHECK_FALSE(fits(task, 3, 1));
}

TEST_CASE("The longest reach is that of the longest tile of the cut", "[mapping]") {
  for (std::int64_t padding = 0; padding <= 4; ++padding) {
    for (std::int64_t in_size = 4; in_size <= 12; ++in_size) {
      for (std::int64_t stride = 1; stride <= 3; ++stride) {
        AxisSpec axis{in_size, (in_size + padding + 1 - 4) / stride + 1, 4, stride, 1, padding};
        axis.scaled = padding == 4;  // some resizes as well, to sizes above and below
        for (std::int64_t length = 1; length <= axis.out_size; ++length) {
          std::int64_t longest = 0;
          for (const AxisClass& tile : cut_axis(axis, length).classes) {
            longest = std::max(longest, tile.in_length);
          }
          CHECK(reach_of(axis, length) == longest);
        }
      }
    }
  }
}

TEST_CASE("The mapper's tile fits where an equal cut would reach further than an unequal one",
          "[mapping]") {
  // 3x1, padding 2 before and 3 after, 6 rows in, 9 out. Tiles of 4 touch rows 0 to 3, 2 to 5 and
  // none; the equal cut into tiles of 3 touches rows 0 to 2, 1 to 5 and 4 to 5.
  LayerTask task = column_task(6, 9);
  task.window.kernel_height = 3;
  task.window.pad_top = 2;
  task.window.pad_bottom = 3;
  CHECK(fits(task, 4, 4));
  CHECK_FALSE(fits(task, 3, 4));
  const Accelerator machine = machine_with_input_rows(4);
  const Result<Mapping> mapping = map_heuristically(task, machine);
  REQUIRE(mapping.has_value());
  CHECK(LayerSchedule::compile(task, *mapping, machine).has_value());
}

}  // namespace
}  // namespace vernier::dataflow
