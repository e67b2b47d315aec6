#include <string>

#include "generated.h"
#include "pagealloc.h"
#include "support.h"

namespace pagealloc {
namespace {

using testing::contents;
using testing::message;
using testing::page_text;
using testing::put;
using testing::text_of;

class FillTest : public testing::InDirectory {};

std::string filled(std::int64_t pages, std::uint64_t seed) {
    std::string text;
    for (std::int64_t page_no = 0; page_no < pages; ++page_no) {
        text += text_of(generated_page(seed, page_no));
    }
    return text;
}

TEST_F(FillTest, WritesTheSameWithAnyNumberOfThreads) {
    for (const int threads : {1, 2, 8, kThreadsMax}) {
        const auto path = file(std::to_string(threads));
        fill_pages(path, 50, {.threads = threads, .seed = 5});
        EXPECT_EQ(contents(path), filled(50, 5)) << threads;
    }
}

TEST_F(FillTest, HasOneThreadAndSeed0UnlessTold) {
    fill_pages(file(), 2);
    EXPECT_EQ(contents(file()), filled(2, 0));
}

TEST_F(FillTest, OfNoPagesCreatesTheFile) {
    fill_pages(file(), 0, {.threads = 3});
    EXPECT_EQ(contents(file()), "");
}

TEST_F(FillTest, LeavesWhatLiesBehind) {
    put(file(), page_text("a") + page_text("b"));
    fill_pages(file(), 1);
    EXPECT_EQ(contents(file()), filled(1, 0) + page_text("b"));
}

TEST_F(FillTest, RefusesNumbersThatCanNotBe) {
    EXPECT_EQ(message<ArgumentError>([&] { fill_pages(file(), -1); }),
              "page count is negative: -1");
    for (const int threads : {-1, 0, kThreadsMax + 1}) {
        EXPECT_EQ(message<ArgumentError>([&] { fill_pages(file(), 1, {.threads = threads}); }),
                  "threads must be 1 to 64: " + std::to_string(threads));
    }
    EXPECT_FALSE(std::filesystem::exists(file()));
}

}  // namespace
}  // namespace pagealloc
