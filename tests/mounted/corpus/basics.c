/* Every kind of write, seek and sync, one after another in one thread. */
#include "corpus.h"

static char bytes[3 << 20];

int main(void)
{
    struct iovec two[] = {{bytes, 100}, {bytes, 412}};
    int f = open("f", O_RDWR | O_CREAT | O_TRUNC, 0644);
    /* EXPECT openat(f, O_RDWR|O_CREAT|O_TRUNC) = ok */
    MUST(f >= 0);
    MUST(lseek(f, 4096, SEEK_SET) == 4096);
    /* EXPECT lseek(f, 4096, SEEK_SET) = 4096 */
    MUST(write(f, bytes, 512) == 512);
    /* EXPECT write(f, 512) = 512 @4096 */
    MUST(lseek(f, -512, SEEK_CUR) == 4096);
    /* EXPECT lseek(f, -512, SEEK_CUR) = 4096 */
    MUST(lseek(f, 0, SEEK_CUR) == 4096); /* asks only: nobody shows it */
    MUST(writev(f, two, 2) == 512);
    /* EXPECT writev(f, 512) = 512 @4096 -- unknown seccomp: length: the length is not known */
    MUST(lseek(f, -8, SEEK_END) == 4600);
    /* EXPECT lseek(f, -8, SEEK_END) = 4600 -- unknown: result: where the file ends */
    MUST(lseek(f, -1, SEEK_SET) == -1 && errno == EINVAL);
    /* EXPECT lseek(f, -1, SEEK_SET) = -EINVAL */
    MUST(lseek(f, 4600, SEEK_SET) == 4600);
    /* EXPECT lseek(f, 4600, SEEK_SET) = 4600 */
    MUST(lseek(f, 5, 99) == -1 && errno == EINVAL);
    /* EXPECT lseek(f, 5, 99) = -EINVAL */
    MUST(pwrite(f, bytes, 4096, 8292) == 4096);
    /* EXPECT pwrite64(f, 4096, 8292) = 4096 */
    MUST(pwrite(f, bytes, sizeof bytes, 12345) == sizeof bytes);
    /* EXPECT pwrite64(f, 3145728, 12345) = 3145728 */
    MUST(pwritev(f, two, 2, 20000) == 512);
    /* EXPECT pwritev(f, 512, 20000) = 512 -- unknown seccomp: length: the length is not known */
    MUST(pwritev2(f, two, 1, 30000, RWF_DSYNC) == 100);
    /* EXPECT pwritev2(f, 100, 30000, RWF_DSYNC) = 100 -- unknown seccomp: length: the length is not known */
    MUST(pwritev2(f, two, 2, -1, 0) == 512);
    /* EXPECT pwritev2(f, 512, ?, 0) = 512 @4600 -- unknown seccomp: length: the length is not known */
    MUST(write(f, bytes, 0) == 0);
    /* EXPECT write(f, 0) = 0 @5112 -- unheard seccomp */
    MUST(fsync(f) == 0);
    /* EXPECT fsync(f) = 0 */
    MUST(fdatasync(f) == 0);
    /* EXPECT fdatasync(f) = 0 */
    MUST(fdatasync(f) == 0);
    /* EXPECT fdatasync(f) = 0 */
    MUST(sync_file_range(f, 4096, 8192, SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER) == 0);
    /* EXPECT sync_file_range(f, 4096, 8192, SYNC_FILE_RANGE_WRITE|SYNC_FILE_RANGE_WAIT_AFTER) = 0 -- unknown: result: not visible at the entry */
    MUST(syncfs(f) == 0);
    /* EXPECT syncfs(f) = 0 -- unknown: result: not visible at the entry */
    sync();
    /* EXPECT sync() = 0 */
    MUST(ftruncate(f, 10000) == 0);
    /* EXPECT ftruncate(f, 10000) = 0 */
    MUST(ftruncate(f, -1) == -1);
    /* EXPECT ftruncate(f, -1) = -EINVAL -- unheard seccomp */
    MUST(close(f) == 0);
    /* EXPECT close(f) = 0 */

    int r = open("f", O_RDONLY);
    /* EXPECT openat(f, O_RDONLY) = ok */
    MUST(write(r, bytes, 10) == -1 && errno == EBADF);
    /* EXPECT write(f, 10) = -EBADF @0 -- unheard seccomp */
    MUST(close(r) == 0);
    /* EXPECT close(f) = 0 */

    int a = open("a", O_WRONLY | O_CREAT | O_APPEND | O_DSYNC, 0644);
    /* EXPECT openat(a, O_WRONLY|O_CREAT|O_APPEND|O_DSYNC) = ok */
    MUST(write(a, bytes, 700) == 700);
    /* EXPECT write(a, 700) = 700 @0 */
    MUST(lseek(a, 3, SEEK_SET) == 3);
    /* EXPECT lseek(a, 3, SEEK_SET) = 3 */
    MUST(write(a, bytes, 300) == 300);
    /* EXPECT write(a, 300) = 300 @700 */
    /* ext4 allocates; a FUSE filesystem without a handler answers EOPNOTSUPP. */
    MUST(fallocate(a, FALLOC_FL_KEEP_SIZE, 0, 9000) == 0 || errno == EOPNOTSUPP);
    /* EXPECT fallocate(a, FALLOC_FL_KEEP_SIZE, 0, 9000) = 0 */
    MUST(close(a) == 0);
    /* EXPECT close(a) = 0 */
    MUST(rename("a", "b") == 0);
    /* EXPECT rename(a, b) = 0 */
    MUST(unlink("b") == 0);
    /* EXPECT unlink(b) = 0 */
    return 0;
}
