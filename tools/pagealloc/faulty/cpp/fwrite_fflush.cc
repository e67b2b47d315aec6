// Breaks `positional-write` and `synced`: the first page of a file by fwrite and fflush.
//
// Why it matters: fflush(3) empties the buffer of the C library into the kernel's, no further. The
// bytes survive the program's end, and no power failure. PAGE_NO has to be 0, the first page of a
// new file: a FILE opened with "r+" begins there.
#include <fcntl.h>
#include <unistd.h>

#include "page.h"

int main(int argc, char** argv) {
    const auto [file, page_no, offset] = arguments(argc, argv);
    const Page page = full_page("by fwrite");
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT, 0644);
    must(fd >= 0, "open");
    std::FILE* stream = ::fdopen(fd, "r+");
    must(stream != nullptr, "fdopen");

    must(std::fwrite(page.data(), page.size(), 1, stream) == 1, "fwrite");
    must(std::fflush(stream) == 0, "fflush");
    must(std::fclose(stream) == 0, "fclose");
}
