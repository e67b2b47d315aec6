// Breaks `synced`: the sync fails, and nobody looks.
//
// Why it matters: fdatasync is called on a number that is no longer a descriptor, answers EBADF,
// and the result is dropped. An EIO would be dropped just so, and that one is told only once.
#include <fcntl.h>
#include <unistd.h>

#include "page.h"

int main(int argc, char** argv) {
    const auto [file, page_no, offset] = arguments(argc, argv);
    const Page page = full_page("the sync failed");
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT, 0644);

    must(fd >= 0, "open");
    must(::pwrite(fd, page.data(), page.size(), offset) == static_cast<ssize_t>(page.size()),
         "pwrite");
    must(::close(fd) == 0, "close");
    ::fdatasync(fd);
}
