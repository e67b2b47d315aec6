#include "pagealloc.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <string>
#include <vector>

#include "support.h"

namespace pagealloc {
namespace {

using testing::contents;
using testing::message;
using testing::page_text;
using testing::put;
using testing::text_of;
using testing::thrown;

class PageallocTest : public testing::InDirectory {};

TEST_F(PageallocTest, WhatIsWrittenIsRead) {
    write_page(file(), 3, bytes_of("payload"));
    EXPECT_EQ(text_of(read_page(file(), 3)), page_text("payload").substr(kHeaderSize));
    EXPECT_EQ(contents(file()), std::string(3 * kPageSize, '\0') + page_text("payload"));
}

TEST_F(PageallocTest, AWriteLeavesOtherPagesAlone) {
    put(file(), page_text("a") + page_text("b") + page_text("c"));
    write_page(file(), 1, bytes_of("new"));
    EXPECT_EQ(contents(file()), page_text("a") + page_text("new") + page_text("c"));
}

TEST_F(PageallocTest, AnArgumentThatCanNotBeCreatesNoFile) {
    const std::string big(kPayloadMax + 1, 'x');
    EXPECT_THROW(write_page(file(), -1, {}), ArgumentError);
    EXPECT_THROW(write_page(file(), kLastPageNo + 1, {}), ArgumentError);
    EXPECT_THROW(write_page(file(), 0, bytes_of(big)), ArgumentError);
    EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(PageallocTest, ANewFileMayBeReadByAll) {
    const auto old = ::umask(022);
    write_page(file(), 0, {});
    ::umask(old);
    EXPECT_EQ(std::filesystem::status(file()).permissions(), std::filesystem::perms{0644});
}

TEST_F(PageallocTest, TheDirectoryIsSyncedWhereverItIs) {
    EXPECT_NO_THROW(write_page(file(), 0, {}, SyncDirectory::kYes));
    const auto old = std::filesystem::current_path();
    std::filesystem::current_path(file().parent_path());
    EXPECT_NO_THROW(write_page("bare-name", 0, {}, SyncDirectory::kYes));
    std::filesystem::current_path(old);
    EXPECT_EQ(contents(file("bare-name")), page_text(""));
}

TEST_F(PageallocTest, WhatIsNoRegularFileIsRefused) {
    const std::string folder = file("").parent_path().native();
    const std::string fifo = file("fifo").native();
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    EXPECT_EQ(message<SystemCallError>([&] { write_page(folder, 0, {}); }),
              folder + ": open: is a directory");
    EXPECT_EQ(message<SystemCallError>([&] { static_cast<void>(read_page(folder, 0)); }),
              folder + ": open: is a directory");
    EXPECT_EQ(message<SystemCallError>([&] { write_page(fifo, 0, {}); }),
              fifo + ": open: not a regular file");
}

TEST_F(PageallocTest, AReadSaysWhatIsNotThere) {
    const std::string name = file().native();
    put(file(), page_text("a") + page_text("b").substr(0, 100));
    const auto read = [&](std::int64_t page_no) {
        return message<ContentError>([&] { static_cast<void>(read_page(file(), page_no)); });
    };
    EXPECT_EQ(read(1), name + ": page 1 at offset 4096: short page: 100 of 4096 bytes");
    EXPECT_EQ(read(2), name + ": page 2 at offset 8192: beyond the end of the file");
    EXPECT_EQ(read_raw(file(), 1).size(), 100U);
}

TEST_F(PageallocTest, AReadCreatesNothing) {
    EXPECT_EQ(message<SystemCallError>([&] { static_cast<void>(read_page(file(), 0)); }),
              file().native() + ": open: no such file or directory");
    EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(PageallocTest, AVisitSeesEveryPage) {
    put(file(), page_text("a") + page_text("b") + "rest");
    std::vector<std::string> seen;
    visit_pages(file(), [&](std::int64_t page_no, Bytes page) {
        EXPECT_EQ(page_no, static_cast<std::int64_t>(seen.size()));
        seen.push_back(text_of(page));
    });
    EXPECT_EQ(seen, (std::vector{page_text("a"), page_text("b"), std::string("rest")}));
}

// A limit on the size of files, for as long as it lives.
class SizeLimit {
public:
    explicit SizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &old_);
        const rlimit limit{bytes, old_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~SizeLimit() {
        ::setrlimit(RLIMIT_FSIZE, &old_);
        static_cast<void>(std::signal(SIGXFSZ, handler_));
    }
    SizeLimit(const SizeLimit&) = delete;
    SizeLimit& operator=(const SizeLimit&) = delete;
    SizeLimit(SizeLimit&&) = delete;
    SizeLimit& operator=(SizeLimit&&) = delete;

private:
    void (*handler_)(int);
    rlimit old_{};
};

TEST_F(PageallocTest, AShortWriteIsCutOffAgain) {
    put(file(), page_text("old"));
    const SizeLimit limit(kPageSize + 100);
    const auto error = thrown<SystemCallError>([&] { write_page(file(), 1, bytes_of("new")); });
    EXPECT_EQ(error.what(),
              file().native() + ": page 1 at offset 4096: pwrite: short write: 100 of 4096 bytes");
    EXPECT_EQ(error.code(), std::errc::io_error);
    EXPECT_EQ(error.exit_code(), 3);
    EXPECT_EQ(contents(file()), page_text("old"));
}

TEST_F(PageallocTest, AWriteOverTheLimitLeavesTheFile) {
    put(file(), page_text("old"));
    const SizeLimit limit(kPageSize);
    EXPECT_EQ(message<SystemCallError>([&] { write_page(file(), 1, bytes_of("new")); }),
              file().native() + ": page 1 at offset 4096: pwrite: file too large");
    EXPECT_EQ(contents(file()), page_text("old"));
}

}  // namespace
}  // namespace pagealloc
