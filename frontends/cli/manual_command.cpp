#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "frontends/cli/commands.hpp"
#include "vernier_version.hpp"

namespace vernier::frontends {
namespace {

// Text that troff reads as it stands.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char letter : text) {
    if (letter == '\\') {
      out += "\\e";
    } else if (letter == '-') {
      out += "\\-";
    } else if (letter == '\n') {
      out += ' ';
    } else {
      out += letter;
    }
  }
  if (!out.empty() && (out.front() == '.' || out.front() == '\'')) out.insert(0, "\\&");
  return out;
}

std::vector<const CLI::App*> verbs_of(const CLI::App& app) {
  std::vector<const CLI::App*> verbs;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!verb->get_group().empty()) verbs.push_back(verb);  // hidden ones have no group
  }
  return verbs;
}

std::string option_text(const CLI::Option& option) {
  const bool takes_value = option.get_items_expected_max() > 0;
  std::string names = option.get_name(option.get_positional(), true);
  std::replace(names.begin(), names.end(), ',', ' ');
  std::string out = ".TP\n.B " + escaped(names);
  if (takes_value && !option.get_positional()) out += " \\fIVALUE\\fR";
  return out + "\n" + escaped(option.get_description()) +
         (option.get_required() ? " (required)" : "") + "\n";
}

std::string man_page(const CLI::App& app) {
  std::string out = fmt::format(".TH VERNIER 1 \"\" \"vernier {}\" \"User Commands\"\n", kVersion);
  out += ".SH NAME\nvernier \\- " + escaped(app.get_description()) + "\n";
  out += ".SH SYNOPSIS\n.B vernier\n.I VERB\n[\\fIOPTION\\fR]...\n";
  out +=
      ".SH DESCRIPTION\nVernier tells what a neural network, with given bits on each tensor, costs "
      "on a precision\\-scalable accelerator: cycles, joules, bytes and square millimetres. "
      "Machines, networks and energy tables are YAML files; those that are shipped may be named "
      "without path and ending.\n.SH VERBS\n";
  for (const CLI::App* verb : verbs_of(app)) {
    out += ".SS " + escaped(verb->get_name()) + "\n" + escaped(verb->get_description()) + "\n";
    for (const CLI::Option* option : verb->get_options()) out += option_text(*option);
  }
  out +=
      ".SH EXIT STATUS\n.TP\n0\ngood\n.TP\n1\ninfeasible, or outside a stated bound\n.TP\n2\nthe "
      "input is wrong\n.TP\n3\na bug of Vernier\n";
  return out;
}

std::string long_names(const CLI::App& verb) {
  std::string out;
  for (const CLI::Option* option : verb.get_options()) {
    for (const std::string& name : option->get_lnames()) out += " --" + name;
  }
  return out;
}

std::string bash_completion(const CLI::App& app) {
  std::string verbs;
  std::string cases;
  for (const CLI::App* verb : verbs_of(app)) {
    verbs += (verbs.empty() ? "" : " ") + verb->get_name();
    cases += fmt::format("    {}) options=\"{}\" ;;\n", verb->get_name(), long_names(*verb));
  }
  return fmt::format(
      "# Completion of vernier for bash, generated from its command definitions.\n"
      "_vernier() {{\n"
      "  local current=${{COMP_WORDS[COMP_CWORD]}} options=\"\"\n"
      "  COMPREPLY=()\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
      "    COMPREPLY=($(compgen -W \"{} --help --version\" -- \"$current\"))\n"
      "    return\n"
      "  fi\n"
      "  case ${{COMP_WORDS[1]}} in\n{}  esac\n"
      "  if [[ $current == -* ]]; then\n"
      "    COMPREPLY=($(compgen -W \"$options\" -- \"$current\"))\n"
      "  else\n"
      "    COMPREPLY=($(compgen -f -- \"$current\"))\n"
      "  fi\n"
      "}}\n"
      "complete -o filenames -F _vernier vernier\n",
      verbs, cases);
}

}  // namespace

void add_manual_command(CLI::App& app, VerbAction& action) {
  struct ManualOptions {
    std::string form = "man";
    std::string output;
  };
  auto options = std::make_shared<ManualOptions>();
  CLI::App* verb =
      app.add_subcommand("manual", "manual page or shell completion, from the command definitions");
  verb->add_option("FORM", options->form, "man (default) or bash")
      ->check(CLI::IsMember({"man", "bash"}));
  verb->add_option("--output,-o", options->output, "file instead of standard output")
      ->check(not_empty());
  verb->callback([&app, &action, options] {
    action = [&app, options] {
      write_result(options->form == "bash" ? bash_completion(app) : man_page(app), options->output);
      return ExitCode::kGood;
    };
  });
}

}  // namespace vernier::frontends
