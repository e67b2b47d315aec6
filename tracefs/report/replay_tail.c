    {-1, SYNC, 0, 0, 0, 0, "", ""}
};

static int fds[SLOTS + 1];

/* As many bytes as are asked for, of a pattern that tells calls apart. */
static void *bytes(const struct step *step)
{
    static char *buffer;
    static size_t room;
    size_t size = (size_t)step->length;
    if (size > room) {
        free(buffer);
        room = size;
        if (posix_memalign((void **)&buffer, 4096, size) != 0) { /* O_DIRECT wants it so */
            fputs("there is not enough memory\n", stderr);
            exit(1);
        }
    }
    if (size > 0)
        memset(buffer, (int)('a' + step->call % 26), size);
    return buffer;
}

static long long directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    long long result = fd < 0 ? -1 : fsync(fd);
    if (fd >= 0)
        close(fd);
    return result;
}

/* Gives the file of an open, which has none, a name (open(2), O_TMPFILE). */
static int link_fd(int fd, const char *path)
{
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, name, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
}

static long long doing(const struct step *step)
{
    int fd = fds[step->slot];
    struct iovec part;
    switch (step->what) {
    case OPEN: return fds[step->slot] = open(step->path, step->flags, 0644);
    case PWRITE64: return pwrite(fd, bytes(step), (size_t)step->length, step->offset);
    case WRITE: return write(fd, bytes(step), (size_t)step->length);
    case PWRITEV: case PWRITEV2: case WRITEV:
        part.iov_base = bytes(step);
        part.iov_len = (size_t)step->length;
        if (step->what == WRITEV)
            return writev(fd, &part, 1);
        return step->what == PWRITEV ? pwritev(fd, &part, 1, step->offset)
                                     : pwritev2(fd, &part, 1, step->offset, step->flags);
    case FSYNC: return fsync(fd);
    case FDATASYNC: return fdatasync(fd);
    case SYNCFS: return syncfs(fd);
    case SYNC: sync(); return 0;
    case FSYNCDIR: return directory(step->path);
    case LSEEK: return lseek(fd, step->offset, step->flags);
    case CLOSE: return close(fd);
    case FTRUNCATE: return ftruncate(fd, step->length);
    case TRUNCATE: return truncate(step->path, step->length);
    case FALLOCATE: return fallocate(fd, step->flags, step->offset, step->length);
    case RENAME:
        if (step->flags == 0)
            return rename(step->path, step->target);
        return renameat2(AT_FDCWD, step->path, AT_FDCWD, step->target, (unsigned)step->flags);
    case LINK: return link(step->target, step->path);
    case LINKFD: return link_fd(fd, step->path);
    case UNLINK: return unlink(step->path);
    case SYMLINK: return symlink(step->target, step->path);
    case MKDIR: return mkdir(step->path, 0755);
    case RMDIR: return rmdir(step->path);
    }
    return -1;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    if (chdir(argv[1]) != 0) {
        perror(argv[1]);
        return 2;
    }
    for (const struct step *step = steps; step->call >= 0; step++) {
        int whole = step->what >= PWRITE64 && step->what <= WRITEV;
        long long result = doing(step);
        if (result < 0 || (whole && result != step->length)) {
            fprintf(stderr, "call %ld: %s\n", step->call, result < 0 ? strerror(errno) : "it was short");
            return 1;
        }
    }
    return 0;
}
