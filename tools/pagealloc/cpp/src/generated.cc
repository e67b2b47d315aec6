#include "generated.h"

namespace pagealloc {
namespace {

constexpr std::uint64_t kIncrement = 0x9E3779B97F4A7C15;

// Returns splitmix64's output for `state`; unsigned, so all of it is modulo 2^64.
constexpr std::uint64_t mixed(std::uint64_t state) noexcept {
    state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
    state = (state ^ (state >> 27)) * 0x94D049BB133111EB;
    return state ^ (state >> 31);
}

}  // namespace

Page generated_page(std::uint64_t seed, std::int64_t page_no) {
    Page page = build_page({});
    std::uint64_t state = seed + static_cast<std::uint64_t>(page_no) * kIncrement;
    for (auto rest = std::span(page).subspan(kHeaderSize); !rest.empty(); rest = rest.subspan(8)) {
        state += kIncrement;
        store_le64(rest.first<8>(), mixed(state));
    }
    return page;
}

}  // namespace pagealloc
