/* O_DIRECT, from an aligned buffer. */
#include "corpus.h"

int main(void)
{
    void *buffer;
    int f = open("f", O_RDWR | O_CREAT | O_DIRECT, 0644);
    /* EXPECT openat(f, O_RDWR|O_CREAT|O_DIRECT) = ok */

    MUST(f >= 0);
    MUST(posix_memalign(&buffer, 4096, 2 << 20) == 0);
    memset(buffer, 'x', 2 << 20);
    MUST(lseek(f, 8192, SEEK_SET) == 8192);
    /* EXPECT lseek(f, 8192, SEEK_SET) = 8192 */
    MUST(write(f, buffer, 4096) == 4096);
    /* EXPECT write(f, 4096) = 4096 @8192 */
    MUST(pwrite(f, buffer, 2 << 20, 1 << 20) == 2 << 20);
    /* EXPECT pwrite64(f, 2097152, 1048576) = 2097152 */
    MUST(fdatasync(f) == 0);
    /* EXPECT fdatasync(f) = 0 */
    MUST(close(f) == 0);
    /* EXPECT close(f) = 0 */
    return 0;
}
