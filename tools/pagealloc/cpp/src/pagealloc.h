// Pages of 4096 bytes in a file: each written whole, at its own offset, and synced.
//
//     pagealloc::write_page("pages.db", 3, pagealloc::bytes_of("payload"));
//     const pagealloc::Payload payload = pagealloc::read_page("pages.db", 3);
//
// Every failure is thrown as one of the classes in error.h; a new file is created with mode 0644.
// A process whose file size is limited (RLIMIT_FSIZE) has to ignore SIGXFSZ, or it ends there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "bytes.h"
#include "error.h"
#include "page.h"

namespace pagealloc {

enum class SyncDirectory : bool { kNo, kYes };

// Makes `data` the payload of page `page_no` and returns once it is on the disk.
//
// The calls are openat, fstat (a query), one pwrite64 of 4096 bytes, fdatasync, close. A new file's
// name is durable only after a sync of the directory, which kYes adds, whether or not the file is
// new: openat, fsync, close of the directory.
//
// Throws ArgumentError: the page number or the payload can't be; nothing was opened.
// Throws SystemCallError: the file has the size it had; one created by this call is left, empty.
// The exception is a directory that can't be opened: the page is on the disk then.
// Throws SyncError: the page was written, but it or the file's name may not be on the disk.
void write_page(const std::filesystem::path& path, std::int64_t page_no, Bytes data,
                SyncDirectory sync_dir = SyncDirectory::kNo);

// Returns the payload of page `page_no`, padding included.
//
// Throws ArgumentError: the page number can't be.
// Throws ContentError: the page lies beyond the end, is cut short, or is no page of this format.
// Throws SystemCallError: the file can't be read.
[[nodiscard]] Payload read_page(const std::filesystem::path& path, std::int64_t page_no);

// Returns page `page_no` as it is, without judging it; fewer than 4096 bytes at the end.
// Throws as read_page does.
[[nodiscard]] std::vector<std::byte> read_raw(const std::filesystem::path& path,
                                              std::int64_t page_no);

// Calls `visit` with the number and the bytes of every page as it is; the last one may be shorter.
// Throws SystemCallError where the file can't be read, and what `visit` throws.
void visit_pages(const std::filesystem::path& path,
                 const std::function<void(std::int64_t, Bytes)>& visit);

inline constexpr int kThreadsMax = 64;

struct FillOptions {
    int threads = 1;  // 1 to kThreadsMax
    std::uint64_t seed = 0;
};

// Writes pages 0 to `pages` - 1, each once, and returns once all are on the disk.
//
// The threads share one descriptor and take page numbers from one counter, so pages need not be
// written in order. Each page's pwrite64 and fdatasync are one step: no write begins before the
// last one is synced.
//
// Throws ArgumentError: a number is out of its range; nothing was opened.
// Throws SystemCallError: of the page that failed first. No page is begun after it; those written
// before are on the disk, and the file is as long as they made it.
// Throws SyncError: alike, and the page that failed may not be on the disk.
void fill_pages(const std::filesystem::path& path, std::int64_t pages, FillOptions options = {});

}  // namespace pagealloc
