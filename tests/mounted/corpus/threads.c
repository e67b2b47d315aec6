/* 64 threads at once, each through a descriptor of its own. */
#include "corpus.h"
#include <pthread.h>

enum { THREADS = 64, RECORD = 512 };

static pthread_barrier_t gate;

static void *work(void *argument)
{
    long number = (long)argument;
    char record[RECORD];

    memset(record, 'a' + (int)number % 26, sizeof record);
    pthread_barrier_wait(&gate);
    int f = open("f", O_RDWR | O_CREAT, 0644);
    /* EXPECT[worker 0-63] openat(f, O_RDWR|O_CREAT) = ok */
    MUST(lseek(f, number * 8192, SEEK_SET) == number * 8192);
    /* EXPECT[worker 0-63] lseek(f, {8192*i}, SEEK_SET) = {8192*i} */
    MUST(write(f, record, RECORD) == RECORD);
    /* EXPECT[worker 0-63] write(f, 512) = 512 @{8192*i} */
    MUST(lseek(f, 100, SEEK_CUR) == number * 8192 + 612);
    /* EXPECT[worker 0-63] lseek(f, 100, SEEK_CUR) = {8192*i+612} -- unknown: result: another thread */
    MUST(write(f, record, 10) == 10);
    /* EXPECT[worker 0-63] write(f, 10) = 10 @{8192*i+612} */
    MUST(pwrite(f, record, RECORD, number * 8192 + 4096) == RECORD);
    /* EXPECT[worker 0-63] pwrite64(f, 512, {8192*i+4096}) = 512 */
    MUST(close(f) == 0);
    /* EXPECT[worker 0-63] close(f) = 0 */
    return NULL;
}

int main(void)
{
    pthread_t all[THREADS];

    MUST(pthread_barrier_init(&gate, NULL, THREADS) == 0);
    for (long i = 0; i < THREADS; i++)
        MUST(pthread_create(&all[i], NULL, work, (void *)i) == 0);
    for (long i = 0; i < THREADS; i++)
        MUST(pthread_join(all[i], NULL) == 0);
    return 0;
}
