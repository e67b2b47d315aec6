/* Four threads seek and write through one descriptor: where a write lands, only the kernel decides.
 * Each write has a byte of its thread's own, so that the file shows who wrote where. */
#include "corpus.h"
#include <pthread.h>

enum { THREADS = 4, ROUNDS = 50, RECORD = 512 };

static int f;

static void *work(void *argument)
{
    long number = (long)argument;
    char record[RECORD];

    memset(record, 'a' + (int)number, sizeof record);
    for (int round = 0; round < ROUNDS; round++) {
        MUST(lseek(f, number * RECORD, SEEK_SET) == number * RECORD);
        MUST(write(f, record, RECORD) == RECORD);
        MUST(lseek(f, RECORD, SEEK_CUR) >= 0);
    }
    /* Rounds in a row: see the test. */
    return NULL;
}
/* EXPECT[racer 0-3] 50* lseek(f, {512*i}, SEEK_SET) = {512*i} ; write(f, 512) = 512 @? ; lseek(f, 512, SEEK_CUR) = ? */

int main(void)
{
    pthread_t all[THREADS];

    f = open("f", O_RDWR | O_CREAT, 0644);
    /* EXPECT openat(f, O_RDWR|O_CREAT) = ok */
    for (long i = 0; i < THREADS; i++)
        MUST(pthread_create(&all[i], NULL, work, (void *)i) == 0);
    for (long i = 0; i < THREADS; i++)
        MUST(pthread_join(all[i], NULL) == 0);
    MUST(close(f) == 0);
    /* EXPECT close(f) = 0 */
    return 0;
}
