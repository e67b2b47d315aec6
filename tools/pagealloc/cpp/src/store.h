// Pages of an open file, one system call each.
//
// The file position is never used: pread64 and pwrite64 take the offset, and no lseek is made.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "descriptor.h"
#include "page.h"

namespace pagealloc {

// Returns how messages name a page.
[[nodiscard]] std::string place(const std::string& name, std::int64_t page_no);

class PageFile {
public:
    // Open an existing file to read, or one to write, created if need be.
    // Throw SystemCallError, also for what is not a regular file.
    [[nodiscard]] static PageFile for_reading(const std::filesystem::path& path);
    [[nodiscard]] static PageFile for_writing(const std::filesystem::path& path);

    // Reads page `page_no` into `page` and returns its bytes: fewer at the end of the file, none
    // behind it. Throws SystemCallError.
    [[nodiscard]] Bytes read(std::int64_t page_no, Page& page) const;

    // Writes `page` with one pwrite64 and returns once it is on the disk. Not for two threads at
    // once. Throws SystemCallError (the page was not written, the file is no longer than it was)
    // or SyncError (the page was written, but may not be on the disk; it is not tried again).
    void write_synced(std::int64_t page_no, const Page& page);

    // Closes and tells of an error. Throws SystemCallError.
    void close() { descriptor_.close(); }

    [[nodiscard]] const std::string& name() const noexcept { return descriptor_.name(); }

private:
    PageFile(const std::filesystem::path& path, int flags);
    void write_whole(std::int64_t page_no, const Page& page) const;
    void cut_back(std::int64_t end) const noexcept;

    Descriptor descriptor_;
    std::int64_t size_;  // in bytes: what a failed write goes back to
};

// Makes the name `path` durable: syncs the directory that it is in. A symbolic link's target lies
// elsewhere, and its name is not made durable by this. Throws SystemCallError where the directory
// can't be opened, SyncError where the name may not be on the disk.
void sync_directory(const std::filesystem::path& path);

}  // namespace pagealloc
