/* Signals while calls are under way: a timer that never rests, and a handler that writes itself. */
/* A signal wakes the thread that waits for its request, which then can't be looked at. */
/* PERHAPS-UNKNOWN seccomp: the thread was not in a system call */
#include "corpus.h"
#include <signal.h>
#include <sys/time.h>

static char bytes[512];
static volatile sig_atomic_t storms;
static int log_fd;

static void on_alarm(int signal)
{
    storms += signal == SIGALRM;
}

static void on_user(int signal)
{
    int kept = errno;

    MUST(write(log_fd, bytes, (size_t)(signal == SIGUSR1 ? 16 : 0)) == 16);
    errno = kept;
}

int main(void)
{
    struct sigaction alarm = {.sa_handler = on_alarm}, user = {.sa_handler = on_user};
    struct itimerval often = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
    int f = open("f", O_RDWR | O_CREAT, 0644);
    /* EXPECT openat(f, O_RDWR|O_CREAT) = ok */

    log_fd = open("log", O_WRONLY | O_CREAT | O_APPEND, 0644);
    /* EXPECT openat(log, O_WRONLY|O_CREAT|O_APPEND) = ok */
    alarm.sa_flags = SA_RESTART;
    MUST(sigaction(SIGALRM, &alarm, NULL) == 0);
    MUST(sigaction(SIGUSR1, &user, NULL) == 0);
    MUST(setitimer(ITIMER_REAL, &often, NULL) == 0);
    for (int round = 0; round < 150; round++) {
        MUST(lseek(f, 4096, SEEK_SET) == 4096);
        MUST(write(f, bytes, 512) == 512);
        MUST(fdatasync(f) == 0);
    }
    /* EXPECT 150* lseek(f, 4096, SEEK_SET) = 4096 ; write(f, 512) = 512 @4096 ; fdatasync(f) = 0 */
    while (storms < 3)
        ;
    MUST(setitimer(ITIMER_REAL, &never, NULL) == 0);
    for (int round = 0; round < 2; round++) {
        MUST(lseek(f, 0, SEEK_SET) == 0);
        MUST(raise(SIGUSR1) == 0);
        MUST(write(f, bytes, 512) == 512);
    }
    /* EXPECT lseek(f, 0, SEEK_SET) = 0 */
    /* EXPECT write(log, 16) = 16 @0 */
    /* EXPECT write(f, 512) = 512 @0 */
    /* EXPECT lseek(f, 0, SEEK_SET) = 0 */
    /* EXPECT write(log, 16) = 16 @16 */
    /* EXPECT write(f, 512) = 512 @0 */
    MUST(close(log_fd) == 0);
    /* EXPECT close(log) = 0 */
    MUST(close(f) == 0);
    /* EXPECT close(f) = 0 */
    return 0;
}
