#include "page.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "error.h"
#include "support.h"

namespace pagealloc {
namespace {

using testing::message;
using testing::page_text;
using testing::text_of;

TEST(Page, HoldsMagicZerosPayloadAndPadding) {
    EXPECT_EQ(text_of(build_page(bytes_of("first page"))), page_text("first page"));
    EXPECT_EQ(text_of(build_page({})), page_text(""));
}

TEST(Page, TakesAPayloadThatFillsIt) {
    const std::string payload(kPayloadMax, 'x');
    EXPECT_EQ(text_of(build_page(bytes_of(payload))), page_text(payload));
}

TEST(Page, RefusesAPayloadThatIsOneByteTooLong) {
    const std::string payload(kPayloadMax + 1, 'x');
    const auto build = [&] { static_cast<void>(build_page(bytes_of(payload))); };
    EXPECT_EQ(message<ArgumentError>(build), "payload is over 4080 bytes");
}

TEST(Page, LastPageEndsWhereSigned64BitsDo) {
    EXPECT_EQ(kLastPageNo, 2251799813685246);
    EXPECT_EQ(offset_of(kLastPageNo), 9223372036854767616);
    EXPECT_NO_THROW(check_page_no(0));
    EXPECT_NO_THROW(check_page_no(kLastPageNo));
    EXPECT_NO_THROW(check_page_count(kPagesMax));
}

TEST(Page, RefusesNumbersThatCanNotBe) {
    EXPECT_EQ(message<ArgumentError>([] { check_page_no(-1); }), "page number is negative: -1");
    EXPECT_EQ(message<ArgumentError>([] { check_page_no(kLastPageNo + 1); }),
              "page number is over 2251799813685246: 2251799813685247");
    EXPECT_EQ(message<ArgumentError>([] { check_page_count(kPagesMax + 1); }),
              "page count is over 2251799813685247: 2251799813685248");
}

struct Fault {
    std::string name;
    std::string page;
    std::string fault;
};

std::ostream& operator<<(std::ostream& stream, const Fault& tried) { return stream << tried.name; }

class Faults : public ::testing::TestWithParam<Fault> {};

TEST_P(Faults, AreNamed) { EXPECT_EQ(fault_of(bytes_of(GetParam().page)), GetParam().fault); }

INSTANTIATE_TEST_SUITE_P(
    Page, Faults,
    ::testing::Values(
        Fault{"Short", page_text("x").substr(0, 100), "short page: 100 of 4096 bytes"},
        Fault{"Hole", std::string(kPageSize, '\0'), "all zero: never written, or lost"},
        Fault{"Foreign", std::string(kPageSize, 'x'),
              "wrong magic: 0x7878787878787878, not 0x4453453150414745"},
        Fault{"ZerosBeforeData", std::string(kPageSize - 1, '\0') + "x",
              "wrong magic: 0x0000000000000000, not 0x4453453150414745"},
        Fault{"Reserved", page_text("x").replace(15, 1, "x"), "bytes 8 to 15 are not zero"}),
    [](const auto& tried) { return tried.param.name; });

TEST(Page, HasNoFaultWhateverItsPayload) {
    EXPECT_EQ(fault_of(build_page({})), std::nullopt);
    EXPECT_EQ(fault_of(build_page(bytes_of(std::string(kPayloadMax, '\xFF')))), std::nullopt);
}

}  // namespace
}  // namespace pagealloc
