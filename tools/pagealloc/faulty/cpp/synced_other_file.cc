// Breaks `synced`: the sync goes to another file, FILE.journal.
//
// Why it matters: fdatasync(2) forces the file of its descriptor and no other. Two descriptors of
// type int, one mixed up, and the compiler has nothing to say.
#include <fcntl.h>
#include <unistd.h>

#include "page.h"

int main(int argc, char** argv) {
    const auto [file, page_no, offset] = arguments(argc, argv);
    const Page page = full_page("the other file was synced");
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT, 0644);
    const int journal = ::open((file + ".journal").c_str(), O_RDWR | O_CREAT, 0644);

    must(fd >= 0 && journal >= 0, "open");
    must(::pwrite(fd, page.data(), page.size(), offset) == static_cast<ssize_t>(page.size()),
         "pwrite");
    must(::fdatasync(journal) == 0, "fdatasync");
    must(::close(journal) == 0, "close");
    must(::close(fd) == 0, "close");
}
