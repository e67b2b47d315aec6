// The command: arguments in, one clear line and an exit code out.
#pragma once

#include <span>

#include "streams.h"

namespace pagealloc {

// Runs the command with `arguments`, the program's name not among them; returns the exit code.
[[nodiscard]] int run(std::span<const char* const> arguments, const Streams& streams = {}) noexcept;

}  // namespace pagealloc
