/* The 32-bit entry of the kernel, whose long is 32 bits wide and whose big offsets come in halves.
 * Called from a 64-bit program, which needs no other compiler; memory is below 4 GiB. */
#include "corpus.h"
#include <stdint.h>

enum { WRITE = 4, CLOSE = 6, LSEEK = 19, FSYNC = 118, LLSEEK = 140, PWRITE64 = 181 };

static long old_call(long number, long a, long b, long c, long d, long e)
{
    long result = number;

    __asm__ volatile("int $0x80" : "+a"(result)
                     : "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory", "r8", "r9", "r10", "r11");
    return (int)result;
}

int main(void)
{
    char *low = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT,
                     -1, 0);
    MUST(low != MAP_FAILED);
    int64_t *place = (int64_t *)(void *)(low + 4096);
    long buffer = (long)(uintptr_t)low;
    int f = open("f", O_RDWR | O_CREAT, 0644);
    /* EXPECT openat(f, O_RDWR|O_CREAT) = ok */

    MUST(old_call(LSEEK, f, 4096, SEEK_SET, 0, 0) == 4096);
    /* EXPECT lseek(f, 4096, SEEK_SET) = 4096 */
    MUST(old_call(LSEEK, f, -96, SEEK_CUR, 0, 0) == 4000);
    /* EXPECT lseek(f, -96, SEEK_CUR) = 4000 */
    MUST(write(f, low, 512) == 512);
    /* EXPECT write(f, 512) = 512 @4000 */
    MUST(old_call(LLSEEK, f, 5, 4096, (long)(uintptr_t)place, SEEK_SET) == 0);
    /* EXPECT lseek(f, 21474840576, SEEK_SET) = 21474840576 */
    MUST(*place == (5LL << 32) + 4096);
    MUST(old_call(WRITE, f, buffer, 512, 0, 0) == 512);
    /* EXPECT write(f, 512) = 512 @21474840576 -- unknown seccomp: length,name: 32-bit */
    MUST(old_call(LLSEEK, f, -1, -512, (long)(uintptr_t)place, SEEK_CUR) == 0);
    /* EXPECT lseek(f, -512, SEEK_CUR) = 21474840576 -- unknown seccomp: result: no later call */
    MUST(old_call(PWRITE64, f, buffer, 512, 8192, 1) == 512);
    /* EXPECT pwrite64(f, 512, 4294975488) = 512 -- unknown seccomp: length,name: 32-bit */
    MUST(old_call(FSYNC, f, 0, 0, 0, 0) == 0);
    /* EXPECT fsync(f) = 0 -- unknown seccomp: name: 32-bit */
    MUST(old_call(CLOSE, f, 0, 0, 0, 0) == 0);
    /* EXPECT close(f) = 0 */
    return 0;
}
