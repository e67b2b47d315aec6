/* Made by tracefs export: calls of a recording, made again.
 * cc -O1 -o replay FILE && ./replay DIRECTORY
 * Threads are done one after the other. The bytes that are written are a pattern. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum what {
    OPEN, PWRITE64, PWRITEV, PWRITEV2, WRITE, WRITEV, FSYNC, FDATASYNC, SYNCFS, SYNC, FSYNCDIR, LSEEK,
    CLOSE, FTRUNCATE, TRUNCATE, FALLOCATE, RENAME, LINK, LINKFD, UNLINK, SYMLINK, MKDIR, RMDIR
};

struct step {
    long call;
    enum what what;
    int slot, flags;
    long long offset, length;
    const char *path, *target;
};

static const struct step steps[] = {
