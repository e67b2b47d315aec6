/* Descriptors that a fork inherits, a vfork shares, and an exec closes or keeps. */
#include "corpus.h"

static char bytes[512];

static int after_exec(int kept)
{
    MUST(write(kept, bytes, 64) == 64);
    /* EXPECT[stage] write(f, 64) = 64 @1536 */
    MUST(lseek(kept, 100, SEEK_CUR) == 1700);
    /* EXPECT[stage] lseek(f, 100, SEEK_CUR) = 1700 -- unknown: result: another thread or process */
    MUST(fdatasync(kept) == 0);
    /* EXPECT[stage] fdatasync(f) = 0 */
    /* EXPECT closes f by exit_group */
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return after_exec(atoi(argv[1]));

    int status, f = open("f", O_RDWR | O_CREAT, 0644);
    /* EXPECT openat(f, O_RDWR|O_CREAT) = ok */
    int hidden = open("g", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    /* EXPECT openat(g, O_RDWR|O_CREAT|O_CLOEXEC) = ok */
    MUST(write(f, bytes, 512) == 512);
    /* EXPECT write(f, 512) = 512 @0 */

    pid_t child = fork();
    if (child == 0) {
        MUST(write(f, bytes, 512) == 512);
        /* EXPECT[child] write(f, 512) = 512 @512 */
        MUST(lseek(f, 512, SEEK_CUR) == 1536);
        /* EXPECT[child] lseek(f, 512, SEEK_CUR) = 1536 -- unknown: result: another thread or process */
        MUST(pwrite(hidden, bytes, 512, 0) == 512);
        /* EXPECT[child] pwrite64(g, 512, 0) = 512 */
        MUST(close(hidden) == 0);
        /* EXPECT[child] close(g) = 0 */
        _exit(0);
        /* EXPECT closes f by exit_group */
    }
    MUST(waitpid(child, &status, 0) == child && status == 0);

    child = vfork();
    if (child == 0) {
        pwrite(f, bytes, 256, 4096);
        /* EXPECT[vforked] pwrite64(f, 256, 4096) = 256 */
        _exit(0);
        /* EXPECT closes f by exit_group */
        /* EXPECT closes g by exit_group */
    }
    MUST(waitpid(child, &status, 0) == child && status == 0);

    child = fork();
    if (child == 0) {
        char number[16];

        snprintf(number, sizeof number, "%d", f);
        execl("/proc/self/exe", "processes", number, NULL);
        /* EXPECT closes g by execve */
        _exit(1);
    }
    MUST(waitpid(child, &status, 0) == child && status == 0);

    MUST(lseek(f, -10, SEEK_CUR) == 1690);
    /* EXPECT lseek(f, -10, SEEK_CUR) = 1690 -- unknown: result: another thread or process */
    MUST(write(f, bytes, 10) == 10);
    /* EXPECT write(f, 10) = 10 @1690 */
    MUST(close(hidden) == 0);
    /* EXPECT close(g) = 0 */
    MUST(close(f) == 0);
    /* EXPECT close(f) = 0 */
    return 0;
}
