/* Writes FILE by O_DIRECT, page by page, then all pages anew by one io_submit(2), and gives way to
 * echo(1) at once.
 *
 * usage: aio_exec FILE
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PAGES = 64, PAGE = 4096 };

static void must(int fine, const char *call)
{
    if (!fine) {
        perror(call);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    static struct iocb writes[PAGES];
    struct iocb *all[PAGES];
    aio_context_t context = 0;
    void *page;

    must(argc == 2, "arguments");
    int fd = open(argv[1], O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0644);
    must(fd >= 0, "open");
    must(posix_memalign(&page, PAGE, PAGE) == 0, "posix_memalign");
    memset(page, 'x', PAGE);
    for (int i = 0; i < PAGES; i++) {
        must(pwrite(fd, page, PAGE, i * (off_t)PAGE) == PAGE, "pwrite");
        all[i] = &writes[i];
        writes[i].aio_fildes = (uint32_t)fd;
        writes[i].aio_lio_opcode = IOCB_CMD_PWRITE;
        writes[i].aio_buf = (uintptr_t)page;
        writes[i].aio_nbytes = PAGE;
        writes[i].aio_offset = i * (int64_t)PAGE;
    }
    must(syscall(SYS_io_setup, PAGES, &context) == 0, "io_setup");
    must(syscall(SYS_io_submit, context, (long)PAGES, all) == PAGES, "io_submit");
    execl("/bin/echo", "echo", "done", (char *)NULL);
    must(0, "execl");
}
