#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "arch/base/error.hpp"
#include "arch/base/text.hpp"
#include "frontends/cli/commands.hpp"
#include "frontends/cli/systemc_run.hpp"
#include "vernier_version.hpp"

namespace vernier::frontends {
namespace {

std::string version_text() {
  return fmt::format(
      "vernier {}\ncomponents: analytical engine (built in), SystemC engine ({}), ONNX and TFLite "
      "importers (built in), LibTorch trainer (not built in), Python module (not built in)",
      kVersion, has_systemc() ? "built in" : "not built in");
}

// A word where a verb has to stand is none.
void require_verb(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  std::vector<std::string> verbs;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (verb->check_name(argv[1])) return;
    verbs.push_back(verb->get_name());
  }
  throw ConfigError(fmt::format("vernier {}: there is no such verb; allowed are {}{}",
                                shown(argv[1]), name_list(verbs, verbs.size()),
                                suggestion(argv[1], verbs)));
}

int run(int argc, char** argv) {
  CLI::App app{"What does this network, with these bits on each tensor, cost on this accelerator?",
               "vernier"};
  app.set_version_flag("--version", version_text());
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::help);
  VerbAction action;
  add_run_command(app, action);
  add_check_command(app, action);
  add_diff_command(app, action);
  add_describe_command(app, action);
  add_explain_command(app, action);
  add_scalesim_command(app, action);
  add_validate_command(app, action);
  add_cost_table_command(app, action);
  add_manual_command(app, action);
  add_missing_commands(app, action);
  require_verb(app, argc, argv);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    say(fmt::format("vernier: {}", error.what()));
    say("try 'vernier --help' or 'vernier VERB --help'");
    return static_cast<int>(ExitCode::kUserError);
  }
  return static_cast<int>(action());
}

}  // namespace
}  // namespace vernier::frontends

int main(int argc, char** argv) {
  using vernier::frontends::ExitCode;
  try {
    return vernier::frontends::run(argc, argv);
  } catch (const vernier::UserError& error) {
    std::fprintf(stderr, "vernier: error:\n%s\n", error.what());
    return static_cast<int>(ExitCode::kUserError);
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "vernier: error: the input needs more memory than there is\n");
    return static_cast<int>(ExitCode::kUserError);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "vernier: internal error, please report it: %s\n", error.what());
    return static_cast<int>(ExitCode::kBug);
  }
}
