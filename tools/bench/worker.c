/* The program that is measured: workloads on FILE and beside it, each iteration timed.
 *
 * usage: worker FILE ITERATIONS BUDGET_MS WARM_UP
 *
 * Reads the name of a workload, prepares it, does WARM_UP iterations untimed, and prints "ready". At
 * the next line it measures ITERATIONS, or fewer after BUDGET_MS milliseconds, and prints one line: the
 * name, the nanoseconds that all took together, and those of every iteration. Ends with its input.
 * Between the lines whoever started it can read counters: nothing goes on.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 256, MIB = PAGE * PAGES, GROWN_MIB = 64, THREADS = 8, PATH_SIZE = 4096 };

static unsigned char page[PAGE], whole[MIB];
static char path[PATH_SIZE], new_path[PATH_SIZE], grown_path[PATH_SIZE];
static int file = -1;		/* PATH, open as long as the worker runs; PAGES long */
static int grown = -1;		/* up to GROWN_MIB long */
static int many[THREADS] = {-1, -1, -1, -1, -1, -1, -1, -1};

static void must(int fine, const char *call)
{
    if (!fine) {
        perror(call);
        exit(1);
    }
}

static int64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static int open_file(const char *name, int flags)
{
    int fd = open(name, flags | O_CLOEXEC, 0644);

    must(fd >= 0, "open");
    return fd;
}

static void close_file(int *fd)
{
    if (*fd >= 0)
        must(close(*fd) == 0, "close");
    *fd = -1;
}

static void put(int fd, long i)
{
    must(pwrite(fd, page, PAGE, i % PAGES * (off_t)PAGE) == PAGE, "pwrite");
}

/* Gives a file its size beforehand, so that no iteration has to change it. */
static int filled(const char *name)
{
    int fd = open_file(name, O_RDWR | O_CREAT);

    for (long i = 0; i < PAGES; i++)
        put(fd, i);
    must(fsync(fd) == 0, "fsync");
    return fd;
}

static void pwrite_page(long i)
{
    put(file, i);
}

static void pwrite_sync(long i)
{
    put(file, i);
    must(fdatasync(file) == 0, "fdatasync");
}

static void seek_write(long i)
{
    off_t place = i % PAGES * (off_t)PAGE;

    must(lseek(file, place, SEEK_SET) == place, "lseek");
    must(write(file, page, PAGE) == PAGE, "write");
}

static void open_to_close(long i)
{
    int fd = open_file(path, O_RDWR | O_CREAT);

    put(fd, i);
    must(fdatasync(fd) == 0, "fdatasync");
    must(close(fd) == 0, "close");
}

static void overwrite_whole(long i)
{
    (void)i;
    must(pwrite(file, whole, MIB, 0) == MIB, "pwrite");
}

static void read_whole(long i)
{
    (void)i;
    must(pread(file, whole, MIB, 0) == MIB, "pread");
}

/* Any order that is no order, the same in every run. */
static off_t somewhere(long i, long pages)
{
    return i * 7919 % pages * (off_t)PAGE;
}

static void read_page(long i)
{
    must(pread(file, page, PAGE, somewhere(i, PAGES)) == PAGE, "pread");
}

/* The page was read before; what the filesystem makes of the write decides whether it is still there. */
static void write_read(long i)
{
    put(file, i);
    read_page(i);
}

/* After a write of its own a program may find no pages in the cache; after a read it does. */
static void begin_cached(void)
{
    read_whole(0);
}

static void new_grown(void)
{
    close_file(&grown);
    unlink(grown_path);
    grown = open_file(grown_path, O_RDWR | O_CREAT | O_EXCL);
}

static void append_whole(long i)
{
    (void)i;
    must(write(grown, whole, MIB) == MIB, "write");
}

/* A new file now and then, so that it grows to no more than GROWN_MIB. */
static void before_append(long i)
{
    if (i % GROWN_MIB == 0)
        new_grown();
}

static void begin_append(void)
{
    new_grown();
}

/* An open anew: a filesystem that doesn't keep its pages over an open is asked for each of them. */
static void reopen_grown(void)
{
    close_file(&grown);
    grown = open_file(grown_path, O_RDONLY);
}

static void begin_read(void)
{
    struct stat info;

    if (grown < 0 || fstat(grown, &info) != 0 || info.st_size != GROWN_MIB * (off_t)MIB) {
        new_grown();
        for (int i = 0; i < GROWN_MIB; i++)
            append_whole(i);
    }
    reopen_grown();
}

static void read_on(long i)
{
    (void)i;
    must(read(grown, whole, MIB) == MIB, "read");
}

static void before_read_on(long i)
{
    if (i % GROWN_MIB == 0)
        reopen_grown();
}

static void read_somewhere(long i)
{
    must(pread(grown, page, PAGE, somewhere(i, GROWN_MIB * (long)PAGES)) == PAGE, "pread");
}

static void create_to_unlink(long i)
{
    struct stat info;
    int fd = open_file(new_path, O_WRONLY | O_CREAT | O_EXCL);

    (void)i;
    must(close(fd) == 0, "close");
    must(stat(new_path, &info) == 0, "stat");
    must(unlink(new_path) == 0, "unlink");
}

/* Threads have pages of their own, also in the one file. */
static void pwrite_shared(int thread, long i)
{
    put(file, i * THREADS + thread);
}

static void pwrite_own(int thread, long i)
{
    put(many[thread], i);
}

static void many_name(int thread, char *name)
{
    int length = snprintf(name, PATH_SIZE, "%s.%d", path, thread);

    must(length > 0 && length < PATH_SIZE, "arguments");
}

static void begin_many(void)
{
    char name[PATH_SIZE];

    for (int thread = 0; thread < THREADS; thread++) {
        many_name(thread, name);
        close_file(&many[thread]);
        many[thread] = filled(name);
    }
}

static const struct workload {
    const char *name;
    void (*once)(long i);			/* the timed part, of one thread */
    void (*begin)(void);			/* before all; NULL: nothing is needed */
    void (*before)(long i);			/* before each, untimed */
    void (*in_thread)(int thread, long i);	/* the timed part, of THREADS threads at once */
} workloads[] = {
    {.name = "pwrite", .once = pwrite_page},
    {.name = "pwrite+fdatasync", .once = pwrite_sync},
    {.name = "open+pwrite+fdatasync+close", .once = open_to_close},
    {.name = "lseek+write", .once = seek_write},
    {.name = "pwrite+pread", .once = write_read, .begin = begin_cached},
    {.name = "create+stat+unlink", .once = create_to_unlink},
    {.name = "write-1MiB", .once = append_whole, .begin = begin_append, .before = before_append},
    {.name = "overwrite-1MiB", .once = overwrite_whole},
    {.name = "read-1MiB", .once = read_on, .begin = begin_read, .before = before_read_on},
    {.name = "read-random", .once = read_somewhere, .begin = begin_read},
    {.name = "read-1MiB-cached", .once = read_whole, .begin = begin_cached},
    {.name = "read-random-cached", .once = read_page, .begin = begin_cached},
    {.name = "8-threads-one-file", .in_thread = pwrite_shared},
    {.name = "8-threads-8-files", .in_thread = pwrite_own, .begin = begin_many},
};

struct limits {
    long first;		/* iterations before, to warm up */
    long most;
    int64_t budget;	/* nanoseconds */
};

struct times {
    int64_t all, *each;
    long count;
};

static struct times new_times(long most)
{
    struct times times = {.each = calloc((size_t)most, sizeof *times.each)};

    must(times.each != NULL, "calloc");
    return times;
}

/* Whoever started the worker reads counters now. */
static void await_go(void)
{
    char line[256];

    puts("ready");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin))
        exit(0);
}

static struct times measure_alone(const struct workload *load, struct limits limits)
{
    struct times times = new_times(limits.most);
    int64_t end = now() + limits.budget;

    while (times.count < limits.most) {
        long i = limits.first + times.count;
        if (load->before)
            load->before(i);
        int64_t start = now();
        load->once(i);
        int64_t stop = now();
        times.each[times.count++] = stop - start;
        times.all += stop - start;
        if (stop >= end)
            break;
    }
    return times;
}

static struct times warmed_alone(const struct workload *load, struct limits limits)
{
    struct limits few = {.most = limits.first, .budget = limits.budget / 4};

    if (few.most) {
        struct times times = measure_alone(load, few);
        limits.first = times.count;
        free(times.each);
    }
    await_go();
    return measure_alone(load, limits);
}

struct member {
    pthread_t id;
    int thread;
    const struct workload *load;
    struct limits limits;
    struct times times;
    int64_t started, ended;
    pthread_barrier_t *together;
};

static void *member_runs(void *argument)
{
    struct member *me = argument;

    for (long i = 0; i < me->limits.first; i++)
        me->load->in_thread(me->thread, i);
    pthread_barrier_wait(me->together);		/* all are warm */
    pthread_barrier_wait(me->together);		/* go */
    me->started = me->ended = now();
    while (me->times.count < me->limits.most) {
        int64_t start = me->ended;
        me->load->in_thread(me->thread, me->limits.first + me->times.count);
        me->ended = now();
        me->times.each[me->times.count++] = me->ended - start;
        if (me->ended - me->started >= me->limits.budget)
            break;
    }
    return NULL;
}

/* Each thread does its share; together they took the time from the first's start to the last's end. */
static struct times warmed_together(const struct workload *load, struct limits limits)
{
    struct member members[THREADS];
    struct times all = new_times(limits.most + THREADS);
    int64_t started = INT64_MAX, ended = 0;
    pthread_barrier_t together;

    limits.first = (limits.first + THREADS - 1) / THREADS;
    limits.most = (limits.most + THREADS - 1) / THREADS;
    must(pthread_barrier_init(&together, NULL, THREADS + 1) == 0, "pthread_barrier_init");
    for (int thread = 0; thread < THREADS; thread++) {
        struct member *one = &members[thread];
        *one = (struct member){.thread = thread, .load = load, .limits = limits, .together = &together};
        one->times = new_times(limits.most);
        must(pthread_create(&one->id, NULL, member_runs, one) == 0, "pthread_create");
    }
    pthread_barrier_wait(&together);
    await_go();
    pthread_barrier_wait(&together);
    for (int thread = 0; thread < THREADS; thread++) {
        struct member *one = &members[thread];
        must(pthread_join(one->id, NULL) == 0, "pthread_join");
        memcpy(all.each + all.count, one->times.each, (size_t)one->times.count * sizeof *all.each);
        all.count += one->times.count;
        started = one->started < started ? one->started : started;
        ended = one->ended > ended ? one->ended : ended;
        free(one->times.each);
    }
    pthread_barrier_destroy(&together);
    all.all = ended - started;
    return all;
}

static void print(const struct workload *load, struct times times)
{
    printf("%s %lld", load->name, (long long)times.all);
    for (long i = 0; i < times.count; i++)
        printf(" %lld", (long long)times.each[i]);
    printf("\n");
    fflush(stdout);
}

static const struct workload *find(const char *name)
{
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++)
        if (!strcmp(workloads[i].name, name))
            return &workloads[i];
    fprintf(stderr, "no workload is called %s\n", name);
    exit(2);
}

static void run(const struct workload *load, struct limits limits)
{
    struct times times;

    if (load->begin)
        load->begin();
    times = load->in_thread ? warmed_together(load, limits) : warmed_alone(load, limits);
    print(load, times);
    free(times.each);
}

static void remove_files(void)
{
    char name[PATH_SIZE];

    if (grown >= 0) {
        close_file(&grown);
        must(unlink(grown_path) == 0, "unlink");
    }
    for (int thread = 0; thread < THREADS; thread++) {
        if (many[thread] < 0)
            continue;
        close_file(&many[thread]);
        many_name(thread, name);
        must(unlink(name) == 0, "unlink");
    }
    close_file(&file);
}

static void name_beside(char *name, const char *ending)
{
    int length = snprintf(name, PATH_SIZE, "%s%s", path, ending);

    must(length > 0 && length < PATH_SIZE, "arguments");
}

int main(int argc, char **argv)
{
    char line[256];

    if (argc != 5) {
        fprintf(stderr, "usage: %s FILE ITERATIONS BUDGET_MS WARM_UP\n", argv[0]);
        return 2;
    }
    int length = snprintf(path, sizeof path, "%s", argv[1]);
    must(length > 0 && (size_t)length < sizeof path, "arguments");
    name_beside(new_path, ".new");
    name_beside(grown_path, ".grown");
    struct limits limits = {
        .first = strtol(argv[4], NULL, 10),
        .most = strtol(argv[2], NULL, 10),
        .budget = strtol(argv[3], NULL, 10) * INT64_C(1000000),
    };
    must(limits.first >= 0 && limits.most > 0 && limits.budget > 0, "arguments");
    memset(page, 'x', sizeof page);
    memset(whole, 'x', sizeof whole);
    file = filled(path);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        run(find(line), limits);
    }
    remove_files();
    return 0;
}
