#include "streams.h"

#include <sys/uio.h>
#include <unistd.h>

#include <array>

#include "error.h"
#include "page.h"
#include "retried.h"

namespace pagealloc {
namespace {

iovec part(std::string_view text) noexcept {
    // writev(2) does not write to the memory, but its type can not say so.
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
    return {.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
}

}  // namespace

std::vector<std::byte> standard_input(const Streams& streams) {
    std::vector<std::byte> data(kPayloadMax + 1);
    std::size_t size = 0;
    while (size < data.size()) {
        const auto rest = std::span(data).subspan(size);
        const auto [length, number] =
            retried([&] { return ::read(streams.in, rest.data(), rest.size()); });
        if (number != 0) {
            throw SystemCallError("standard input", number);
        }
        if (length == 0) {
            break;
        }
        size += static_cast<std::size_t>(length);
    }
    data.resize(size);
    return data;
}

void say(const Streams& streams, Bytes data) {
    while (!data.empty()) {
        const auto [length, number] =
            retried([&] { return ::write(streams.out, data.data(), data.size()); });
        if (number != 0) {
            throw SystemCallError("standard output", number);
        }
        data = data.subspan(static_cast<std::size_t>(length));
    }
}

void complain(const Streams& streams, std::string_view message) noexcept {
    const std::array parts{part("pagealloc: "), part(message), part("\n")};
    static_cast<void>(retried(
        [&] { return ::writev(streams.err, parts.data(), static_cast<int>(parts.size())); }));
}

}  // namespace pagealloc
