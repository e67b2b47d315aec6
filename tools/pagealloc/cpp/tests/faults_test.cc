// What the library does when a call fails, seen from the calls that it makes.
#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "pagealloc.h"
#include "stubs/stubs.h"
#include "support.h"

namespace pagealloc {
namespace {

using testing::contents;
using testing::page_text;
using testing::put;
using testing::thrown;

using Calls = std::vector<std::string>;

class FaultsTest : public testing::InDirectory {
protected:
    FaultsTest() { stubs::reset(); }
    [[nodiscard]] std::string name() const { return file().native(); }
};

TEST_F(FaultsTest, AWriteIsOnePwriteAndOneSync) {
    write_page(file(), 2, {});
    EXPECT_EQ(stubs::made, (Calls{"pwrite", "fdatasync"}));
}

TEST_F(FaultsTest, InterruptedCallsAreMadeAgain) {
    stubs::faults["pwrite"] = {{.number = EINTR}, {.number = EINTR}};
    stubs::faults["fdatasync"] = {{.number = EINTR}};
    stubs::faults["pread"] = {{.number = EINTR}};
    write_page(file(), 0, bytes_of("x"));
    static_cast<void>(read_page(file(), 0));
    EXPECT_EQ(stubs::made,
              (Calls{"pwrite", "pwrite", "pwrite", "fdatasync", "fdatasync", "pread", "pread"}));
    EXPECT_EQ(contents(file()), page_text("x"));
}

TEST_F(FaultsTest, AFullDiskIsNotSynced) {
    stubs::faults["pwrite"] = {{.number = ENOSPC}};
    const auto error = thrown<SystemCallError>([&] { write_page(file(), 1, {}); });
    EXPECT_EQ(error.what(), name() + ": page 1 at offset 4096: pwrite: no space left on device");
    EXPECT_EQ(error.code(), std::errc::no_space_on_device);
    EXPECT_EQ(stubs::made, Calls{"pwrite"});
    EXPECT_EQ(contents(file()), "");
}

TEST_F(FaultsTest, AShortWriteIsNeitherFinishedNorSynced) {
    stubs::faults["pwrite"] = {{.length = 100}};
    const auto error = thrown<SystemCallError>([&] { write_page(file(), 1, {}); });
    EXPECT_EQ(error.what(),
              name() + ": page 1 at offset 4096: pwrite: short write: 100 of 4096 bytes");
    EXPECT_EQ(error.code(), std::errc::io_error);
    EXPECT_EQ(stubs::made, Calls{"pwrite"});
    EXPECT_EQ(contents(file()), "");
}

TEST_F(FaultsTest, AShortWriteOfNothingIsAnErrorToo) {
    stubs::faults["pwrite"] = {{.length = 0}};
    EXPECT_THROW(write_page(file(), 0, {}), SystemCallError);
}

TEST_F(FaultsTest, AShortWriteInsideTheFileCutsNothing) {
    put(file(), page_text("a") + page_text("b"));
    stubs::faults["pwrite"] = {{.length = 17}};
    EXPECT_THROW(write_page(file(), 0, bytes_of("new")), SystemCallError);
    EXPECT_EQ(contents(file()), page_text("n") + page_text("b"));
}

TEST_F(FaultsTest, WhatSomebodyElseWroteBehindAShortWriteStays) {
    const auto append = [&] { std::filesystem::resize_file(file(), 9000); };
    stubs::faults["pwrite"] = {{.length = 100, .afterwards = append}};
    EXPECT_THROW(write_page(file(), 0, {}), SystemCallError);
    EXPECT_EQ(std::filesystem::file_size(file()), 9000U);
}

TEST_F(FaultsTest, AFailedSyncIsToldAndNotTriedAgain) {
    stubs::faults["fdatasync"] = {{.number = EIO}};
    const auto error = thrown<SyncError>([&] { write_page(file(), 1, bytes_of("x")); });
    EXPECT_EQ(error.what(), name() +
                                ": page 1 at offset 4096: fdatasync: input/output error; the page "
                                "may not be on the disk");
    EXPECT_EQ(error.exit_code(), 4);
    EXPECT_EQ(error.code(), std::errc::io_error);
    EXPECT_EQ(stubs::made, (Calls{"pwrite", "fdatasync"}));
    EXPECT_EQ(std::filesystem::file_size(file()), 2 * kPageSize);
}

TEST_F(FaultsTest, TheDirectoryIsSyncedLast) {
    stubs::faults["fsync"] = {{.number = EINTR}};
    write_page(file(), 0, {}, SyncDirectory::kYes);
    EXPECT_EQ(stubs::made, (Calls{"pwrite", "fdatasync", "fsync", "fsync"}));
}

TEST_F(FaultsTest, AFailedSyncOfTheDirectoryIsTold) {
    stubs::faults["fsync"] = {{.number = EIO}};
    const auto error = thrown<SyncError>([&] { write_page(file(), 0, {}, SyncDirectory::kYes); });
    EXPECT_EQ(error.what(), name() +
                                ": directory: fsync: input/output error; the name may not be on "
                                "the disk");
    EXPECT_EQ(stubs::made, (Calls{"pwrite", "fdatasync", "fsync"}));
}

TEST_F(FaultsTest, ADirectoryThatCanNotBeOpenedIsToldOnceThePageIsWritten) {
    const auto gone = file("gone");
    std::filesystem::create_directory(gone);
    const auto page = gone / "f";
    const auto move = [&] { std::filesystem::rename(gone, file("kept")); };
    stubs::faults["fdatasync"] = {{.afterwards = move}};
    const auto error =
        thrown<SystemCallError>([&] { write_page(page, 0, {}, SyncDirectory::kYes); });
    EXPECT_EQ(error.what(), page.native() + ": directory: open: no such file or directory");
    EXPECT_EQ(error.exit_code(), 3);
    EXPECT_EQ(contents(file("kept") / "f"), page_text(""));
}

TEST_F(FaultsTest, AFailedReadIsTold) {
    put(file(), page_text("x"));
    stubs::faults["pread"] = {{.number = EIO}};
    const auto error = thrown<SystemCallError>([&] { static_cast<void>(read_page(file(), 0)); });
    EXPECT_EQ(error.what(), name() + ": page 0 at offset 0: pread: input/output error");
}

TEST_F(FaultsTest, AFillSyncsEachPageBeforeTheNext) {
    fill_pages(file(), 100, {.threads = 8});
    ASSERT_EQ(stubs::made.size(), 200U);
    for (std::size_t at = 0; at < stubs::made.size(); at += 2) {
        ASSERT_EQ(stubs::made[at], "pwrite");
        ASSERT_EQ(stubs::made[at + 1], "fdatasync");
    }
}

TEST_F(FaultsTest, TheFirstFailureStopsAllThreadsOfAFill) {
    stubs::faults["fdatasync"] = {{}, {}, {.number = EIO}};
    const auto error = thrown<SyncError>([&] { fill_pages(file(), 100, {.threads = 8}); });
    EXPECT_TRUE(std::string(error.what()).ends_with("; the page may not be on the disk"));
    EXPECT_EQ(stubs::made.size(), 6U);
}

TEST_F(FaultsTest, AFillThatFailsLeavesTheLengthThatItsPagesMade) {
    stubs::faults["pwrite"] = {{}, {}, {.length = 100}};
    const auto error = thrown<SystemCallError>([&] { fill_pages(file(), 9); });
    EXPECT_EQ(error.what(),
              name() + ": page 2 at offset 8192: pwrite: short write: 100 of 4096 bytes");
    EXPECT_EQ(std::filesystem::file_size(file()), 2 * kPageSize);
}

}  // namespace
}  // namespace pagealloc
