// Breaks `full-page`: only header and text are written, not the page's padding.
//
// Why it matters: the rest of the page keeps what it held before, so that a shorter text ends in
// the tail of the longer one it replaces; and the last page of the file is cut short.
#include <fcntl.h>
#include <unistd.h>

#include "page.h"

int main(int argc, char** argv) {
    const auto [file, page_no, offset] = arguments(argc, argv);
    constexpr std::string_view text = "a short page";
    constexpr std::size_t length = 16 + text.size();
    const Page page = full_page(text);
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT, 0644);

    must(fd >= 0, "open");
    must(::pwrite(fd, page.data(), length, offset) == static_cast<ssize_t>(length), "pwrite");
    must(::fdatasync(fd) == 0, "fdatasync");
    must(::close(fd) == 0, "close");
}
