/* Bytes that go from file to file without a buffer. */
#include "corpus.h"
#include <sys/sendfile.h>

static char bytes[16384];

int main(void)
{
    int ends[2];
    int f = open("f", O_RDWR | O_CREAT, 0644);
    /* EXPECT openat(f, O_RDWR|O_CREAT) = ok */
    MUST(write(f, bytes, sizeof bytes) == sizeof bytes);
    /* EXPECT write(f, 16384) = 16384 @0 */
    int g = open("g", O_RDWR | O_CREAT, 0644);
    /* EXPECT openat(g, O_RDWR|O_CREAT) = ok */
    off_t from = 0, to = 32768;

    MUST(copy_file_range(f, &from, g, NULL, 4096, 0) == 4096);
    /* EXPECT copy_file_range(g, 4096) = 4096 @0 */
    MUST(copy_file_range(f, &from, g, &to, 4096, 0) == 4096);
    /* EXPECT copy_file_range(g, 4096) = 4096 @32768 */
    from = 0;
    MUST(sendfile(g, f, &from, 4096) == 4096);
    /* EXPECT sendfile(g, 4096) = 4096 @4096 */
    MUST(lseek(f, 8192, SEEK_SET) == 8192);
    /* EXPECT lseek(f, 8192, SEEK_SET) = 8192 */
    MUST(sendfile(g, f, NULL, 4096) == 4096);
    /* EXPECT sendfile(g, 4096) = 4096 @8192 */
    MUST(pipe(ends) == 0);
    MUST(write(ends[1], bytes, 4096) == 4096);
    MUST(splice(ends[0], NULL, g, NULL, 4096, 0) == 4096);
    /* EXPECT splice(g, 4096) = 4096 @12288 */
    MUST(write(ends[1], bytes, 100) == 100);
    to = 50000;
    MUST(splice(ends[0], NULL, g, &to, 100, 0) == 100);
    /* EXPECT splice(g, 100) = 100 @50000 */
    MUST(lseek(f, -16384, SEEK_CUR) == -1 && errno == EINVAL);
    /* EXPECT lseek(f, -16384, SEEK_CUR) = -EINVAL -- unknown: result: no later call */
    MUST(fdatasync(g) == 0);
    /* EXPECT fdatasync(g) = 0 */
    MUST(close(g) == 0);
    /* EXPECT close(g) = 0 */
    MUST(close(f) == 0);
    /* EXPECT close(f) = 0 */
    return 0;
}
