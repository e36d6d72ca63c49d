#include "frontends/onnx/onnx_model.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "arch/base/error.hpp"
#include "frontends/onnx/lowering.hpp"
#include "frontends/onnx/model_file.hpp"

namespace vernier::frontends {
namespace {

// A file in memory, page by page as it is read: weights that nobody looks at are not loaded, except
// for what the system maps around a page.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) throw ConfigError(fmt::format("{}: cannot be opened", path));
    struct stat status = {};
    const bool has_status = ::fstat(file, &status) == 0;
    const char* problem = nullptr;
    if (!has_status) {
      problem = "cannot be read";
    } else if (S_ISDIR(status.st_mode)) {
      problem = "is a folder, not a file";
    } else if (!S_ISREG(status.st_mode)) {
      problem = "is no regular file";
    } else if (status.st_size == 0) {
      problem = "the file is empty";
    }
    if (problem == nullptr) {
      size_ = static_cast<std::size_t>(status.st_size);
      begin_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
      if (begin_ == MAP_FAILED) problem = "cannot be read";
    }
    ::close(file);
    if (problem != nullptr) throw ConfigError(fmt::format("{}: {}", path, problem));
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile() { ::munmap(begin_, size_); }

  [[nodiscard]] std::string_view bytes() const { return {static_cast<const char*>(begin_), size_}; }

 private:
  void* begin_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace

dataflow::ImportedModel load_onnx(const std::string& path) {
  onnx::ModelFile model;
  {
    const MappedFile file(path);
    model = onnx::parse_model_file(file.bytes(), path);
  }
  return onnx::Lowering(model).run();
}

dataflow::ImportedModel read_onnx(std::string_view bytes, const std::string& file) {
  const onnx::ModelFile model = onnx::parse_model_file(bytes, file);
  return onnx::Lowering(model).run();
}

}  // namespace vernier::frontends
