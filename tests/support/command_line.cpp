#include "tests/support/command_line.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <spawn.h>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves it to the user

namespace vernier::tests {
namespace {

// A file without a name that receives one stream of the child.
class Capture {
 public:
  Capture() {
    std::string name = "/tmp/vernier-test-XXXXXX";
    file_ = mkstemp(name.data());
    if (file_ < 0) throw std::runtime_error("no temporary file");
    unlink(name.c_str());
  }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;
  ~Capture() { close(file_); }
  [[nodiscard]] int descriptor() const { return file_; }
  [[nodiscard]] std::string text() const {
    std::string result;
    char chunk[1 << 14];
    lseek(file_, 0, SEEK_SET);
    for (ssize_t got = read(file_, chunk, sizeof chunk); got > 0;
         got = read(file_, chunk, sizeof chunk)) {
      result.append(chunk, static_cast<std::size_t>(got));
    }
    return result;
  }

 private:
  int file_ = -1;
};

}  // namespace

CommandResult run_vernier(const std::vector<std::string>& arguments) {
  std::vector<std::string> words{VERNIER_BINARY};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const Capture output;
  const Capture error;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output.descriptor(), 1);
  posix_spawn_file_actions_adddup2(&actions, error.descriptor(), 2);
  pid_t child = 0;
  const int failed = posix_spawn(&child, words[0].c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::runtime_error("cannot start " + words[0]);
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  CommandResult result;
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  constexpr double kMicro = 1e-6;
  result.cpu_seconds =
      static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
      kMicro * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  result.peak_mib = usage.ru_maxrss / 1024;
  result.output = output.text();
  result.error = error.text();
  return result;
}

}  // namespace vernier::tests
