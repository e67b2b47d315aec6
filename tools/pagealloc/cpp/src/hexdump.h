#pragma once

#include <cstdint>
#include <string>

#include "bytes.h"

namespace pagealloc {

// Returns `data` as xxd prints it: offset, eight groups of two bytes, text. It lies at `offset`,
// a multiple of 16, of its file.
[[nodiscard]] std::string hexdump(Bytes data, std::int64_t offset);

}  // namespace pagealloc
