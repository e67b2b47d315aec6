#include <csignal>
#include <span>

#include "cli.h"

int main(int argc, char** argv) {
    // A write over RLIMIT_FSIZE is to fail with an error, not to end the process.
    static_cast<void>(std::signal(SIGXFSZ, SIG_IGN));
    // A closed pipe ends the command silently, also where the parent ignored the signal.
    static_cast<void>(std::signal(SIGPIPE, SIG_DFL));
    const std::span<const char* const> words(argv, static_cast<std::size_t>(argc));
    return pagealloc::run(words.subspan(words.empty() ? 0 : 1));
}
