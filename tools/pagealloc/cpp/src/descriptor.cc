#include "descriptor.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "error.h"
#include "retried.h"

namespace pagealloc {
namespace {

constexpr int kClosed = -1;
constexpr mode_t kMode = 0644;

Outcome opened(const std::filesystem::path& path, int flags) noexcept {
    // open(2) would stop at a NUL byte and open another file.
    if (path.native().find('\0') != std::string::npos) {
        return {.value = -1, .number = EINVAL};
    }
    return retried([&] { return ::open(path.c_str(), flags | O_CLOEXEC, kMode); });
}

}  // namespace

Descriptor::Descriptor(const std::filesystem::path& path, int flags, std::string name)
    : name_(std::move(name)) {
    const auto [value, number] = opened(path, flags);
    if (number != 0) {
        throw SystemCallError(name_ + ": open", number);
    }
    number_ = static_cast<int>(value);
}

Descriptor::~Descriptor() {
    if (number_ != kClosed) {
        ::close(number_);
    }
}

void Descriptor::close() {
    if (::close(std::exchange(number_, kClosed)) == -1) {
        const int number = errno;
        throw SystemCallError(name_ + ": close", number);
    }
}

}  // namespace pagealloc
