// The numbers among the command's arguments: ASCII digits and nothing else.
#pragma once

#include <cstdint>
#include <string_view>

namespace pagealloc {

// Each returns the number that `text` spells, or throws ArgumentError, which names `text`.
[[nodiscard]] std::int64_t page_number(std::string_view text);  // 0 to kLastPageNo
[[nodiscard]] std::int64_t page_count(std::string_view text);   // 0 to kPagesMax
[[nodiscard]] int thread_count(std::string_view text);          // 1 to kThreadsMax
[[nodiscard]] std::uint64_t seed_number(std::string_view text);

}  // namespace pagealloc
