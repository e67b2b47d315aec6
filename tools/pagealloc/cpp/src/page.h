// The layout of a page, and where it lies.
//
//     offset  bytes  meaning
//          0      8  magic 0x4453453150414745, little-endian
//          8      8  zero
//         16   4080  payload, zero-padded; its length is not stored
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "bytes.h"

namespace pagealloc {

inline constexpr std::size_t kPageSize = 4096;
inline constexpr std::size_t kHeaderSize = 16;
inline constexpr std::size_t kPayloadMax = kPageSize - kHeaderSize;
inline constexpr std::uint64_t kMagic = 0x4453453150414745;

// The last page whose end, too, is an offset that a signed 64-bit number holds.
inline constexpr std::int64_t kLastPageNo =
    std::numeric_limits<std::int64_t>::max() / static_cast<std::int64_t>(kPageSize) - 1;
inline constexpr std::int64_t kPagesMax = kLastPageNo + 1;

using Page = std::array<std::byte, kPageSize>;
using Payload = std::array<std::byte, kPayloadMax>;

// Returns the offset in bytes at which page `page_no` begins; 0 <= page_no <= kPagesMax.
[[nodiscard]] constexpr std::int64_t offset_of(std::int64_t page_no) noexcept {
    return page_no * static_cast<std::int64_t>(kPageSize);
}

// Accepts the number of a page that a file can have. Throws ArgumentError.
void check_page_no(std::int64_t page_no);

// Accepts a number of pages that a file can have. Throws ArgumentError.
void check_page_count(std::int64_t pages);

// Returns the whole page that carries `payload`. Throws ArgumentError if it is over kPayloadMax.
[[nodiscard]] Page build_page(Bytes payload);

// Returns what is wrong with `page`, nothing when nothing is.
[[nodiscard]] std::optional<std::string> fault_of(Bytes page);

}  // namespace pagealloc
