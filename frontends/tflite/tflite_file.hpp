// The checked contents of a TFLite file as plain values: tensors, operators and where they refer
// to each other. Everything above works on indices that exist and on sizes within limits.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "arch/base/bitwidth.hpp"
#include "arch/base/error.hpp"

namespace vernier::frontends::tflite {

namespace schema {
struct Operator;
struct Tensor;
struct Model;
}  // namespace schema

/// One tensor of the main subgraph.
struct FileTensor {
  std::string name;                       ///< printable; "tensor 7" when the file gives none
  std::vector<std::int64_t> dims;         ///< as stored, at most 6, each at least 1
  bool has_dims = false;                  ///< false: rank and sizes are not in the file
  std::vector<std::size_t> unknown_dims;  ///< whose size is open (-1 in the signature)
  Precision precision;
  std::string rule;          ///< "INT8, per axis (64 scales)"
  bool is_float = false;     ///< 32 bits are an assumption
  bool is_variable = false;  ///< keeps its value from one inference to the next
  const schema::Tensor* raw = nullptr;
};

/// One operator; -1 in `inputs` is an optional input that is not there.
struct FileOperator {
  std::size_t index = 0;
  std::int32_t id = 0;
  std::string op;  ///< "CONV_2D", or the name of a custom operator
  std::vector<std::int64_t> inputs;
  std::vector<std::size_t> outputs;
  const schema::Operator* raw = nullptr;
};

/// A verified file; the bytes must outlive it.
class TfliteFile {
 public:
  /// Verifies form and limits; `file` is the name for messages. Throws ConfigError when the bytes
  /// are no TFLite file, ModelError when its parts do not fit together.
  TfliteFile(std::span<const std::uint8_t> bytes, std::string file);

  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] std::uint32_t version() const;
  [[nodiscard]] std::size_t subgraph_count() const;
  [[nodiscard]] const std::vector<FileTensor>& tensors() const { return tensors_; }
  [[nodiscard]] const std::vector<FileOperator>& operators() const { return operators_; }
  [[nodiscard]] const std::vector<std::size_t>& inputs() const { return inputs_; }
  [[nodiscard]] const std::vector<std::size_t>& outputs() const { return outputs_; }

  /// The values of a small constant of integers (INT32 or INT64, at most 64 of them); none when the
  /// file does not hold them.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> integers(std::size_t tensor) const;

  /// "FILE: subgraph 0, operator 3 CONV_2D ('name of its output')", the head of a message.
  [[nodiscard]] std::string place(const FileOperator& op) const;

 private:
  void read_tensors();
  void read_operators();
  [[nodiscard]] FileOperator read_operator(std::size_t index) const;
  void read_ends();
  [[noreturn]] void fail(const std::string& message) const;

  std::span<const std::uint8_t> bytes_;
  std::string file_;
  const schema::Model* model_ = nullptr;
  std::vector<FileTensor> tensors_;
  std::vector<FileOperator> operators_;
  std::vector<std::size_t> inputs_;
  std::vector<std::size_t> outputs_;
};

}  // namespace vernier::frontends::tflite
