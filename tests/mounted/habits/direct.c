/* Write by O_DIRECT: direct WAY; direct-io-aligned judges it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    const char *way = argc == 2 ? argv[1] : "";
    int fd = open("a.db", O_RDWR | O_CREAT | O_DIRECT, 0644);
    size_t length = 4096;
    off_t offset = 8192;
    void *page;

    if (fd < 0 || posix_memalign(&page, 4096, 4096) != 0) {
        perror("a.db");
        return 1;
    }
    memset(page, 0, 4096);
    if (strcmp(way, "block") == 0)
        length = offset = 512;
    if (strcmp(way, "short") == 0 || strcmp(way, "switched-off") == 0)
        length = 100;
    if (strcmp(way, "between") == 0)
        offset = 100;
    if (strcmp(way, "switched-off") == 0) {
        if (pwrite(fd, page, 4096, 0) != 4096 || fcntl(fd, F_SETFL, 0) != 0)
            return 1;
    }
    if (pwrite(fd, page, length, offset) != (ssize_t)length) {
        perror("pwrite");
        return 1;
    }
    if (strcmp(way, "unsynced") != 0 && fdatasync(fd) != 0)
        return 1;
    return close(fd);
}
