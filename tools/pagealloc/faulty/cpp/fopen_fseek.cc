// Breaks `positional-write` and `no-seek`: fopen "r+", fseek, fwrite, even with a sync behind it.
//
// Why it matters: the stream has a position of its own and a buffer, whose size decides into how
// many writes the page is cut. The sync is right, and comes after fflush, as it has to.
#include <fcntl.h>
#include <unistd.h>

#include "page.h"

int main(int argc, char** argv) {
    const auto [file, page_no, offset] = arguments(argc, argv);
    const Page page = full_page("by fopen, fseek, fwrite");
    // "r+" does not create, "w+" would truncate.
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT, 0644);
    must(fd >= 0, "open");
    must(::close(fd) == 0, "close");
    std::FILE* stream = std::fopen(file.c_str(), "r+");
    must(stream != nullptr, "fopen");

    must(std::fseek(stream, offset, SEEK_SET) == 0, "fseek");
    must(std::fwrite(page.data(), page.size(), 1, stream) == 1, "fwrite");
    must(std::fflush(stream) == 0, "fflush");
    must(::fdatasync(::fileno(stream)) == 0, "fdatasync");
    must(std::fclose(stream) == 0, "fclose");
}
