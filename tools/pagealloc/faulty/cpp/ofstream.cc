// Breaks `positional-write`, `no-seek`, `synced` and `open-flags`: a page by std::ofstream.
//
// Why it matters: the stream truncates the file that it opens, and with it every other page; it
// seeks and writes where pwrite would do both in one step; and flush() hands the bytes to the
// kernel, not to the disk. There is no sync in the standard library.
#include <fstream>

#include "page.h"

int main(int argc, char** argv) {
    const auto [file, page_no, offset] = arguments(argc, argv);
    const Page page = full_page("by std::ofstream");
    std::ofstream stream(file, std::ios::binary);

    stream.seekp(offset);
    stream.write(page.data(), page.size());
    stream.flush();
    must(stream.good(), "ofstream");
}
