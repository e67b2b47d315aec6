#include "bytes.h"

#include <gtest/gtest.h>

#include <array>

namespace pagealloc {
namespace {

TEST(Bytes, TheLowestByteComesFirst) {
    std::array<std::byte, 8> bytes{};
    store_le64(bytes, 0x0123456789ABCDEF);
    EXPECT_EQ(bytes.front(), std::byte{0xEF});
    EXPECT_EQ(bytes.back(), std::byte{0x01});
    EXPECT_EQ(load_le64(bytes), 0x0123456789ABCDEFU);
}

TEST(Bytes, HexFillsUpAndNeverCutsOff) {
    EXPECT_EQ(hex(0, 2), "00");
    EXPECT_EQ(hex(0xAB, 4), "00ab");
    EXPECT_EQ(hex(0x123456789, 8), "123456789");
}

}  // namespace
}  // namespace pagealloc
