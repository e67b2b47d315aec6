// How system calls are made here: EINTR is no result, and errno is looked at once, right after.
#pragma once

#include <cerrno>
#include <cstdint>

namespace pagealloc {

struct Outcome {
    std::int64_t value;  // what the call returned; -1 when it failed
    int number;          // the errno value; 0 when it did not fail
};

// Makes a system call again as long as a signal interrupts it. Not for close(2): the descriptor
// is gone then, too, and its number may already be another thread's.
template <typename Call>
[[nodiscard]] Outcome retried(Call call) noexcept {
    for (;;) {
        const std::int64_t value = call();
        if (value != -1) {
            return {.value = value, .number = 0};
        }
        if (errno != EINTR) {
            return {.value = -1, .number = errno};
        }
    }
}

}  // namespace pagealloc
