#include "generated.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace pagealloc {
namespace {

std::uint64_t number(const Page& page, std::size_t index) {
    return load_le64(std::span(page).subspan(kHeaderSize + 8 * index).first<8>());
}

// The first outputs for the seed that implementations of splitmix64 are commonly compared by.
TEST(Generated, IsSplitmix64) {
    const Page page = generated_page(1234567, 0);
    EXPECT_EQ(number(page, 0), 6457827717110365317U);
    EXPECT_EQ(number(page, 1), 3203168211198807973U);
    EXPECT_EQ(number(page, 2), 9817491932198370423U);
    EXPECT_EQ(number(page, 3), 4593380528125082431U);
    EXPECT_EQ(number(page, 4), 16408922859458223821U);
}

TEST(Generated, BeginsEachPageOneStepFurther) {
    const Page first = generated_page(7, 0);
    const Page fourth = generated_page(7, 3);
    for (std::size_t at = 0; at + 3 < kPayloadMax / 8; ++at) {
        ASSERT_EQ(number(fourth, at), number(first, at + 3));
    }
}

TEST(Generated, IsAPageToItsLastByte) {
    const Page page = generated_page(std::numeric_limits<std::uint64_t>::max(), kLastPageNo);
    EXPECT_EQ(fault_of(page), std::nullopt);
    EXPECT_NE(number(page, kPayloadMax / 8 - 1), 0U);
}

}  // namespace
}  // namespace pagealloc
