// The pages that `fill` writes: made from a seed and the page number alone.
#pragma once

#include <cstdint>

#include "page.h"

namespace pagealloc {

// Returns the whole page `page_no` that `seed` makes.
//
// Its payload is 510 numbers of 64 bits, little-endian, out of the generator splitmix64 (Steele,
// Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014), whose state begins at
// seed + page_no times its increment.
[[nodiscard]] Page generated_page(std::uint64_t seed, std::int64_t page_no);

}  // namespace pagealloc
