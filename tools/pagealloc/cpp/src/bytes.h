// Bytes and the numbers they spell.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace pagealloc {

using Bytes = std::span<const std::byte>;

[[nodiscard]] inline Bytes bytes_of(std::string_view text) noexcept {
    return std::as_bytes(std::span(text));
}

// Shifted byte by byte, so that the file is the same on a big-endian machine.
[[nodiscard]] constexpr std::uint64_t load_le64(std::span<const std::byte, 8> from) noexcept {
    std::uint64_t value = 0;
    unsigned shift = 0;
    for (const std::byte byte : from) {
        value |= std::to_integer<std::uint64_t>(byte) << shift;
        shift += 8;
    }
    return value;
}

constexpr void store_le64(std::span<std::byte, 8> into, std::uint64_t value) noexcept {
    for (std::byte& byte : into) {
        byte = static_cast<std::byte>(value & 0xFF);
        value >>= 8;
    }
}

// Returns `value` in lower-case hexadecimal, with zeros in front up to `width` digits.
[[nodiscard]] inline std::string hex(std::uint64_t value, std::size_t width) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (; value != 0 || text.size() < width; value >>= 4) {
        text.insert(text.begin(), digits[value & 0xF]);
    }
    return text;
}

}  // namespace pagealloc
