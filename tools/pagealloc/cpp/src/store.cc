#include "store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "error.h"
#include "fsync_full.h"
#include "retried.h"

namespace pagealloc {
namespace {

static_assert(sizeof(off_t) == sizeof(std::int64_t), "needs _FILE_OFFSET_BITS=64");

std::int64_t size_of(const Descriptor& descriptor) {
    struct stat status{};
    const auto asked = retried([&] { return ::fstat(descriptor.number(), &status); });
    if (asked.number != 0) {
        throw SystemCallError(descriptor.name() + ": fstat", asked.number);
    }
    if (S_ISDIR(status.st_mode)) {
        throw SystemCallError(descriptor.name() + ": open", EISDIR);
    }
    if (!S_ISREG(status.st_mode)) {
        throw SystemCallError(descriptor.name() + ": open: not a regular file",
                              std::make_error_code(std::errc::invalid_argument));
    }
    return status.st_size;
}

}  // namespace

std::string place(const std::string& name, std::int64_t page_no) {
    return name + ": page " + std::to_string(page_no) + " at offset " +
           std::to_string(offset_of(page_no));
}

PageFile::PageFile(const std::filesystem::path& path, int flags)
    : descriptor_(path, flags, path.native()), size_(size_of(descriptor_)) {}

PageFile PageFile::for_reading(const std::filesystem::path& path) { return {path, O_RDONLY}; }

PageFile PageFile::for_writing(const std::filesystem::path& path) {
    return {path, O_RDWR | O_CREAT};
}

Bytes PageFile::read(std::int64_t page_no, Page& page) const {
    const auto [length, number] = retried([&] {
        return ::pread(descriptor_.number(), page.data(), page.size(), offset_of(page_no));
    });
    if (number != 0) {
        throw SystemCallError(place(name(), page_no) + ": pread", number);
    }
    return std::span(page).first(static_cast<std::size_t>(length));
}

void PageFile::write_synced(std::int64_t page_no, const Page& page) {
    write_whole(page_no, page);
    if (const int number = fsync_full(descriptor_.number()); number != 0) {
        throw SyncError(place(name(), page_no) + ": " + kSyncCall, number,
                        "the page may not be on the disk");
    }
    size_ = std::max(size_, offset_of(page_no + 1));
}

// A part of a page is no success, and is cut off again.
void PageFile::write_whole(std::int64_t page_no, const Page& page) const {
    const auto [written, number] = retried([&] {
        return ::pwrite(descriptor_.number(), page.data(), page.size(), offset_of(page_no));
    });
    if (number != 0) {
        throw SystemCallError(place(name(), page_no) + ": pwrite", number);
    }
    if (std::cmp_not_equal(written, page.size())) {
        cut_back(offset_of(page_no) + written);
        throw SystemCallError(place(name(), page_no) +
                                  ": pwrite: short write: " + std::to_string(written) + " of " +
                                  std::to_string(page.size()) + " bytes",
                              std::make_error_code(std::errc::io_error));
    }
}

// Gives the file its old size again, if the part that ends at `end` is what made it longer. An
// error is passed over: the short write is what gets reported.
void PageFile::cut_back(std::int64_t end) const noexcept {
    if (end <= size_) {
        return;
    }
    // A file that ends elsewhere was made longer by somebody else, who would lose data.
    struct stat status{};
    const auto asked = retried([&] { return ::fstat(descriptor_.number(), &status); });
    if (asked.number == 0 && status.st_size == end) {
        static_cast<void>(retried([&] { return ::ftruncate(descriptor_.number(), size_); }));
    }
}

void sync_directory(const std::filesystem::path& path) {
    const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
    Descriptor directory(folder, O_RDONLY | O_DIRECTORY, path.native() + ": directory");
    const auto synced = retried([&] { return ::fsync(directory.number()); });
    if (synced.number != 0) {
        throw SyncError(directory.name() + ": fsync", synced.number,
                        "the name may not be on the disk");
    }
    directory.close();
}

}  // namespace pagealloc
