// Readers of foreign files on any bytes, for fuzz targets and mutation tests: each ends with a
// UserError or with contents that are sound. Anything else is a bug and throws InternalError.
#pragma once

#include <cstdint>
#include <span>

namespace vernier::tests {

using Bytes = std::span<const std::uint8_t>;

void read_any_model_yaml(Bytes bytes);
void read_any_precision_yaml(Bytes bytes);
void read_any_machine_yaml(Bytes bytes);
void read_any_tflite(Bytes bytes);
void read_any_topology(Bytes bytes);
void read_any_aimet(Bytes bytes);
void read_any_result_json(Bytes bytes);

}  // namespace vernier::tests
