#include "page.h"

#include <algorithm>

#include "error.h"

namespace pagealloc {
namespace {

void check(std::int64_t number, const std::string& what, std::int64_t most) {
    if (number < 0) {
        throw ArgumentError(what + " is negative: " + std::to_string(number));
    }
    if (number > most) {
        throw ArgumentError(what + " is over " + std::to_string(most) + ": " +
                            std::to_string(number));
    }
}

}  // namespace

void check_page_no(std::int64_t page_no) { check(page_no, "page number", kLastPageNo); }

void check_page_count(std::int64_t pages) { check(pages, "page count", kPagesMax); }

Page build_page(Bytes payload) {
    if (payload.size() > kPayloadMax) {
        throw ArgumentError("payload is over " + std::to_string(kPayloadMax) + " bytes");
    }
    Page page{};
    store_le64(std::span(page).first<8>(), kMagic);
    std::ranges::copy(payload, std::span(page).subspan<kHeaderSize>().begin());
    return page;
}

std::optional<std::string> fault_of(Bytes page) {
    if (page.size() != kPageSize) {
        return "short page: " + std::to_string(page.size()) + " of " + std::to_string(kPageSize) +
               " bytes";
    }
    const auto magic = load_le64(page.first<8>());
    const auto reserved = load_le64(page.subspan<8, 8>());
    if (magic == kMagic && reserved == 0) {
        return std::nullopt;
    }
    if (std::ranges::all_of(page, [](std::byte byte) { return byte == std::byte{0}; })) {
        return "all zero: never written, or lost";
    }
    if (magic != kMagic) {
        return "wrong magic: 0x" + hex(magic, 16) + ", not 0x" + hex(kMagic, 16);
    }
    return "bytes 8 to 15 are not zero";
}

}  // namespace pagealloc
