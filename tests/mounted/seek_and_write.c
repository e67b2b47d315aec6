/* Seeks and writes with several threads, each through a descriptor of its own, and checks every
 * answer. A byte goes to standard output after each round, so that a test knows how far it got.
 *
 * usage: seek_and_write FILE THREADS ROUNDS [TIMER_US]
 *
 * With TIMER_US a signal comes that often, whose handler restarts calls (SA_RESTART).
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { RECORD = 512 };

static const char *path;
static long threads, rounds;

static void must(int fine, const char *call)
{
    if (!fine) {
        fprintf(stderr, "%s: %s\n", call, strerror(errno));
        _exit(1);
    }
}

static void *work(void *argument)
{
    long number = (long)argument;
    char record[RECORD];
    int fd = open(path, O_RDWR | O_CREAT, 0644);

    must(fd >= 0, "open");
    for (long round = 0; round < rounds; round++) {
        off_t place = (round * threads + number) * 2 * RECORD;

        memset(record, 'a' + (int)((round + number) % 26), sizeof record);
        must(lseek(fd, place, SEEK_SET) == place, "lseek SEEK_SET");
        must(write(fd, record, RECORD) == RECORD, "write");
        int copy = dup(fd);
        must(copy >= 0, "dup");
        must(lseek(copy, -RECORD, SEEK_CUR) == place, "lseek SEEK_CUR");
        must(close(copy) == 0, "close");
        must(lseek(fd, RECORD, SEEK_CUR) == place + RECORD, "lseek SEEK_CUR of the first");
        must(write(fd, record, RECORD) == RECORD, "second write");
        must(write(STDOUT_FILENO, ".", 1) == 1, "report");
    }
    must(close(fd) == 0, "last close");
    return NULL;
}

static void nothing(int signal)
{
    (void)signal;
}

static void signals_every(long microseconds)
{
    struct sigaction action = {.sa_handler = nothing, .sa_flags = SA_RESTART};
    struct itimerval timer = {{0, microseconds}, {0, microseconds}};

    must(sigaction(SIGALRM, &action, NULL) == 0, "sigaction");
    must(setitimer(ITIMER_REAL, &timer, NULL) == 0, "setitimer");
}

int main(int argc, char **argv)
{
    pthread_t all[64];

    must(argc == 4 || argc == 5, "arguments");
    if (argc == 5)
        signals_every(strtol(argv[4], NULL, 10));
    path = argv[1];
    threads = strtol(argv[2], NULL, 10);
    rounds = strtol(argv[3], NULL, 10);
    for (long i = 0; i < threads; i++)
        must(pthread_create(&all[i], NULL, work, (void *)i) == 0, "pthread_create");
    for (long i = 0; i < threads; i++)
        must(pthread_join(all[i], NULL) == 0, "pthread_join");
    return 0;
}
