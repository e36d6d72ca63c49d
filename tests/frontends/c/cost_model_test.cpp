// The C interface as a binding meets it: networks of every kind, slices, and callers that get
// everything wrong. tests/c_api/example.c is the same from a C program.
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "frontends/c/vernier.h"
#include "tests/support/input_file.hpp"
#include "tests/support/onnx_fixtures.hpp"
#include "tests/support/small_networks.hpp"
#include "tests/support/tflite_fixture.hpp"

namespace vernier::tests {
namespace {

using Catch::Contains;

struct Free {
  void operator()(vernier_machine* machine) const { vernier_machine_free(machine); }
  void operator()(vernier_network* network) const { vernier_network_free(network); }
  void operator()(vernier_cost_model* model) const { vernier_cost_model_free(model); }
};
template <typename Handle>
using Owned = std::unique_ptr<Handle, Free>;

Owned<vernier_machine> machine_of(const std::string& name) {
  vernier_machine* machine = nullptr;
  INFO(vernier_last_error());
  REQUIRE(vernier_machine_load(config_path("accelerators/" + name + ".yaml").c_str(), nullptr, 0,
                               &machine) == VERNIER_OK);
  return Owned<vernier_machine>(machine);
}

Owned<vernier_network> network_of(const std::string& path) {
  vernier_network* network = nullptr;
  const vernier_status status = vernier_network_load(path.c_str(), &network);
  INFO(vernier_last_error());
  REQUIRE(status == VERNIER_OK);
  return Owned<vernier_network>(network);
}

Owned<vernier_cost_model> model_of(const vernier_machine* machine, const vernier_network* network,
                                   const std::vector<vernier_slices>& slices = {}) {
  vernier_cost_model* model = nullptr;
  const vernier_status status =
      vernier_cost_model_create_sliced(machine, network, slices.data(), slices.size(), &model);
  INFO(vernier_last_error());
  REQUIRE(status == VERNIER_OK);
  return Owned<vernier_cost_model>(model);
}

// Value equals cost where every width is legal.
void check_exact(const vernier_cost_model* model, double width) {
  const std::vector<double> bits(vernier_variable_count(model), width);
  vernier_figures cost{};
  INFO(vernier_last_error());
  REQUIRE(vernier_evaluate(model, bits.data(), bits.size(), &cost) == VERNIER_OK);
  const vernier_objective latency{"latency", VERNIER_PENALTY, 1.0, 0.0, 0.0};
  double total = 0.0;
  std::vector<double> gradient(bits.size());
  REQUIRE(vernier_relax(model, bits.data(), bits.size(), &latency, 1, nullptr, &total, nullptr,
                        gradient.data()) == VERNIER_OK);
  CHECK(cost.cycles > 0.0);
  CHECK(total == cost.cycles);
}

TEST_CASE("The C interface reads every kind of network", "[frontends][c]") {
  const auto machine = machine_of("bitfusion_16x32");
  SECTION("ONNX") {
    for (const auto& [name, bytes] : onnx_fixtures()) {
      CAPTURE(name);
      const InputFile file("network.onnx", bytes);
      vernier_network* network = nullptr;
      REQUIRE(vernier_network_load(file.path().c_str(), &network) == VERNIER_OK);
      const Owned<vernier_network> owned(network);
      CHECK(vernier_variable_count(model_of(machine.get(), network).get()) > 0);
    }
  }
  SECTION("TFLite") {
    const std::vector<std::uint8_t> bytes = small_tflite_network();
    const InputFile file("network.tflite", bytes);
    const auto network = network_of(file.path());
    check_exact(model_of(machine.get(), network.get()).get(), 8.0);
  }
  SECTION("topology") {
    const InputFile file("network.csv",
                         "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, "
                         "Channels, Num Filter, Strides,\nconv, 12, 12, 3, 3, 8, 16, 1,\n");
    const auto network = network_of(file.path());
    check_exact(model_of(machine.get(), network.get()).get(), 8.0);
  }
}

TEST_CASE("Slices come through the C interface", "[frontends][c]") {
  const auto machine = machine_of("bitfusion_16x32");
  const auto network = network_of(config_path("models/resnet20.yaml"));
  const std::array<size_t, 2> halves{32, 32};
  const std::vector<vernier_slices> slices{{"layer3.0.conv1.weight", halves.data(), 2},
                                           {"fc.weight", nullptr, 0}};
  const auto model = model_of(machine.get(), network.get(), slices);
  const auto plain = model_of(machine.get(), network.get());
  // Two slices instead of one tensor, and ten rows instead of one.
  CHECK(vernier_variable_count(model.get()) == vernier_variable_count(plain.get()) + 1 + 9);
  size_t first = 0;
  REQUIRE(vernier_variable_find(model.get(), "layer3.0.conv1.weight[0]", &first) == VERNIER_OK);
  CHECK(vernier_variable_channels(model.get(), first) == 32);
  CHECK(vernier_variable_channels(model.get(), vernier_variable_count(model.get())) == 0);
  check_exact(model.get(), 4.0);
  // One slice of 32 channels is a whole block of columns, so both figures agree and differ from all
  // at 8 bits.
  std::vector<double> bits(vernier_variable_count(model.get()), 8.0);
  vernier_figures all{};
  REQUIRE(vernier_evaluate(model.get(), bits.data(), bits.size(), &all) == VERNIER_OK);
  bits[first] = 4.0;
  vernier_figures mixed{};
  REQUIRE(vernier_evaluate(model.get(), bits.data(), bits.size(), &mixed) == VERNIER_OK);
  CHECK(mixed.energy_pj < all.energy_pj);
  const vernier_objective energy{"energy", VERNIER_PENALTY, 1.0, 0.0, 0.0};
  double total = 0.0;
  REQUIRE(vernier_relax(model.get(), bits.data(), bits.size(), &energy, 1, nullptr, &total, nullptr,
                        nullptr) == VERNIER_OK);
  CHECK(total == mixed.energy_pj);
}

TEST_CASE("Wrong slices in C are refused by name", "[frontends][c]") {
  const auto machine = machine_of("bitfusion_16x32");
  const auto network = network_of(config_path("models/resnet20.yaml"));
  const auto refused = [&](const std::vector<vernier_slices>& slices) {
    vernier_cost_model* model = nullptr;
    CHECK(vernier_cost_model_create_sliced(machine.get(), network.get(), slices.data(),
                                           slices.size(), &model) == VERNIER_USER_ERROR);
    CHECK(model == nullptr);
    return std::string(vernier_last_error());
  };
  const std::array<size_t, 2> sizes{4, 7};
  const std::array<size_t, 2> none{0, 10};
  const std::array<size_t, 1> huge{std::numeric_limits<size_t>::max()};
  CHECK_THAT(refused({{"fc.weight", sizes.data(), 2}}), Contains("11 channels, the tensor has 10"));
  CHECK_THAT(refused({{"fc.weight", none.data(), 2}}), Contains("found 0 channels"));
  CHECK_THAT(refused({{"fc.weight", huge.data(), 1}}),
             Contains("slices[].channels of 'fc.weight'"));
  CHECK_THAT(refused({{"fc.weigth", sizes.data(), 2}}), Contains("did you mean 'fc.weight'?"));
  CHECK_THAT(refused({{"fc.weigth", nullptr, 0}}), Contains("did you mean 'fc.weight'?"));
  CHECK_THAT(refused({{"fc.weight", nullptr, 2}}), Contains("slices[].channels: NULL"));
  CHECK_THAT(refused({{nullptr, sizes.data(), 2}}), Contains("slices[].tensor: NULL"));
  CHECK_THAT(refused({{"fc.weight", nullptr, 0}, {"fc.weight", nullptr, 0}}),
             Contains("'fc.weight' is sliced twice"));
  vernier_cost_model* model = nullptr;
  CHECK(vernier_cost_model_create_sliced(machine.get(), network.get(), nullptr, 1, &model) ==
        VERNIER_USER_ERROR);
  CHECK_THAT(vernier_last_error(), Contains("slices: NULL"));
}

TEST_CASE("Hostile files come back as errors in C", "[frontends][c]") {
  const std::vector<std::pair<std::string, std::string>> files{
      {"empty.yaml", ""},
      {"noise.yaml", std::string("\x00\xff\xfe{[", 5)},
      {"open.yaml", "layers: ["},
      {"noise.onnx", std::string(300, '\xff')},
      {"empty.onnx", ""},
      {"short.tflite", std::string("\x10\x00\x00\x00TFL3", 8)},
      {"empty.csv", ""},
      {"numbers.csv", "a, 1e99, -3, x,\n"},
      {"deep.yaml", std::string(5000, '[')}};
  for (const auto& [name, text] : files) {
    CAPTURE(name);
    const InputFile file(name, text);
    vernier_network* network = nullptr;
    CHECK(vernier_network_load(file.path().c_str(), &network) == VERNIER_USER_ERROR);
    CHECK(network == nullptr);
    CHECK_THAT(vernier_last_error(), Contains(name));
    vernier_machine* machine = nullptr;
    CHECK(vernier_machine_load(file.path().c_str(), nullptr, 0, &machine) == VERNIER_USER_ERROR);
    CHECK(machine == nullptr);
    CHECK(std::string(vernier_last_error()) != "");
  }
  vernier_network* network = nullptr;
  CHECK(vernier_network_load("no such file.yaml", &network) == VERNIER_USER_ERROR);
  CHECK(vernier_network_load(config_path("models").c_str(), &network) == VERNIER_USER_ERROR);
  CHECK(network == nullptr);
}

TEST_CASE("Wrong calls in C are errors that name the argument", "[frontends][c]") {
  const auto machine = machine_of("bitfusion_16x32");
  const auto network = network_of(config_path("models/resnet20.yaml"));
  const auto model = model_of(machine.get(), network.get());
  std::vector<double> bits(vernier_variable_count(model.get()), 8.0);
  vernier_figures cost{};
  double total = 0.0;
  vernier_objective latency{"latency", VERNIER_PENALTY, 1.0, 0.0, 0.0};
  const auto evaluate = [&](std::size_t count) {
    CHECK(vernier_evaluate(model.get(), bits.data(), count, &cost) == VERNIER_USER_ERROR);
    return std::string(vernier_last_error());
  };
  const auto relax = [&](const vernier_relax_options* options) {
    CHECK(vernier_relax(model.get(), bits.data(), bits.size(), &latency, 1, options, &total,
                        nullptr, nullptr) == VERNIER_USER_ERROR);
    return std::string(vernier_last_error());
  };
  for (const double wrong :
       {4.5, std::nan(""), std::numeric_limits<double>::infinity(), -1.0, 1e9}) {
    bits[3] = wrong;
    CHECK_THAT(evaluate(bits.size()), Contains(vernier_variable_name(model.get(), 3)));
  }
  bits[3] = std::nan("");
  CHECK_THAT(relax(nullptr), Contains(vernier_variable_name(model.get(), 3)));
  bits[3] = 8.0;
  CHECK_THAT(evaluate(bits.size() - 1), Contains(std::to_string(bits.size())));
  CHECK_THAT(evaluate(0), Contains(std::to_string(bits.size())));
  const vernier_relax_options kink{0, 3, 0, 0};
  CHECK_THAT(relax(&kink), Contains("options.kink: found 3; allowed are 0 to 2"));
  const vernier_relax_options tie{0, 0, -1, 0};
  CHECK_THAT(relax(&tie), Contains("options.tie"));
  latency.form = static_cast<vernier_form>(9);
  CHECK_THAT(relax(nullptr), Contains("objective.form: found 9"));
  latency = {nullptr, VERNIER_PENALTY, 1.0, 0.0, 0.0};
  CHECK_THAT(relax(nullptr), Contains("objective.measure: NULL"));
  latency = {"latency", VERNIER_PENALTY, std::nan(""), 0.0, 0.0};
  CHECK_THAT(relax(nullptr), Contains("weight"));
  CHECK(vernier_round_to_legal(model.get(), bits.data(), bits.size(),
                               static_cast<vernier_round_policy>(5),
                               bits.data()) == VERNIER_USER_ERROR);
  CHECK_THAT(vernier_last_error(), Contains("policy: found 5"));
  CHECK(vernier_evaluate(nullptr, bits.data(), bits.size(), &cost) == VERNIER_USER_ERROR);
  CHECK_THAT(vernier_last_error(), Contains("model: NULL"));
  CHECK(vernier_evaluate(model.get(), bits.data(), bits.size(), nullptr) == VERNIER_USER_ERROR);
  CHECK(vernier_variable_count(nullptr) == 0);
  CHECK(vernier_variable_name(nullptr, 0) == nullptr);
  CHECK(vernier_variable_widths(nullptr, 0, nullptr, 7) == 0);
  size_t variable = 0;
  CHECK(vernier_variable_find(model.get(), "fc.weigth", &variable) == VERNIER_USER_ERROR);
  CHECK_THAT(vernier_last_error(), Contains("did you mean 'fc.weight'?"));
  vernier_cost_model_free(nullptr);
  vernier_network_free(nullptr);
  vernier_machine_free(nullptr);
}

}  // namespace
}  // namespace vernier::tests
