#include "frontends/cli/commands.hpp"
#include "frontends/cli/systemc_run.hpp"

namespace vernier::frontends {

std::string SystemcOptions::first_given() const {
  if (!seed.empty()) return "--seed";
  if (!tensors.empty()) return "--tensor";
  if (!waveform.empty()) return "--trace";
  if (!timeline.empty()) return "--timeline";
  return window.empty() ? "" : "--window";
}

void add_systemc_options(CLI::App& verb, SystemcOptions& options) {
  verb.add_option("--seed", options.seed, "systemc engine: seed of the operands that are drawn")
      ->check(not_empty());
  verb.add_option("--tensor", options.tensors,
                  "systemc engine: NAME=FILE.npy, integers of a tensor (activation: channels, "
                  "height, width; weight: output channels, input channels, kernel); all others are "
                  "drawn, for each layer by itself")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  verb.add_option("--trace", options.waveform,
                  "systemc engine: waveform of one layer (VCD): that of --window, or the first one "
                  "on the array")
      ->check(not_empty());
  verb.add_option("--timeline", options.timeline,
                  "systemc engine: what happens when, as Chrome trace events (JSON, for Perfetto)")
      ->check(not_empty());
  verb.add_option("--window", options.window,
                  "systemc engine: layer that --trace and --timeline show")
      ->check(not_empty());
}

}  // namespace vernier::frontends
