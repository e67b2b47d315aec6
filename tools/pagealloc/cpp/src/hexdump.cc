#include "hexdump.h"

#include <algorithm>
#include <iterator>

namespace pagealloc {
namespace {

constexpr std::size_t kRow = 16;
constexpr std::size_t kGroupsWidth = 40;

// Pairs are counted from the left, so that an odd last byte stands alone.
std::string groups(Bytes row) {
    std::string text;
    bool second = false;
    for (const std::byte byte : row) {
        text += hex(std::to_integer<std::uint64_t>(byte), 2);
        text.append(second ? 1 : 0, ' ');
        second = !second;
    }
    text.resize(kGroupsWidth, ' ');
    return text;
}

char shown(std::byte byte) noexcept {
    const char letter = std::to_integer<char>(byte);
    return letter >= ' ' && letter <= '~' ? letter : '.';
}

}  // namespace

std::string hexdump(Bytes data, std::int64_t offset) {
    std::string lines;
    while (!data.empty()) {
        const auto row = data.first(std::min(kRow, data.size()));
        lines += hex(static_cast<std::uint64_t>(offset), 8) + ": " + groups(row) + ' ';
        std::ranges::transform(row, std::back_inserter(lines), shown);
        lines += '\n';
        data = data.subspan(row.size());
        offset += static_cast<std::int64_t>(kRow);
    }
    return lines;
}

}  // namespace pagealloc
