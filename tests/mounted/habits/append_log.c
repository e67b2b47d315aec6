/* Write three records to a log that has one: append_log WAY; append-only-log judges it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void check(long result, const char *what)
{
    if (result < 0) {
        perror(what);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    const char *way = argc == 2 ? argv[1] : "";
    int flags = O_WRONLY | O_CREAT;
    int fd, i;

    if (strcmp(way, "no-flag") != 0 && strcmp(way, "rewrite") != 0)
        flags |= O_APPEND;
    if (strcmp(way, "emptied") == 0)
        flags |= O_TRUNC;
    check(fd = open("app.log", flags, 0644), "open");
    if (!(flags & O_APPEND))
        check(lseek(fd, 0, SEEK_END), "lseek");
    for (i = 0; i < 3; i++) {
        if (i == 2 && strcmp(way, "rewrite") == 0)
            check(lseek(fd, -7, SEEK_CUR), "lseek");
        check(write(fd, "record\n", 7), "write");
        if (strcmp(way, "unsynced") != 0)
            check(fdatasync(fd), "fdatasync");
    }
    if (strcmp(way, "cut") == 0)
        check(ftruncate(fd, 7), "ftruncate");
    check(close(fd), "close");
    return 0;
}
