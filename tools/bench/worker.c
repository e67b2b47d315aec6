/* The program that is measured: workloads on FILE and beside it, each iteration timed.
 *
 * usage: worker FILE ITERATIONS BUDGET_MS
 *
 * A workload ends after ITERATIONS or BUDGET_MS milliseconds, whichever comes first. Prints one line
 * for each: its name, then the nanoseconds of every iteration. Nothing is printed while it measures.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 256, WHOLE = PAGE * PAGES };

static unsigned char page[PAGE], whole[WHOLE];
static char beside[4096];	/* a name that is not there */

static void must(int fine, const char *call)
{
    if (!fine) {
        perror(call);
        exit(1);
    }
}

static int64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static int open_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

    must(fd >= 0, "open");
    return fd;
}

static void put(int fd, long i)
{
    must(pwrite(fd, page, PAGE, i % PAGES * (off_t)PAGE) == PAGE, "pwrite");
}

static void only_pwrite(const char *path, int fd, long i)
{
    (void)path;
    put(fd, i);
}

static void pwrite_sync(const char *path, int fd, long i)
{
    (void)path;
    put(fd, i);
    must(fdatasync(fd) == 0, "fdatasync");
}

static void seek_write(const char *path, int fd, long i)
{
    off_t place = i % PAGES * (off_t)PAGE;

    (void)path;
    must(lseek(fd, place, SEEK_SET) == place, "lseek");
    must(write(fd, page, PAGE) == PAGE, "write");
}

static void open_to_close(const char *path, int unused, long i)
{
    int fd = open_file(path);

    (void)unused;
    put(fd, i);
    must(fdatasync(fd) == 0, "fdatasync");
    must(close(fd) == 0, "close");
}

static void write_whole(const char *path, int fd, long i)
{
    (void)path, (void)i;
    must(pwrite(fd, whole, WHOLE, 0) == WHOLE, "pwrite");
}

static void read_whole(const char *path, int fd, long i)
{
    (void)path, (void)i;
    must(pread(fd, whole, WHOLE, 0) == WHOLE, "pread");
}

static void read_page(const char *path, int fd, long i)
{
    /* Any order that is no order, the same in every run. */
    off_t place = i * 7919 % PAGES * (off_t)PAGE;

    (void)path;
    must(pread(fd, page, PAGE, place) == PAGE, "pread");
}

static void create_to_unlink(const char *path, int unused, long i)
{
    struct stat info;
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

    (void)path, (void)unused, (void)i;
    must(fd >= 0, "open");
    must(close(fd) == 0, "close");
    must(stat(beside, &info) == 0, "stat");
    must(unlink(beside) == 0, "unlink");
}

static const struct workload {
    const char *name;
    void (*once)(const char *path, int fd, long i);
} workloads[] = {
    {"pwrite", only_pwrite},
    {"pwrite+fdatasync", pwrite_sync},
    {"open+pwrite+fdatasync+close", open_to_close},
    {"lseek+write", seek_write},
    {"pwrite-1MiB", write_whole},
    {"pread-1MiB-cached", read_whole},
    {"pread-cached", read_page},
    {"create+stat+unlink", create_to_unlink},
};

static void measure(const struct workload *load, const char *path, int fd, long limit, int64_t budget)
{
    int64_t *spent = calloc((size_t)limit, sizeof *spent);
    int64_t end = now() + budget;
    long count = 0;

    must(spent != NULL, "calloc");
    while (count < limit) {
        int64_t start = now();
        load->once(path, fd, count);
        int64_t stop = now();
        spent[count++] = stop - start;
        if (stop >= end)
            break;
    }
    printf("%s", load->name);
    for (long i = 0; i < count; i++)
        printf(" %lld", (long long)spent[i]);
    printf("\n");
    free(spent);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: %s FILE ITERATIONS BUDGET_MS\n", argv[0]);
        return 2;
    }
    long limit = strtol(argv[2], NULL, 10);
    int64_t budget = strtol(argv[3], NULL, 10) * INT64_C(1000000);

    must(limit > 0 && budget > 0, "arguments");
    memset(page, 'x', sizeof page);
    memset(whole, 'x', sizeof whole);
    int length = snprintf(beside, sizeof beside, "%s.new", argv[1]);
    must(length > 0 && (size_t)length < sizeof beside, "arguments");
    /* The file gets its size beforehand, so that no iteration has to change it. */
    int fd = open_file(argv[1]);
    for (long i = 0; i < PAGES; i++)
        put(fd, i);
    must(fsync(fd) == 0, "fsync");
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++)
        measure(&workloads[i], argv[1], fd, limit, budget);
    must(close(fd) == 0, "close");
    return 0;
}
