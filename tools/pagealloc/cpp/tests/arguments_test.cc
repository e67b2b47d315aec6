#include "arguments.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "error.h"
#include "page.h"
#include "support.h"

namespace pagealloc {
namespace {

using testing::message;

std::string refused_page_number(const std::string& text) {
    return message<ArgumentError>([&] { static_cast<void>(page_number(text)); });
}

TEST(Arguments, PageNumbersAreDigits) {
    EXPECT_EQ(page_number("0"), 0);
    EXPECT_EQ(page_number("0007"), 7);
    EXPECT_EQ(page_number(std::string(5000, '0') + "7"), 7);
    EXPECT_EQ(page_number("2251799813685246"), kLastPageNo);
}

TEST(Arguments, PageNumbersAreNothingElse) {
    for (const std::string text :
         {"", "one", "+1", " 1", "1 ", "1_0", "0x1", "1\n", "--1", "-", "\xD9\xA3", "1.0"}) {
        EXPECT_EQ(refused_page_number(text), "page number is not a decimal number: " + text);
    }
    EXPECT_EQ(refused_page_number("-1"), "page number is negative: -1");
    EXPECT_EQ(refused_page_number("-0"), "page number is negative: -0");
}

TEST(Arguments, PageNumbersEndWhereOffsetsDo) {
    for (const std::string& text : {std::string("2251799813685247"), std::string(20, '9'),
                                    std::string("18446744073709551616"), std::string(5000, '9')}) {
        EXPECT_EQ(refused_page_number(text), "page number is over 2251799813685246: " + text);
    }
}

TEST(Arguments, PageCountsHaveOneMore) {
    EXPECT_EQ(page_count("2251799813685247"), kPagesMax);
    const auto refused = [](const std::string& text) {
        return message<ArgumentError>([&] { static_cast<void>(page_count(text)); });
    };
    EXPECT_EQ(refused("2251799813685248"), "page count is over 2251799813685247: 2251799813685248");
    EXPECT_EQ(refused("-3"), "page count is negative: -3");
    EXPECT_EQ(refused("x"), "page count is not a decimal number: x");
}

TEST(Arguments, ThreadsAre1To64) {
    EXPECT_EQ(thread_count("1"), 1);
    EXPECT_EQ(thread_count("064"), 64);
    for (const std::string text : {"0", "65", "-1", "", "x", "99999999999999999999"}) {
        EXPECT_EQ(message<ArgumentError>([&] { static_cast<void>(thread_count(text)); }),
                  "threads must be 1 to 64: " + text);
    }
}

TEST(Arguments, SeedsAreUnsigned64Bit) {
    EXPECT_EQ(seed_number("0"), 0U);
    EXPECT_EQ(seed_number("18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
    for (const std::string text : {"18446744073709551616", "-1", "", "0x1"}) {
        EXPECT_EQ(message<ArgumentError>([&] { static_cast<void>(seed_number(text)); }),
                  "seed is not an unsigned 64-bit number: " + text);
    }
}

}  // namespace
}  // namespace pagealloc
