/* Breaks `positional-write` and `no-seek`: the page is found by lseek and written by write.
 *
 * Why it matters: between the two calls another thread may move the position that both share.
 * A FUSE filesystem is sent the same request as for pwrite64; only the caller can tell them apart.
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
    make_page(page, "lseek, then write");
    must(lseek(fd, offset, SEEK_SET) == offset, "lseek");
    must(write(fd, page, PAGE_SIZE) == PAGE_SIZE, "write");
    must(fdatasync(fd) == 0, "fdatasync");
    must(close(fd) == 0, "close");
    return 0;
}
