/* Holes and places beyond 4 GiB. */
#include "corpus.h"

static char bytes[512];

int main(void)
{
    const off_t far = 5LL << 32; /* 21474836480 */
    int f = open("f", O_RDWR | O_CREAT, 0644);
    /* EXPECT openat(f, O_RDWR|O_CREAT) = ok */
    MUST(lseek(f, far, SEEK_SET) == far);
    /* EXPECT lseek(f, 21474836480, SEEK_SET) = 21474836480 */
    MUST(write(f, bytes, 512) == 512);
    /* EXPECT write(f, 512) = 512 @21474836480 */
    MUST(lseek(f, -far - 512, SEEK_CUR) == 0);
    /* EXPECT lseek(f, -21474836992, SEEK_CUR) = 0 */
    MUST(lseek(f, -1, SEEK_CUR) == -1 && errno == EINVAL);
    /* EXPECT lseek(f, -1, SEEK_CUR) = -EINVAL */
    MUST(pwrite(f, bytes, 512, far + (1LL << 32)) == 512);
    /* EXPECT pwrite64(f, 512, 25769803776) = 512 */
    MUST(lseek(f, 0, SEEK_END) == far + (1LL << 32) + 512);
    /* EXPECT lseek(f, 0, SEEK_END) = 25769804288 -- unknown: result: where the file ends */
    MUST(write(f, bytes, 100) == 100);
    /* EXPECT write(f, 100) = 100 @25769804288 */
    /* ext4 knows its holes; a FUSE filesystem without a handler has none but the end. */
    MUST(lseek(f, 4096, SEEK_HOLE) >= 4096);
    /* EXPECT lseek(f, 4096, SEEK_HOLE) = ? */
    MUST(lseek(f, 8192, SEEK_DATA) >= 8192);
    /* EXPECT lseek(f, 8192, SEEK_DATA) = ? */
    MUST(ftruncate(f, far) == 0);
    /* EXPECT ftruncate(f, 21474836480) = 0 */
    MUST(lseek(f, -4096, SEEK_END) == far - 4096);
    /* EXPECT lseek(f, -4096, SEEK_END) = 21474832384 -- unknown: result: where the file ends */
    MUST(sync_file_range(f, 1LL << 33, 0, SYNC_FILE_RANGE_WAIT_BEFORE) == 0);
    /* EXPECT sync_file_range(f, 8589934592, 0, SYNC_FILE_RANGE_WAIT_BEFORE) = 0 -- unknown: result: not visible at the entry */
    MUST(fdatasync(f) == 0);
    /* EXPECT fdatasync(f) = 0 */
    MUST(close(f) == 0);
    /* EXPECT close(f) = 0 */
    return 0;
}
