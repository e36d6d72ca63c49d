#include "frontends/onnx/payload_filter.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include <fmt/format.h>

#include "arch/base/error.hpp"

namespace vernier::frontends::onnx {
namespace {

enum class Message : std::uint8_t {
  kModel,
  kGraph,
  kNode,
  kAttribute,
  kTensor,
  kValueInfo,
  kType,
  kTensorType,
  kShape,
  kDimension,
  kAnnotation,
  kEntry,
  kFunction,
  kSparse,
  kOpset,
};

enum class Kept : std::uint8_t {
  kMessage,  // goes into it
  kNumbers,  // packed or single numbers: counted, copied
  kPayload,  // copied when small
  kText,     // copied
  kDropped,
};

struct FieldRow {
  Message owner;
  std::uint32_t field;
  Kept kept;
  Message inner = Message::kModel;
};

// Field numbers of onnx.proto (ONNX 1.12; later versions only add fields). Fields without a row are
// not needed and dropped: documentation, metadata, training information, other value types.
constexpr std::array kFields{
    FieldRow{Message::kModel, 1, Kept::kNumbers},  // ir_version
    FieldRow{Message::kModel, 2, Kept::kText},     // producer_name
    FieldRow{Message::kModel, 7, Kept::kMessage, Message::kGraph},
    FieldRow{Message::kModel, 8, Kept::kMessage, Message::kOpset},
    FieldRow{Message::kModel, 25, Kept::kMessage, Message::kFunction},
    FieldRow{Message::kOpset, 1, Kept::kText},
    FieldRow{Message::kOpset, 2, Kept::kNumbers},
    FieldRow{Message::kFunction, 1, Kept::kText},   // name; the body is not read
    FieldRow{Message::kFunction, 10, Kept::kText},  // domain
    FieldRow{Message::kGraph, 1, Kept::kMessage, Message::kNode},
    FieldRow{Message::kGraph, 2, Kept::kText},
    FieldRow{Message::kGraph, 5, Kept::kMessage, Message::kTensor},
    FieldRow{Message::kGraph, 11, Kept::kMessage, Message::kValueInfo},
    FieldRow{Message::kGraph, 12, Kept::kMessage, Message::kValueInfo},
    FieldRow{Message::kGraph, 14, Kept::kMessage, Message::kAnnotation},
    FieldRow{Message::kGraph, 15, Kept::kMessage, Message::kSparse},
    FieldRow{Message::kNode, 1, Kept::kText},
    FieldRow{Message::kNode, 2, Kept::kText},
    FieldRow{Message::kNode, 3, Kept::kText},
    FieldRow{Message::kNode, 4, Kept::kText},
    FieldRow{Message::kNode, 5, Kept::kMessage, Message::kAttribute},
    FieldRow{Message::kNode, 7, Kept::kText},
    FieldRow{Message::kAttribute, 1, Kept::kText},
    FieldRow{Message::kAttribute, 2, Kept::kNumbers},
    FieldRow{Message::kAttribute, 3, Kept::kNumbers},
    FieldRow{Message::kAttribute, 4, Kept::kText},
    FieldRow{Message::kAttribute, 5, Kept::kMessage, Message::kTensor},
    FieldRow{Message::kAttribute, 7, Kept::kNumbers},
    FieldRow{Message::kAttribute, 8, Kept::kNumbers},
    FieldRow{Message::kAttribute, 20, Kept::kNumbers},  // type
    FieldRow{Message::kTensor, 1, Kept::kNumbers},
    FieldRow{Message::kTensor, 2, Kept::kNumbers},
    FieldRow{Message::kTensor, 4, Kept::kPayload},
    FieldRow{Message::kTensor, 5, Kept::kPayload},
    FieldRow{Message::kTensor, 7, Kept::kPayload},
    FieldRow{Message::kTensor, 8, Kept::kText},
    FieldRow{Message::kTensor, 9, Kept::kPayload},
    FieldRow{Message::kTensor, 10, Kept::kPayload},
    FieldRow{Message::kTensor, 11, Kept::kPayload},
    FieldRow{Message::kTensor, 14, Kept::kNumbers},  // data_location
    FieldRow{Message::kSparse, 1, Kept::kMessage, Message::kTensor},
    FieldRow{Message::kSparse, 3, Kept::kNumbers},
    FieldRow{Message::kValueInfo, 1, Kept::kText},
    FieldRow{Message::kValueInfo, 2, Kept::kMessage, Message::kType},
    FieldRow{Message::kType, 1, Kept::kMessage, Message::kTensorType},
    FieldRow{Message::kTensorType, 1, Kept::kNumbers},
    FieldRow{Message::kTensorType, 2, Kept::kMessage, Message::kShape},
    FieldRow{Message::kShape, 1, Kept::kMessage, Message::kDimension},
    FieldRow{Message::kDimension, 1, Kept::kNumbers},
    FieldRow{Message::kDimension, 2, Kept::kText},
    FieldRow{Message::kAnnotation, 1, Kept::kText},
    FieldRow{Message::kAnnotation, 2, Kept::kMessage, Message::kEntry},
    FieldRow{Message::kEntry, 1, Kept::kText},
    FieldRow{Message::kEntry, 2, Kept::kText},
};

enum WireType : std::uint32_t { kVarint = 0, kFixed64 = 1, kLength = 2, kFixed32 = 5 };

class Filter {
 public:
  Filter(std::string_view bytes, std::string_view file, const FileLimits& limits)
      : bytes_(bytes), file_(file), limits_(limits) {}

  std::string run() {
    std::string kept;
    copy_message(Message::kModel, 0, bytes_.size(), 0, kept);
    return kept;
  }

 private:
  [[noreturn]] void fail(std::size_t at, std::string_view message) const {
    throw ModelError(fmt::format("{}: byte {}: {}", file_, at, message));
  }

  std::uint64_t varint(std::size_t& at, std::size_t end) const {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (at >= end) fail(at, "the file ends inside a number: it is cut off, or no ONNX file");
      const auto byte = static_cast<unsigned char>(bytes_[at++]);
      value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
      if ((byte & 0x80U) == 0) return value;
    }
    fail(at, "a number of more than ten bytes: this is no ONNX file");
  }

  static const FieldRow* row_of(Message owner, std::uint32_t field) {
    const auto* row = std::find_if(kFields.begin(), kFields.end(), [&](const FieldRow& each) {
      return each.owner == owner && each.field == field;
    });
    return row == kFields.end() ? nullptr : row;
  }

  void count(std::size_t& so_far, std::size_t more, std::size_t most, std::size_t at,
             std::string_view what) const {
    so_far += more;
    if (so_far > most) fail(at, fmt::format("more than {} {}", most, what));
  }

  static void append_varint(std::string& text, std::uint64_t value) {
    while (value >= 0x80U) {
      text += static_cast<char>((value & 0x7fU) | 0x80U);
      value >>= 7U;
    }
    text += static_cast<char>(value);
  }

  // End of the field's value that begins at `at`; for length-delimited ones `at` moves to it.
  std::size_t value_end(std::uint32_t wire, std::size_t& at, std::size_t end) const {
    std::uint64_t length = 0;
    switch (wire) {
      case kVarint: {
        std::size_t after = at;
        (void)varint(after, end);
        return after;
      }
      case kFixed64: length = 8; break;
      case kFixed32: length = 4; break;
      case kLength: length = varint(at, end); break;
      default: fail(at, fmt::format("wire type {}: this is no ONNX file", wire));
    }
    if (length > end - at) {
      fail(at, fmt::format("a field of {} bytes where {} are left: the file is cut off, or no ONNX "
                           "file",
                           length, end - at));
    }
    return at + static_cast<std::size_t>(length);
  }

  void copy_message(Message kind, std::size_t at, std::size_t end, int depth, std::string& kept) {
    if (depth > limits_.max_depth) fail(at, "messages stand in messages too deeply");
    while (at < end) {
      const std::size_t field_begin = at;
      const std::uint64_t tag = varint(at, end);
      const auto field = static_cast<std::uint32_t>(tag >> 3U);
      const auto wire = static_cast<std::uint32_t>(tag & 7U);
      if (field == 0 || tag >> 3U > 0x1fffffffU) fail(field_begin, "this is no ONNX file");
      const std::size_t value_end_at = value_end(wire, at, end);
      const FieldRow* row = row_of(kind, field);
      if (row != nullptr && row->kept != Kept::kDropped) {
        copy_field(*row, wire, field_begin, at, value_end_at, depth, kept);
      }
      at = value_end_at;
    }
  }

  void copy_field(const FieldRow& row, std::uint32_t wire, std::size_t begin, std::size_t value,
                  std::size_t end, int depth, std::string& kept) {
    switch (row.kept) {
      case Kept::kMessage: {
        if (wire != kLength) return;
        count(messages_, 1, limits_.max_messages, begin, "nodes, attributes and tensors");
        std::string inner;
        copy_message(row.inner, value, end, depth + 1, inner);
        append_varint(kept, row.field * 8ULL + kLength);
        append_varint(kept, inner.size());
        kept += inner;
        return;
      }
      case Kept::kPayload:
        if (end - value > limits_.max_payload) return;
        if (payload_ > limits_.all_payloads && end - value > limits_.always_kept) return;
        payload_ += end - value;
        break;
      case Kept::kNumbers:
        count(numbers_, wire == kLength ? end - value : 1, limits_.max_numbers, begin,
              "bytes of sizes and attribute numbers");
        break;
      case Kept::kText:
        if (end - value > limits_.max_text) {
          fail(begin, fmt::format("a name of more than {} bytes", limits_.max_text));
        }
        count(messages_, 1, limits_.max_messages, begin, "names");
        break;
      case Kept::kDropped: return;
    }
    count(kept_, end - begin, limits_.max_kept, begin, "bytes beside the tensor payloads");
    kept.append(bytes_.substr(begin, end - begin));
  }

  std::string_view bytes_;
  std::string_view file_;
  FileLimits limits_;
  std::size_t kept_ = 0;
  std::size_t messages_ = 0;
  std::size_t numbers_ = 0;
  std::size_t payload_ = 0;
};

}  // namespace

std::string without_payloads(std::string_view bytes, std::string_view file,
                             const FileLimits& limits) {
  return Filter(bytes, file, limits).run();
}

}  // namespace vernier::frontends::onnx
