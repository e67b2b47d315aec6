/* A 32-bit program without a C library, which needs no other compiler than the machine's own:
 * gcc -m32 -nostdlib -static -ffreestanding -fno-pie -no-pie */

enum {
    EXIT = 1, WRITE = 4, CLOSE = 6, LSEEK = 19, MMAP = 90, FTRUNCATE = 93, LLSEEK = 140,
    FDATASYNC = 148, PWRITE64 = 181, MMAP2 = 192, FTRUNCATE64 = 194, FCNTL64 = 221,
    OPENAT = 295, SYNC_FILE_RANGE = 314, FALLOCATE = 324
};

static char page[4096] __attribute__((aligned(4096)));
static long long place;
static int step;

static long call(long number, long a, long b, long c, long d, long e, long f)
{
    long result;
    long args[] = {number, a, b, c, d, e, f};

    /* The sixth argument is in ebp, which the compiler may need. */
    __asm__ volatile("push %%ebp\n\t"
                     "push %%ebx\n\t"
                     "mov %[args], %%eax\n\t"
                     "mov 4(%%eax), %%ebx\n\t"
                     "mov 8(%%eax), %%ecx\n\t"
                     "mov 12(%%eax), %%edx\n\t"
                     "mov 16(%%eax), %%esi\n\t"
                     "mov 20(%%eax), %%edi\n\t"
                     "mov 24(%%eax), %%ebp\n\t"
                     "mov (%%eax), %%eax\n\t"
                     "int $0x80\n\t"
                     "pop %%ebx\n\t"
                     "pop %%ebp"
                     : "=a"(result)
                     : [args] "a"(args)
                     : "ecx", "edx", "esi", "edi", "memory");
    return result;
}

/* Ends with the number of the step that went wrong. */
static void must(int fine)
{
    step++;
    if (!fine)
        call(EXIT, step, 0, 0, 0, 0, 0);
}

void _start(void)
{
    int fd = call(OPENAT, -100, (long)"f", 0100102, 0644, 0, 0);

    must(fd >= 0);
    must(call(LLSEEK, fd, 1, 8192, (long)&place, 0, 0) == 0 && place == (1LL << 32) + 8192);
    must(call(WRITE, fd, (long)page, 512, 0, 0, 0) == 512);
    must(call(PWRITE64, fd, (long)page, 4096, 4096, 1, 0) == 4096);
    must(call(FTRUNCATE64, fd, 8192, 2, 0, 0, 0) == 0);
    long allocated = call(FALLOCATE, fd, 1, 4096, 1, 8192, 2);
    must(allocated == 0 || allocated == -95); /* EOPNOTSUPP: pyfuse3 has no handler */
    must(call(SYNC_FILE_RANGE, fd, 4096, 1, 8192, 0, 2) == 0);
    must(call(FDATASYNC, fd, 0, 0, 0, 0, 0) == 0);
    must(call(LLSEEK, fd, 0, 0, (long)&place, 1, 0) == 0); /* a query, as the next one */
    must(call(LSEEK, fd, 0, 1, 0, 0, 0) == 8704);
    must(call(FCNTL64, fd, 3, 0, 0, 0, 0) == 0100002); /* F_GETFL */
    must(call(FCNTL64, fd, 4, 02000, 0, 0, 0) == 0); /* F_SETFL, O_APPEND */
    must(call(FTRUNCATE, fd, -1, 0, 0, 0, 0) == -22);
    must(call(MMAP2, 0, 4096, 1, 1, fd, 0) != 0); /* not writable */
    long map[] = {0, 4096, 3, 1, fd, 0};
    long mapped = call(MMAP, (long)map, 0, 0, 0, 0, 0);
    must(mapped < -4095 || mapped > 0);
    must(call(CLOSE, fd, 0, 0, 0, 0, 0) == 0);
    call(EXIT, 0, 0, 0, 0, 0, 0);
}
