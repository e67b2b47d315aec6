/* Map a file of one page and change it: map_and_store WAY; no-mmap-writes judges it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    const char *way = argc == 2 ? argv[1] : "";
    int protection = PROT_READ, kind = MAP_SHARED;
    int fd = open("a.db", O_RDWR);
    char *page;

    if (strcmp(way, "read-only") != 0)
        protection |= PROT_WRITE;
    if (strcmp(way, "private") == 0)
        kind = MAP_PRIVATE;
    page = mmap(NULL, 4096, protection, kind, fd, 0);
    if (fd < 0 || page == MAP_FAILED) {
        perror("a.db");
        return 1;
    }
    if (strcmp(way, "read-only") == 0) {
        char first = (char)(page[0] + 1);
        if (pwrite(fd, &first, 1, 0) != 1)
            return 1;
    } else {
        page[0]++;
        if (kind == MAP_SHARED && msync(page, 4096, MS_SYNC) != 0)
            return 1;
    }
    return munmap(page, 4096) | fsync(fd) | close(fd);
}
