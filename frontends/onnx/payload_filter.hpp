// Takes the large payloads out of an ONNX file before it is parsed. Shapes, names, attributes and
// small constants stay; the bytes of a weight tensor are never touched. It works on the protobuf
// wire format alone (tag = field * 8 + wire type; lengths and numbers as base-128 varints), so that
// the memory that parsing takes is bounded by what is kept, not by what a file claims.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vernier::frontends::onnx {

/// Limits of what is read at all.
struct FileLimits {
  std::size_t max_payload = std::size_t{16} << 10U;  ///< bytes of one tensor payload that is kept
  std::size_t all_payloads = std::size_t{8} << 20U;  ///< bytes of all of them; after that ...
  std::size_t always_kept = 256;                     ///< ... only payloads up to this size are
  std::size_t max_text = std::size_t{4} << 10U;      ///< bytes of one name
  std::size_t max_kept = std::size_t{48} << 20U;     ///< bytes that are kept of a file
  std::size_t max_messages = std::size_t{1} << 20U;  ///< nodes, attributes, tensors, names ...
  std::size_t max_numbers = std::size_t{4} << 20U;   ///< sizes and attribute numbers of a file
  int max_depth = 24;                                ///< messages inside messages
};

/// The file without payloads larger than the limit. `file` is the name for messages. Throws
/// ModelError when the bytes are no protobuf message or exceed a limit.
[[nodiscard]] std::string without_payloads(std::string_view bytes, std::string_view file,
                                           const FileLimits& limits = {});

}  // namespace vernier::frontends::onnx
