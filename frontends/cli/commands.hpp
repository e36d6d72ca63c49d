// The verbs of the command line. Each adds its options to the CLI11 application and says what runs
// when the verb is chosen; the return value is the exit code (0 good, 1 infeasible or outside a
// bound, 2 wrong input, 3 our bug).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace vernier::frontends {

enum class ExitCode : int { kGood = 0, kInfeasible = 1, kUserError = 2, kBug = 3 };

/// What a chosen verb does.
using VerbAction = std::function<ExitCode()>;

/// Adds a verb; `action` is set when it is chosen.
void add_run_command(CLI::App& app, VerbAction& action);
void add_check_command(CLI::App& app, VerbAction& action);
void add_diff_command(CLI::App& app, VerbAction& action);
void add_describe_command(CLI::App& app, VerbAction& action);
void add_explain_command(CLI::App& app, VerbAction& action);
/// Prints the manual page and the shell completion of all verbs added before and after it.
void add_manual_command(CLI::App& app, VerbAction& action);
void add_scalesim_command(CLI::App& app, VerbAction& action);
void add_validate_command(CLI::App& app, VerbAction& action);
void add_cost_table_command(CLI::App& app, VerbAction& action);
/// Verbs of the design that this build does not have: each exits 2 and says so.
void add_missing_commands(CLI::App& app, VerbAction& action);

/// Refuses an empty text: a script's unset variable must not read as "option not given".
[[nodiscard]] CLI::Validator not_empty();

/// The folder that holds configs/ and validation/: the one installed beside the program
/// (<bin>/../share/vernier), else the source tree that it was built from.
[[nodiscard]] std::string data_folder();

/// A file as given, or the shipped one when the text is a bare name: "mobilenetv2" with the folder
/// "models" is <data>/configs/models/mobilenetv2.yaml. Throws ConfigError that lists the shipped
/// names when a bare name is neither.
[[nodiscard]] std::string shipped_or_path(const std::string& given, const std::string& folder);

/// Folders where energy tables are looked for after the machine file's own.
[[nodiscard]] std::vector<std::string> energy_table_folders();

/// Writes to standard output, or to a file when `path` is not empty; throws ConfigError when the
/// file cannot be written.
void write_result(const std::string& text, const std::string& path,
                  const std::string& option = "--output");

/// Lines on standard error: everything that is not the result.
void say(const std::string& line);

}  // namespace vernier::frontends
