#include <array>

#include <fmt/format.h>

#include "arch/base/error.hpp"
#include "frontends/cli/commands.hpp"

namespace vernier::frontends {
namespace {

struct MissingVerb {
  const char* name;
  const char* sentence;
};

constexpr std::array kMissing{
    MissingVerb{"train", "quantization-aware training with the cost in the loss"},
};

}  // namespace

void add_missing_commands(CLI::App& app, VerbAction& action) {
  for (const MissingVerb& missing : kMissing) {
    CLI::App* verb = app.add_subcommand(
        missing.name, fmt::format("({}; not built into this vernier)", missing.sentence));
    verb->allow_extras();
    const std::string name = missing.name;
    verb->callback([&action, name] {
      action = [name]() -> ExitCode {
        throw ConfigError(fmt::format("vernier {}: the verb is not built into this vernier", name));
      };
    });
  }
}

}  // namespace vernier::frontends
