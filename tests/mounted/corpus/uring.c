/* A write and a sync through an io_uring, by raw system calls. */
#include "corpus.h"
#include <linux/io_uring.h>
#include <stdint.h>

static char bytes[4096];
static struct io_uring_params shape;
static unsigned char *submissions, *completions;
static struct io_uring_sqe *entries;
static int ring;

static unsigned *at(unsigned char *base, unsigned offset)
{
    return (unsigned *)(void *)(base + offset);
}

static int submit(struct io_uring_sqe entry)
{
    unsigned tail = *at(submissions, shape.sq_off.tail), mask = *at(submissions, shape.sq_off.ring_mask);
    unsigned head = *at(completions, shape.cq_off.head);

    entries[tail & mask] = entry;
    at(submissions, shape.sq_off.array)[tail & mask] = tail & mask;
    __atomic_store_n(at(submissions, shape.sq_off.tail), tail + 1, __ATOMIC_RELEASE);
    MUST(syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) == 1);
    struct io_uring_cqe *done = (struct io_uring_cqe *)(void *)(completions + shape.cq_off.cqes);
    int result = done[head & *at(completions, shape.cq_off.ring_mask)].res;
    __atomic_store_n(at(completions, shape.cq_off.head), head + 1, __ATOMIC_RELEASE);
    return result;
}

int main(void)
{
    int f = open("f", O_RDWR | O_CREAT, 0644);
    /* EXPECT openat(f, O_RDWR|O_CREAT) = ok */

    ring = (int)syscall(SYS_io_uring_setup, 4, &shape);
    /* EXPECT io_uring_setup() = ok -- unknown: result: not visible at the entry */
    MUST(ring >= 0);
    submissions = mmap(NULL, shape.sq_off.array + shape.sq_entries * sizeof(unsigned),
                       PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
    completions = mmap(NULL, shape.cq_off.cqes + shape.cq_entries * sizeof(struct io_uring_cqe),
                       PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_CQ_RING);
    entries = mmap(NULL, shape.sq_entries * sizeof *entries, PROT_READ | PROT_WRITE, MAP_SHARED,
                   ring, IORING_OFF_SQES);
    MUST(submissions != MAP_FAILED && completions != MAP_FAILED && entries != MAP_FAILED);
    struct io_uring_sqe write_entry = {.opcode = IORING_OP_WRITE, .fd = f, .off = 8192,
                                       .addr = (uintptr_t)bytes, .len = sizeof bytes};
    MUST(submit(write_entry) == 4096);
    /* EXPECT[ring] write(f, 4096) = 4096 @8192 -- unknown: length,name: io_uring */
    struct io_uring_sqe sync_entry = {.opcode = IORING_OP_FSYNC, .fd = f,
                                      .fsync_flags = IORING_FSYNC_DATASYNC};
    MUST(submit(sync_entry) == 0);
    /* EXPECT[ring] fdatasync(f) = 0 -- unknown: name: io_uring */
    MUST(pwrite(f, bytes, 512, 0) == 512);
    /* EXPECT pwrite64(f, 512, 0) = 512 */
    MUST(close(f) == 0);
    /* EXPECT close(f) = 0 */
    return 0;
}
