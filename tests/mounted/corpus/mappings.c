/* Shared mappings: the calls around them. The stores themselves are no calls. */
#include "corpus.h"

int main(void)
{
    int f = open("f", O_RDWR | O_CREAT, 0644);
    /* EXPECT openat(f, O_RDWR|O_CREAT) = ok */
    MUST(ftruncate(f, 65536) == 0);
    /* EXPECT ftruncate(f, 65536) = 0 */
    char *shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, f, 4096);
    /* EXPECT mmap(f, 8192, 4096) = ok -- unknown: result: not visible at the entry */
    MUST(shared != MAP_FAILED);
    char *private = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, f, 0);
    char *readable = mmap(NULL, 8192, PROT_READ, MAP_SHARED, f, 0);
    MUST(private != MAP_FAILED && readable != MAP_FAILED);
    shared[0] = shared[5000] = private[0] = 'x';
    MUST(msync(shared, 8192, MS_SYNC) == 0);
    /* EXPECT msync(f, 8192, MS_SYNC) = 0 */
    shared[1] = 'y';
    MUST(msync(shared + 4096, 4096, MS_SYNC) == 0);
    /* EXPECT msync(f, 4096, MS_SYNC) = 0 */
    MUST(msync(shared, 4096, MS_ASYNC) == 0);
    /* EXPECT msync(f, 4096, MS_ASYNC) = 0 -- unknown: file,result: no request followed */
    MUST(fsync(f) == 0);
    /* EXPECT fsync(f) = 0 */
    shared[2] = 'z';
    MUST(close(f) == 0); /* the mapping lives on */
    /* EXPECT close(f) = 0 */
    MUST(msync(shared, 4096, MS_SYNC) == 0);
    /* EXPECT msync(f, 4096, MS_SYNC) = 0 */
    MUST(munmap(shared, 8192) == 0);
    return 0;
}
