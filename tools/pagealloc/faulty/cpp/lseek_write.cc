// Breaks `positional-write` and `no-seek`: the page is found by lseek and written by write.
//
// Why it matters: threads that share the descriptor share its position, too. Between the two calls
// another one may move it, and the page lands on that one's.
#include <fcntl.h>
#include <unistd.h>

#include "page.h"

int main(int argc, char** argv) {
    const auto [file, page_no, offset] = arguments(argc, argv);
    const Page page = full_page("lseek, then write");
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT, 0644);

    must(fd >= 0, "open");
    must(::lseek(fd, offset, SEEK_SET) == offset, "lseek");
    must(::write(fd, page.data(), page.size()) == static_cast<ssize_t>(page.size()), "write");
    must(::fdatasync(fd) == 0, "fdatasync");
    must(::close(fd) == 0, "close");
}
