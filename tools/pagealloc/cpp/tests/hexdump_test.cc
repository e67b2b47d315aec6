#include "hexdump.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace pagealloc {
namespace {

TEST(Hexdump, ShowsAPageAsXxdDoes) {
    const std::string page = "EGAP1ESD" + std::string(8, '\0');
    EXPECT_EQ(hexdump(bytes_of(page), 0),
              "00000000: 4547 4150 3145 5344 0000 0000 0000 0000  EGAP1ESD........\n");
}

TEST(Hexdump, FillsUpAShortRow) {
    EXPECT_EQ(hexdump(bytes_of("abc"), 16), "00000010: 6162 63" + std::string(34, ' ') + "abc\n");
    EXPECT_EQ(hexdump(bytes_of("ab"), 16), "00000010: 6162" + std::string(37, ' ') + "ab\n");
}

TEST(Hexdump, CountsOffsetsFromTheBeginningOfTheFile) {
    const std::string rows = hexdump(bytes_of(std::string(17, 'x')), 4096);
    EXPECT_TRUE(rows.starts_with("00001000: "));
    EXPECT_NE(rows.find("\n00001010: 78"), std::string::npos);
    EXPECT_TRUE(hexdump(bytes_of("x"), INT64_C(0x123456780)).starts_with("123456780: "));
}

TEST(Hexdump, ShowsAsciiOnly) {
    EXPECT_TRUE(hexdump(bytes_of("\x1F ~\x7F\x80\xFF"), 0).ends_with("  . ~...\n"));
}

TEST(Hexdump, OfNothingIsNothing) { EXPECT_EQ(hexdump({}, 0), ""); }

}  // namespace
}  // namespace pagealloc
