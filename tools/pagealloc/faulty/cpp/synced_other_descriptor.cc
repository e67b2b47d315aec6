// Breaks `synced`: the file is closed, opened again, and that descriptor is synced.
//
// Why it matters: a write-back error is reported to descriptors that were open when it happened
// (fsync(2), NOTES); one that was opened afterwards need not hear of it, and from the close to the
// sync the page is not on the disk.
#include <fcntl.h>
#include <unistd.h>

#include "page.h"

int main(int argc, char** argv) {
    const auto [file, page_no, offset] = arguments(argc, argv);
    const Page page = full_page("synced too late");
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT, 0644);

    must(fd >= 0, "open");
    must(::pwrite(fd, page.data(), page.size(), offset) == static_cast<ssize_t>(page.size()),
         "pwrite");
    must(::close(fd) == 0, "close");
    const int again = ::open(file.c_str(), O_RDWR | O_CREAT, 0644);
    must(again >= 0, "open");
    must(::fdatasync(again) == 0, "fdatasync");
    must(::close(again) == 0, "close");
}
