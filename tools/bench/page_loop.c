/* The floor that the page writers are measured by: what write_page does, and nothing around it.
 *
 * usage: page_loop FILE PAGES BUDGET_MS
 *
 * Writes pages 0, 1, ... as the page writers' loops do: openat, fstat, pwrite of 4096 bytes,
 * fdatasync, close. Ends after PAGES or BUDGET_MS milliseconds, whichever comes first, and prints
 * the word write_page and the nanoseconds of each page.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, FILE_PAGES = 256, HEADER = 16 };

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

static void write_page(const char *path, long page_no, const char *data, size_t size)
{
    static const unsigned char magic[8] = "EGAP1ESD";
    unsigned char page[PAGE] = {0};
    struct stat status;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

    must(fd >= 0, "open");
    must(fstat(fd, &status) == 0, "fstat");
    memcpy(page, magic, sizeof magic);
    memcpy(page + HEADER, data, size);
    must(pwrite(fd, page, PAGE, page_no * (off_t)PAGE) == PAGE, "pwrite");
    must(fdatasync(fd) == 0, "fdatasync");
    must(close(fd) == 0, "close");
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: %s FILE PAGES BUDGET_MS\n", argv[0]);
        return 2;
    }
    long pages = strtol(argv[2], NULL, 10);
    int64_t budget = strtol(argv[3], NULL, 10) * INT64_C(1000000);
    static const char data[] = "a page of the benchmark";

    must(pages > 0 && budget > 0, "arguments");
    int64_t *spent = calloc((size_t)pages, sizeof *spent);
    must(spent != NULL, "calloc");
    /* The file has its size beforehand, so that no page has to change it. */
    for (long page_no = 0; page_no < FILE_PAGES; page_no++)
        write_page(argv[1], page_no, data, sizeof data - 1);
    int64_t end = now() + budget;
    long count = 0;
    while (count < pages) {
        int64_t start = now();
        write_page(argv[1], count % FILE_PAGES, data, sizeof data - 1);
        int64_t stop = now();
        spent[count++] = stop - start;
        if (stop >= end)
            break;
    }
    printf("write_page");
    for (long i = 0; i < count; i++)
        printf(" %lld", (long long)spent[i]);
    printf("\n");
    free(spent);
    return 0;
}
