// Breaks `open-flags`: O_APPEND, with which Linux ignores the offset of pwrite.
//
// Why it matters: the page goes to the end of the file, whatever its number (pwrite(2), BUGS). That
// is right for as long as pages are written in order and once; a rewrite then adds a copy.
#include <fcntl.h>
#include <unistd.h>

#include "page.h"

int main(int argc, char** argv) {
    const auto [file, page_no, offset] = arguments(argc, argv);
    const Page page = full_page("appended");
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_APPEND, 0644);

    must(fd >= 0, "open");
    must(::pwrite(fd, page.data(), page.size(), offset) == static_cast<ssize_t>(page.size()),
         "pwrite");
    must(::fdatasync(fd) == 0, "fdatasync");
    must(::close(fd) == 0, "close");
}
