// Standard input, output and error, as descriptors: no buffer stands between them and the calls.
#pragma once

#include <string_view>
#include <vector>

#include "bytes.h"

namespace pagealloc {

struct Streams {
    int in = 0;
    int out = 1;
    int err = 2;
};

// Returns what `streams.in` holds up to its end, or one byte more than a page can hold.
// Throws SystemCallError.
[[nodiscard]] std::vector<std::byte> standard_input(const Streams& streams);

// Writes all of `data`. Throws SystemCallError.
void say(const Streams& streams, Bytes data);

// Writes the line "pagealloc: MESSAGE" in one call; there is nowhere to tell of a failure.
void complain(const Streams& streams, std::string_view message) noexcept;

}  // namespace pagealloc
