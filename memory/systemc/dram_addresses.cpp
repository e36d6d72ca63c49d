#include "memory/systemc/dram_addresses.hpp"

#include "arch/base/checked.hpp"

namespace vernier::memory {
namespace {

constexpr std::int64_t kBitsPerByte = 8;

}  // namespace

AddressDecoder::AddressDecoder(const DramTimingSpec& spec) : mapping_(spec.mapping) {
  const DramPreset& preset = spec.preset;
  const auto set = [this](DramField field, std::int64_t size) {
    sizes_[static_cast<std::size_t>(field)] = size;
  };
  set(DramField::kChannel, spec.channels);
  set(DramField::kRank, spec.ranks);
  set(DramField::kBankGroup, preset.bank_groups);
  set(DramField::kBank, preset.banks_per_group);
  set(DramField::kRow, preset.rows);
  set(DramField::kColumn, preset.bursts_per_row());
}

DramPlace AddressDecoder::place_of(std::int64_t burst) const {
  std::array<std::int64_t, kDramFields> parts{};
  for (std::size_t at = kDramFields; at-- > 0;) {
    const auto field = static_cast<std::size_t>(mapping_.order[at]);
    parts[field] = burst % sizes_[field];
    burst /= sizes_[field];
  }
  const auto part = [&parts](DramField field) { return parts[static_cast<std::size_t>(field)]; };
  const auto size = [this](DramField field) { return sizes_[static_cast<std::size_t>(field)]; };
  DramPlace place;
  place.channel = part(DramField::kChannel);
  place.bank =
      (part(DramField::kRank) * size(DramField::kBankGroup) + part(DramField::kBankGroup)) *
          size(DramField::kBank) +
      part(DramField::kBank);
  place.row = part(DramField::kRow);
  place.column = part(DramField::kColumn);
  return place;
}

BurstCursor::BurstCursor(const BlockAccess& access, std::int64_t burst_bits)
    : pattern_(access.pattern),
      packed_bits_(access.packed_bits),
      elements_(access.pattern.elements()),
      base_bits_(checked_mul(static_cast<std::int64_t>(access.packed_address), kBitsPerByte)),
      burst_bits_(burst_bits) {
  if (elements_ > 0 && packed_bits_ > 0) begin_run();
}

std::int64_t BurstCursor::bit_of(std::int64_t element, bool up) const {
  const std::int64_t scaled = checked_mul(element, packed_bits_);
  return base_bits_ + (up ? ceil_div(scaled, elements_) : scaled / elements_);
}

void BurstCursor::begin_run() {
  const std::int64_t first =
      pattern_.first + at_[0] * pattern_.stride[0] + at_[1] * pattern_.stride[1];
  const std::int64_t begin = bit_of(first, false) / burst_bits_;
  const bool is_known = last_ >= 0 && begin == last_;
  burst_ = begin + (is_known ? 1 : 0);
  last_ = (bit_of(first + pattern_.run, true) - 1) / burst_bits_;
}

void BurstCursor::advance() {
  ++burst_;
  while (burst_ > last_) {
    if (++at_[1] == pattern_.count[1]) {
      at_[1] = 0;
      ++at_[0];
    }
    if (at_[0] == pattern_.count[0]) {
      at_ = {pattern_.count[0] - 1, pattern_.count[1] - 1};
      return;
    }
    begin_run();
  }
}

std::int64_t BurstCursor::end_bits() const {
  const std::int64_t last = pattern_.first + (pattern_.count[0] - 1) * pattern_.stride[0] +
                            (pattern_.count[1] - 1) * pattern_.stride[1];
  return bit_of(last + pattern_.run, true);
}

}  // namespace vernier::memory
