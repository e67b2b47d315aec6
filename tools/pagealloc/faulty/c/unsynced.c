/* Breaks `synced`: the page is written and the file closed, without any sync.
 *
 * Why it matters: see synced.py; the same from a program without an interpreter.
 */
#include <fcntl.h>
#include <unistd.h>

#include "page.h"

int main(int argc, char **argv)
{
    off_t offset = page_no_of(argc, argv) * (off_t)PAGE_SIZE;
    unsigned char page[PAGE_SIZE];
    int fd = open(argv[1], O_RDWR | O_CREAT, 0644);

    must(fd >= 0, "open");
    make_page(page, "never synced");
    must(pwrite(fd, page, PAGE_SIZE, offset) == PAGE_SIZE, "pwrite");
    must(close(fd) == 0, "close");
    return 0;
}
